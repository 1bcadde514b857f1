// The table of KIND:VERB, and the verbs that the worker does.
#include "commands/services.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/ids.hpp"
#include "commands/change.hpp"
#include "commands/confirm.hpp"

namespace davit {
namespace {

constexpr std::string_view kServiceInterface = "davit.service/1";

Result<> check_name(std::string_view name) {
  if (check_app_name(name)) return {};
  return fail(Code::kInvalid, "Please specify a valid name for the service",
              "Use 1 to 63 of: lower-case letters, digits, - and . (a letter or digit first and last, no ..)",
              "service-name-invalid");
}

Result<std::string> named(const ServiceCall& call) {
  const auto& args = call.args.args;
  const std::string name = args.empty() ? std::string() : args.front();
  DAVIT_TRY(check_name(name));
  return name;
}

/// The second argument: a name that no service has.
Result<std::string> new_name(const ServiceCall& call) {
  const std::string& name = call.args.args[1];
  DAVIT_TRY(check_name(name));
  DAVIT_TRY_ASSIGN(Store * store, call.session.reading());
  DAVIT_TRY_ASSIGN(const bool taken, store->services().exists(call.kind, name));
  if (!taken) return name;
  return fail(Code::kConflict, fmt::format("service {} already exists", name), "Choose another name",
              "service-taken");
}

std::vector<std::string> flag_words(const Arguments& args, std::string_view flag) {
  const auto value = args.value(flag);
  if (!value) return {};
  return {"--" + std::string(flag), std::string(*value)};
}

/// What is to serve it: keeper's WantedServer.
std::vector<std::string> server_words(const Arguments& args) {
  std::vector<std::string> words;
  for (const std::string_view flag : {"runtime", "image", "image-version"}) {
    for (std::string& word : flag_words(args, flag)) words.push_back(std::move(word));
  }
  return words;
}

Result<int> create(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const std::string name, named(call));
  DAVIT_TRY_ASSIGN(Store * store, call.session.reading());
  const auto present = store->services().get(call.kind, name);
  if (present && present->generation != 0) {  // 0: its creation died, and ours clears that away
    return fail(Code::kConflict, fmt::format("service {} already exists", name),
                fmt::format("Choose another name, or see: davit {}:list", call.kind), "service-taken");
  }
  DAVIT_TRY_ASSIGN(const int code, call.work("create", name, server_words(call.args)));
  return code == 0 ? service_info(call) : code;
}

Result<int> destroy(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  DAVIT_TRY_ASSIGN(Store * store, call.session.reading());
  DAVIT_TRY_ASSIGN(const auto links, store->services().links_of_service(service.id));
  if (!links.empty()) {
    return fail(Code::kConflict, "Cannot delete linked service",
                fmt::format("Unlink it first: {} {}:unlink {} {}", call.session.where().program, call.kind,
                            service.name, links.front().app_name),
                "service-linked");
  }
  DAVIT_TRY(confirm(
      call.session, service.name,
      fmt::format("This command will destroy the {} service {}; its data stay in the trash for a while.",
                  call.kind, service.name)));
  return call.work("destroy", service.name);
}

/// A verb of an existing service without further words.
template <const auto& kVerb>
Result<int> plain(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  return call.work(kVerb, service.name);
}
constexpr std::string_view kStart = "start", kStop = "stop", kPause = "pause", kRestart = "restart",
                           kConnect = "connect", kUnexpose = "unexpose";

Result<int> logs(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  std::vector<std::string> words = flag_words(call.args, "num");
  if (call.args.has("tail")) words.emplace_back("--tail");
  std::vector<std::string> operation{"service-read", "logs", call.kind, service.name};
  operation.insert(operation.end(), words.begin(), words.end());
  return call.session.work(operation);
}

Result<int> enter(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  return call.work("enter", service.name, {call.args.args.begin() + 1, call.args.args.end()});
}

Result<int> export_data(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  if (call.session.context.tty) {
    return fail(Code::kInvalid, "The export is not for a terminal",
                fmt::format("Redirect it: {} {}:export {} > FILE", call.session.where().program, call.kind,
                            service.name));
  }
  return call.work("export", service.name);
}

Result<int> import_data(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  if (call.session.where().in_terminal) {
    return fail(Code::kInvalid, "No data provided on stdin",
                fmt::format("Redirect a dump to it: {} {}:import {} < FILE", call.session.where().program,
                            call.kind, service.name),
                "no-data");
  }
  return call.work("import", service.name);
}

Result<int> clone(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  DAVIT_TRY_ASSIGN(const std::string name, new_name(call));
  std::vector<std::string> words{name};
  for (std::string& word : server_words(call.args)) words.push_back(std::move(word));
  return call.work("clone", service.name, words);
}

/// A path of the server: not for those who come over ssh.
Result<int> with_path(const ServiceCall& call, std::string_view verb) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  std::vector<std::string> words;
  if (call.args.args.size() > 1) {
    if (call.session.where().over_ssh)
      return fail(Code::kDenied, "Over ssh no path of the server can be given", "Leave it out");
    std::error_code error;
    words.push_back(std::filesystem::absolute(call.args.args[1], error).lexically_normal().string());
  }
  return call.work(verb, service.name, words);
}

