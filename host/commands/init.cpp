// init: a new home, in a new or an empty folder: folders, plugins.toml, the store, a port for the proxy.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "commands/session.hpp"
#include "commands/setting_places.hpp"
#include "commands/table.hpp"
#include "plugin/plugins_toml.hpp"
#include "process/files.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRuntimeInterface = "davit.runtime/1";
constexpr std::string_view kProxyInterface = "davit.proxy/1";
constexpr std::string_view kDefaultRuntime = "process";  // of the template of plugins.toml
constexpr unsigned kDefaultPort = 8080;
constexpr unsigned kPortsTried = 100;
constexpr std::string_view kDefaultDomain = "localhost";
constexpr std::array<std::string_view, 11> kFolders{"repos",     "slugs",    "cache",        "services",
                                                    "plugins",   "logs",     "logs/deploys", "run",
                                                    "run/locks", "run/work", "run/plugins"};

/// Why this process could not listen there now: errno's number, 0 if it could.
int refusal_of(unsigned port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return errno;
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool listens = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                       ::listen(fd.get(), 1) == 0;
  return listens ? 0 : errno;
}

Result<unsigned> choose_port(const std::optional<std::string_view>& wanted) {
  if (wanted) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(wanted->data(), wanted->data() + wanted->size(), port);
    if (error != std::errc{} || end != wanted->data() + wanted->size() || port == 0 || port > 65535) {
      return fail(Code::kInvalid, fmt::format("{} is not a port", *wanted), "Ports are 1 to 65535");
    }
    const int refusal = refusal_of(port);
    if (refusal == 0) return port;
    return fail(Code::kConflict,
                fmt::format("Port {} cannot be listened on: {}", port, std::strerror(refusal)),
                refusal == EACCES
                    ? "Only root may listen there: run davit as root, or give a --http-port from 1024 up"
                    : "Give another --http-port, or none");
  }
  for (unsigned port = kDefaultPort; port < kDefaultPort + kPortsTried; ++port) {
    if (refusal_of(port) == 0) return port;
  }
  return fail(Code::kUnavailable, fmt::format("No port from {} on is free", kDefaultPort),
              "Give --http-port");
}

/// New, empty, or holding only what an init that was interrupted left.
Result<> check_place(const Home& home) {
  std::error_code error;
  if (!fs::exists(home.root, error)) return {};
  if (!fs::is_directory(home.root, error)) {
    return fail(Code::kConflict, fmt::format("{} is not a folder", home.root.string()));
  }
  if (fs::exists(home.database(), error)) {
    return fail(Code::kConflict, fmt::format("There is a home at {} already", home.root.string()),
                "Set DAVIT_HOME to make another one");
  }
  for (const auto& entry : fs::directory_iterator(home.root, error)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name == "plugins.toml" || std::ranges::find(kFolders, name) != kFolders.end();
    if (ours) continue;
    return fail(Code::kConflict, fmt::format("{} is not empty: it has {}", home.root.string(), name),
                "Give DAVIT_HOME a new or an empty folder");
  }
  return {};
}

bool provides(const PluginNote& note, std::string_view interface_id) {
  return std::ranges::find(note.provides, interface_id) != note.provides.end();
}

Result<std::string> choose_runtime(const PluginCatalog& catalog,
                                   const std::optional<std::string_view>& wanted) {
  std::vector<std::string> known;
  for (const CatalogEntry& entry : catalog.entries()) {
    if (!entry.problem && provides(entry.note, kRuntimeInterface)) known.push_back(entry.id);
  }
  if (wanted) {
    if (std::ranges::find(known, *wanted) != known.end()) return std::string(*wanted);
    return fail(Code::kNotFound, fmt::format("No runtime {} is installed", *wanted),
                known.empty() ? "No plugin is a runtime" : fmt::format("Runtimes: {}", join(known, ", ")));
  }
  if (std::ranges::find(known, kDefaultRuntime) != known.end()) return std::string(kDefaultRuntime);
  return known.empty() ? std::string() : known.front();
}

