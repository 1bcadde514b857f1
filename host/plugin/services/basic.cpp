// davit.host.log, settings, clock, paths, secrets, events, registry: what needs no store and no process.
#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cerrno>

#include "base/text.hpp"
#include "events/bus.hpp"
#include "plugin/host_core.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

void log(const davit_host* host, int32_t level, davit_str message) {
  (void)no_throw([&] {
    const HostSide& side = HostSide::of(host);
    log_line(side.services().log.get(), side.entry().id, level, view(message));
    return DAVIT_OK;
  });
}

Result<const SettingValue*> setting(const davit_host* host, davit_str key) {
  const CatalogEntry& entry = HostSide::of(host).entry();
  const auto found = entry.settings.find(view(key));
  if (found != entry.settings.end()) return &found->second;
  return fail(Code::kNotFound,
              fmt::format("Setting {} of plugin {} is not set", clean_line(view(key)), entry.id),
              fmt::format("Set it in [plugins.{}.settings] of plugins.toml", entry.id), "setting-missing");
}

davit_status settings_get(const davit_host* host, const davit_call* call, davit_str key,
                          const davit_sink* value) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const SettingValue* found, setting(host, key));
    return accepted(put(value, found->text));
  });
}

davit_status settings_each_item(const davit_host* host, const davit_call* call, davit_str key,
                                const davit_str_sink* items) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const SettingValue* found, setting(host, key));
    for (const std::string& item : found->items) DAVIT_TRY(accepted(put(items, item)));
    return {};
  });
}

int64_t now_unix_ms(const davit_host* host) {
  return HostSide::of(host).services().clock.now_unix_ms();
}
int64_t now_mono_ms(const davit_host* host) {
  return HostSide::of(host).services().clock.now_mono_ms();
}

constexpr mode_t kPrivate = 0700;

Result<std::string> path_of(const HostSide& side, std::string_view which) {
  const Home& home = side.services().home;
  const Installation& installation = side.services().installation;
  const std::string& id = side.entry().id;
  std::filesystem::path own;
  if (which == "state") own = home.plugin_state(id);
  if (which == "run") own = home.plugin_run(id);
  if (which == "logs") own = home.logs() / "plugins" / id;
  if (!own.empty()) {
    DAVIT_TRY(make_dirs(own.parent_path(), kPrivate));
    std::error_code error;
    // Its mode is the plugin's own business once it exists: nginx opens its folders for its workers.
    if (!std::filesystem::is_directory(own, error)) DAVIT_TRY(make_dir(own, kPrivate));
    return own.string();
  }
  if (which == "share") return (installation.share() / id).string();
  if (which == "libexec") return installation.libexec("").parent_path().string();
  if (which == "home") return home.root.string();
  if (which == "app-logs") return (home.logs() / "apps").string();
  return fail(Code::kNotFound, fmt::format("There is no path \"{}\"", clean_line(which)),
              "Known: state, run, logs, share, libexec, home, app-logs", "path-unknown");
}

davit_status paths_get(const davit_host* host, const davit_call* call, davit_str which,
                       const davit_sink* path) {
  return serve(call, [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const std::string found, path_of(HostSide::of(host), view(which)));
    return accepted(put(path, found));
  });
}

constexpr std::uint32_t kMaxSecretCharacters = 4096;

/// Unbiased: bytes that would favour some characters are thrown away.
Result<std::string> random_text(std::uint32_t characters) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr unsigned kFairBytes = 256 / kAlphabet.size() * kAlphabet.size();
  std::string text;
  std::array<unsigned char, 256> bytes;
  while (text.size() < characters) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error("getrandom", errno));
    for (std::size_t i = 0; i < static_cast<std::size_t>(got) && text.size() < characters; ++i)
      if (bytes[i] < kFairBytes) text += kAlphabet[bytes[i] % kAlphabet.size()];
  }
  return text;
}

davit_status secrets_random(const davit_host*, const davit_call* call, uint32_t characters,
                            const davit_sink* secret) {
  return serve(call, [&]() -> Result<> {
    if (characters == 0 || characters > kMaxSecretCharacters)
      return fail(Code::kInvalid,
                  fmt::format("A secret of {} characters was asked for; 1 to 4096 are possible", characters));
    DAVIT_TRY_ASSIGN(const std::string text, random_text(characters));
    return accepted(put(secret, text));
  });
}

davit_status events_publish(const davit_host* host, const davit_call* call, davit_str id, davit_kvs facts) {
  return serve(call, [&]() -> Result<> {
    const HostSide& side = HostSide::of(host);
    const std::string event_id = copy(id);
    if (!event_id.starts_with(side.entry().id + ".") || event_id.size() == side.entry().id.size() + 1)
      return fail(Code::kInvalid,
                  fmt::format("plugin {} may not publish \"{}\"", side.entry().id, clean_line(event_id)),
                  fmt::format("Its own notices are named \"{}.WORD\"", side.entry().id), "event-name");
    if (side.core().bus != nullptr)
      side.core().bus->tell(Event{event_id, {}, copy(facts)}, CallBridge::of(call).context());
    return {};
  });
}

davit_status registry_each(const davit_host* host, const davit_call* call,
                           const davit_kv_sink* id_and_version) {
  return serve(call, [&]() -> Result<> {
    for (const CatalogEntry* entry : HostSide::of(host).core().catalog.usable())
      DAVIT_TRY(accepted(put(id_and_version, entry->id, entry->version)));
    return {};
  });
}

davit_status registry_each_provider(const davit_host* host, const davit_call* call, davit_str interface_id,
                                    const davit_str_sink* ids) {
  return serve(call, [&]() -> Result<> {
    for (const CatalogEntry* entry : HostSide::of(host).core().catalog.providers(view(interface_id)))
      DAVIT_TRY(accepted(put(ids, entry->id)));
    return {};
  });
}

}  // namespace

const void* basic_service(std::string_view interface_id) {
  static constexpr davit_host_log kLog{sizeof(davit_host_log), 0, log};
  static constexpr davit_host_settings kSettings{sizeof(davit_host_settings), 0, settings_get,
                                                 settings_each_item};
  static constexpr davit_host_clock kClock{sizeof(davit_host_clock), 0, now_unix_ms, now_mono_ms};
  static constexpr davit_host_paths kPaths{sizeof(davit_host_paths), 0, paths_get};
  static constexpr davit_host_secrets kSecrets{sizeof(davit_host_secrets), 0, secrets_random};
  static constexpr davit_host_events kEvents{sizeof(davit_host_events), 0, events_publish};
  static constexpr davit_host_registry kRegistry{sizeof(davit_host_registry), 0, registry_each,
                                                 registry_each_provider};
  if (interface_id == DAVIT_HOST_LOG_ID) return &kLog;
  if (interface_id == DAVIT_HOST_SETTINGS_ID) return &kSettings;
  if (interface_id == DAVIT_HOST_CLOCK_ID) return &kClock;
  if (interface_id == DAVIT_HOST_PATHS_ID) return &kPaths;
  if (interface_id == DAVIT_HOST_SECRETS_ID) return &kSecrets;
  if (interface_id == DAVIT_HOST_EVENTS_ID) return &kEvents;
  if (interface_id == DAVIT_HOST_REGISTRY_ID) return &kRegistry;
  return nullptr;
}

}  // namespace davit