Result<int> backup(const ServiceCall& call) {
  return with_path(call, "backup");
}
Result<int> verify_backup(const ServiceCall& call) {
  return with_path(call, "backup-verify");
}

Result<int> expose(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  return call.work("expose", service.name, {call.args.args[1]});
}

struct Setting {
  std::string_view key;
  SettingType type;
};
constexpr Setting kSettings[] = {
    {"backup-keep", SettingType::kUint}, {"memory", SettingType::kSize}, {"trash-days", SettingType::kUint}};

// No database server starts with less.
constexpr std::uint64_t kLeastMemory = std::uint64_t{32} << 20;

Result<> check_memory(std::string_view text) {
  DAVIT_TRY_ASSIGN(const std::uint64_t bytes, parse_size_bytes(text));
  if (bytes >= kLeastMemory || bytes == 0) return {};
  return fail(Code::kInvalid, fmt::format("{} of memory is too little for a database server", text),
              "Give at least 32m, with its unit: 512m, 2g");
}

Result<> check_days(std::string_view text) {
  std::int64_t days = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error == std::errc{} && end == text.data() + text.size() && days <= kMaxTrashDays) return {};
  return fail(Code::kInvalid, fmt::format("{} days are too many", text),
              fmt::format("Give at most {}", kMaxTrashDays));
}

Result<int> set(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  const auto& args = call.args.args;
  if (args.size() < 2)
    return fail(Code::kInvalid, "No property specified", "Name one of: backup-keep, memory, trash-days");
  const auto* setting = std::ranges::find(kSettings, args[1], &Setting::key);
  if (setting == std::end(kSettings)) {
    return fail(Code::kInvalid,
                "Invalid property specified, valid properties include: backup-keep, memory, trash-days");
  }
  std::optional<std::string> value;
  if (args.size() > 2 && !args[2].empty()) value = args[2];
  if (value) DAVIT_TRY(check_value(setting->type, {}, *value));
  if (value && setting->key == "memory") DAVIT_TRY(check_memory(*value));
  if (value && setting->key == "trash-days") DAVIT_TRY(check_days(*value));
  call.session.out().header(value ? fmt::format("Setting {} to {}", args[1], *value)
                                  : fmt::format("Unsetting {}", args[1]));
  DAVIT_TRY_ASSIGN(Store * store, call.session.writing());
  DAVIT_TRY(store->services().set_setting(service.id, args[1], value));
  return 0;
}

Result<int> rename(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  DAVIT_TRY_ASSIGN(const std::string name, new_name(call));
  return call.work("rename", service.name, {name});
}

Result<int> restore(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const std::string name, named(call));
  std::vector<std::string> words(call.args.args.begin() + 1, call.args.args.end());
  if (const auto as = call.args.value("as")) DAVIT_TRY(check_name(*as));
  for (std::string& word : flag_words(call.args, "as")) words.push_back(std::move(word));
  return call.work("restore", name, words);
}

Result<int> forget(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  const std::string& generation = call.args.args[1];
  DAVIT_TRY(confirm(call.session, service.name,
                    fmt::format("This command will remove the data that {} had as {}, for good.",
                                service.name, generation)));
  return call.work("forget", service.name, {generation});
}

Result<int> upgrade(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Service service, call.service());
  DAVIT_TRY(confirm(
      call.session, service.name,
      fmt::format("This command will stop {} for its apps while its data are dumped and loaded into a new "
                  "server.",
                  service.name)));
  return call.work("upgrade", service.name, server_words(call.args));
}