std::string template_text(const PluginCatalog& catalog, const std::string& runtime, unsigned port) {
  std::vector<TemplatePlugin> plugins;
  for (const CatalogEntry& entry : catalog.entries()) {
    if (entry.problem) continue;
    TemplatePlugin plugin{entry.note, true, {}};
    // Of several runtimes only the chosen one is on.
    if (provides(entry.note, kRuntimeInterface)) plugin.enabled = entry.id == runtime;
    const bool has_port = entry.note.setting("port") != nullptr;
    if (provides(entry.note, kProxyInterface) && has_port)
      plugin.settings.emplace_back("port", std::to_string(port));
    for (const SettingSpec& setting : entry.note.settings) {
      if (const auto place = found_place(setting))
        plugin.settings.emplace_back(setting.key, toml_quote(*place));
    }
    plugins.push_back(std::move(plugin));
  }
  return plugins_toml_template({runtime, ""}, plugins);
}

Result<> make_folders(const Home& home, bool owner_is_root) {
  std::error_code error;
  if (const fs::path parent = home.root.parent_path(); !fs::exists(parent, error))
    DAVIT_TRY(make_dirs(parent, 0755));
  // Where the owner is root, other uids (nginx workers, services) pass through the home to the folders that
  // are theirs.
  DAVIT_TRY(make_dir(home.root, owner_is_root ? 0711 : 0700));
  for (const std::string_view folder : kFolders) DAVIT_TRY(make_dir(home.root / folder, 0700));
  return {};
}

Result<> make_store(const Home& home, const Clock& clock, const std::string& domain) {
  DAVIT_TRY_ASSIGN(const Store store, Store::open(home.database(), StoreMode::kCreate, clock));
  return store.domains().add(AppId::kGlobal, {domain});
}

Result<int> init(Session& session, const Arguments& args) {
  const Home& home = session.home();
  DAVIT_TRY(check_place(home));
  const std::string domain = to_lower_ascii(args.value("domain").value_or(kDefaultDomain));
  DAVIT_TRY(check_domain(domain));
  const PluginCatalog installed = PluginCatalog::installed(session.where().installation);
  DAVIT_TRY_ASSIGN(const std::string runtime, choose_runtime(installed, args.value("runtime")));
  DAVIT_TRY_ASSIGN(const unsigned port, choose_port(args.value("http-port")));

  DAVIT_TRY(make_folders(home, session.where().uid == 0));
  std::error_code error;
  const bool keeps_file = fs::exists(home.plugins_toml, error);
  if (!keeps_file) {
    DAVIT_TRY(make_dirs(home.plugins_toml.parent_path(), 0755));
    DAVIT_TRY(write_file_atomic(home.plugins_toml, template_text(installed, runtime, port), 0644));
  }
  // The store comes last: with it the folder is a home, and without it init can be run again.
  DAVIT_TRY(make_store(home, session.clock(), domain));
  session.home_is_there();

  session.out().step(fmt::format("Made a home at {}", home.root.string()));
  session.out().detail(
      fmt::format("Settings: {}{}\n", home.plugins_toml.string(), keeps_file ? " (kept as it was)" : ""));
  session.out().detail(fmt::format("Runtime: {}\n", runtime.empty() ? "none is installed" : runtime));
  session.out().detail(fmt::format("Apps will answer at http://APP.{}:{}\n", domain, port));
  session.out().detail(fmt::format("Next: {0} apps:create APP, then git push {1} main\n",
                                   session.where().program, (home.repos() / "APP.git").string()));
  return 0;
}

constexpr CliFlag kFlags[] = {{"runtime", "ID", "The plugin that runs apps"},
                              {"http-port", "PORT", "Where the proxy listens (the first free one from 8080)"},
                              {"domain", "DOMAIN", "Apps answer at APP.DOMAIN (localhost)"}};

}  // namespace

std::span<const CoreCommand> init_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "init",
        .usage = "[--runtime ID] [--http-port PORT] [--domain DOMAIN]",
        .summary = "Make a new home at DAVIT_HOME",
        .flags = kFlags,
        .over_ssh = false,
        .home = HomeNeed::kNone},
       init},
  };
  return kCommands;
}

}  // namespace davit