constexpr CliFlag kImageFlag{"image", "IMAGE", "On containers: the image (the kind's official one)", 'i'};
constexpr CliFlag kVersionFlag{
    "image-version", "VERSION",
    "Version of the server, or tag of the image (the newest that is installed; of Debian's packages)", 'I'};
constexpr CliFlag kUpgradeFlags[] = {kImageFlag, kVersionFlag};
constexpr CliFlag kCreateFlags[] = {
    kImageFlag, kVersionFlag, {"runtime", "RUNTIME", "Where it runs (the default runtime)"}};
constexpr CliFlag kLogFlags[] = {{"tail", "", "Go on with new lines as they come", 't'},
                                 {"num", "N", "How many lines of the past (100)", 'n'}};
constexpr CliFlag kLinkFlags[] = {
    {"alias", "NAME", "The variable is NAME_URL", 'a'},
    {"querystring", "TEXT", "Stands behind the ? of the URL", 'q'},
    {"env-style", "url|host", "host: DB_HOST, DB_USER, DB_PASS, DB_NAME and DB_PORT too"},
    kNoRestartFlag,
    kNoWaitFlag};
constexpr CliFlag kRestartFlags[] = {kNoRestartFlag, kNoWaitFlag};
constexpr CliFlag kFormat[] = {kFormatFlag};
constexpr CliFlag kListFlags[] = {kFormatFlag,
                                  {"trash", "", "Those that were destroyed, and can be restored"}};
constexpr CliFlag kRestoreFlags[] = {{"as", "NAME", "Restore it under another name"}};

constexpr CliCommand spec(std::string_view verb, std::string_view usage, std::string_view summary,
                          std::size_t least, std::size_t most, std::span<const CliFlag> flags = {}) {
  return {.name = verb,
          .usage = usage,
          .summary = summary,
          .minimum_args = least,
          .maximum_args = most,
          .more_app = usage.ends_with("<app>") ? most : 0,
          .flags = flags};
}

constexpr CliCommand kEnter{.name = "enter",
                            .usage = "<service> [<command> ...]",
                            .summary = "Run a shell or a command beside the server",
                            .minimum_args = 1,
                            .maximum_args = kAnyCount,
                            .rest_is_raw = true};
constexpr CliCommand kInfo{.name = "info",
                           .usage = "<service> [<flag>|--format text|json]",
                           .summary = "Show what is known of a service",
                           .minimum_args = 1,
                           .maximum_args = 1,
                           .flags = kFormat,
                           .unknown_flags = UnknownFlags::kReportKey};

}  // namespace

Result<Service> ServiceCall::service() const {
  DAVIT_TRY_ASSIGN(const std::string name, named(*this));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  return store->services().get(kind, name);
}

namespace {

/// The services that a verb has the lock of.
std::vector<std::string> changed_by(std::string_view verb, const std::string& name,
                                    const std::vector<std::string>& more) {
  if (verb == "connect" || verb == "enter" || verb == "export") return {};
  if (verb == "clone") return {more.front()};
  if (verb == "rename") return {name, more.front()};
  return {name};
}

}  // namespace

Result<int> ServiceCall::work(std::string_view verb, const std::string& name,
                              const std::vector<std::string>& more) const {
  std::vector<std::string> operation{"service", std::string(verb), kind, name};
  operation.insert(operation.end(), more.begin(), more.end());
  auto done = session.work(operation);
  constexpr int kKilled = 128 + 9;
  const bool died = done ? *done == kKilled : done.error().slug == kSlugPluginFault;
  if (!died) return done;
  // Apps may be without it: what the worker left is put right now, not by whichever command comes next.
  for (const std::string& one : changed_by(verb, name, more)) {
    const auto settled = session.work({"service", "settle", kind, one});
    if (!settled) session.out().warning(settled.error().text());
  }
  return done;
}

std::span<const ServiceVerb> service_verbs() {
  static constexpr ServiceVerb kVerbs[] = {
      {spec("app-links", "[--format text|json] <app>",
            "List the services of this kind that an app is linked to", 1, 1, kFormat),
       service_app_links},
      {spec("backup", "<service> [<folder>]", "Write all data into a file of the server", 1, 2), backup},
      {spec("backup-verify", "<service> [<file>]",
            "Load a backup into an instance that is thrown away, and compare", 1, 2),
       verify_backup},
      {spec("clone", "[-i IMAGE] [-I VERSION] [--runtime RUNTIME] <service> <new-service>",
            "Make a new service with the data of another", 2, 2, kCreateFlags),
       clone},
      {spec("connect", "<service>", "Open a client; without a terminal it runs the script on stdin", 1, 1),
       plain<kConnect>},
      {spec("create", "[-i IMAGE] [-I VERSION] [--runtime RUNTIME] <service>", "Make a new service", 1, 1,
            kCreateFlags),
       create},
      {spec("destroy", "[--force] <service>", "Stop a service and put its data into the trash", 1, 1),
       destroy},
      {kEnter, enter},
      {spec("exists", "<service>", "Say by the exit code whether a service exists", 1, 1), service_exists},
      {spec("export", "<service>", "Write all data to stdout", 1, 1), export_data},
      {spec("expose", "<service> <port>", "Let the world connect to a service, at a port of this machine", 2,
            2),
       expose},
      {spec("forget", "[--force] <service> <gN>", "Remove data from before an import or upgrade, for good", 2,
            2),
       forget},
      {spec("import", "<service>", "Replace all data by a dump from stdin", 1, 1), import_data},
      {kInfo, service_info},
      {spec("link", "[-a NAME] [-q TEXT] [--env-style url|host] [--no-restart] <service> <app>",
            "Give an app the address of a service, and restart the app with it", 2, 2, kLinkFlags),
       service_link},
      {spec("linked", "<service> <app>", "Say by the exit code whether an app is linked to a service", 2, 2),
       service_linked},
      {spec("links", "[--format text|json] <service>", "List the apps that are linked to a service", 1, 1,
            kFormat),
       service_links},
      {spec("list", "[--trash] [--format text|json]", "List the services of this kind", 0, 0, kListFlags),
       service_list},
      {spec("logs", "[-t|--tail] [-n|--num N] <service>", "Show what the server wrote", 1, 1, kLogFlags),
       logs},
      {spec("pause", "<service>", "Stop the server, and keep all that it runs in", 1, 1), plain<kPause>},
      {spec("promote", "[--no-restart] <service> <app>", "Make a linked service the app's first one", 2, 2,
            kRestartFlags),
       service_promote},
      {spec("rename", "<service> <new-name>", "Give a service another name; apps that use it notice nothing",
            2, 2),
       rename},
      {spec("restart", "<service>", "Stop the server and start it again", 1, 1), plain<kRestart>},
      {spec("restore", "[--as NAME] <service> [gN]",
            "Bring back a destroyed service, or a service's data from before an import or upgrade", 1, 2,
            kRestoreFlags),
       restore},
      {spec("set", "<service> <key> [<value>]",
            "Set or clear a property: memory (from the next restart), backup-keep, trash-days", 1, 3),
       set},
      {spec("start", "<service>", "Start a service that was stopped", 1, 1), plain<kStart>},
      {spec("stop", "<service>", "Stop a service; it stays down until it is started", 1, 1), plain<kStop>},
      {spec("unexpose", "<service>", "Close the port that expose opened", 1, 1), plain<kUnexpose>},
      {spec("unlink", "[--no-restart] <service> <app>", "Take the address of a service from an app", 2, 2,
            kRestartFlags),
       service_unlink},
      {spec("upgrade", "[-i IMAGE] [-I VERSION] <service>", "Move the data to a server of another version", 1,
            1, kUpgradeFlags),
       upgrade},
  };
  return kVerbs;
}

std::vector<std::string> service_kinds(const PluginCatalog& catalog) {
  std::vector<std::string> kinds;
  for (const CatalogEntry* entry : catalog.providers(kServiceInterface)) kinds.push_back(entry->id);
  std::ranges::sort(kinds);
  return kinds;
}

std::optional<ServiceCommand> find_service_command(const PluginCatalog& catalog, std::string_view name) {
  const auto colon = name.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto verbs = service_verbs();
  const auto verb = std::ranges::find_if(
      verbs, [&](const ServiceVerb& known) { return known.spec.name == name.substr(colon + 1); });
  if (verb == verbs.end()) return std::nullopt;
  const auto kinds = service_kinds(catalog);
  if (std::ranges::find(kinds, name.substr(0, colon)) == kinds.end()) return std::nullopt;
  return ServiceCommand{std::string(name.substr(0, colon)), &*verb};
}

}  // namespace davit
