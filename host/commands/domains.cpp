// domains: the host names of apps, and the global ones from which default names are made.
#include <fmt/format.h>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "commands/change.hpp"
#include "commands/default_names.hpp"
#include "commands/property_commands.hpp"
#include "commands/reports.hpp"
#include "commands/table.hpp"
#include "lifecycle/routes.hpp"

namespace davit {
namespace {

Result<std::vector<std::string>> checked(const Arguments& args) {
  if (args.args.empty()) {
    return fail(Code::kInvalid, "Please specify a domain name");
  }
  std::vector<std::string> domains;
  for (const std::string& domain : args.args) {
    domains.push_back(to_lower_ascii(domain));
    DAVIT_TRY(check_domain(domains.back()));
  }
  return domains;
}

enum class Verb { kAdd, kRemove, kSet };

Result<> write_own(Store& store, const App& app, Verb verb, const std::vector<std::string>& domains) {
  Domains& table = store.domains();
  if (verb == Verb::kSet) {
    DAVIT_TRY(refuse_default_names(store, app, domains));
    return table.assign(app.id, domains);
  }
  // The default name stays when others are added, and can be removed: it becomes one of the app's own.
  DAVIT_TRY_ASSIGN(const auto own, table.list(app.id));
  if (own.empty()) {
    DAVIT_TRY_ASSIGN(const auto defaults, hosts_of(store, app));
    if (!defaults.empty()) DAVIT_TRY(table.add(app.id, defaults));
  }
  if (verb == Verb::kRemove) {
    DAVIT_TRY(table.remove(app.id, domains));
    DAVIT_TRY(refuse_to_return(store, app, domains));
    DAVIT_TRY_ASSIGN(const auto hosts, hosts_of(store, app));
    return refuse_taken(store, app, hosts);  // its default name may be back
  }
  DAVIT_TRY(refuse_default_names(store, app, domains));
  return table.add(app.id, domains);
}

/// Writes, and has an app that runs routed anew, both under its lock. The exit code of that.
Result<int> change(Session& session, const App& app, std::string_view command,
                   const std::function<Result<>(Store&)>& write) {
  const auto code = change_if_deployed(session, app, {std::string(command), "route", "{}", false}, write);
  if (code && *code != 0) {
    session.out().warning(
        fmt::format("The change of {}'s domains is kept, but it still answers under those it had", app.name));
    session.out().warning(
        fmt::format("When the reason is mended: {} ps:restart {}", session.where().program, app.name));
  }
  return code;
}

Result<int> change(Session& session, const Arguments& args, std::string_view command, Verb verb) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(const auto domains, checked(args));
  const auto write = [&](Store& store) { return write_own(store, app, verb, domains); };
  DAVIT_TRY_ASSIGN(const int code, change(session, app, command, write));
  if (code != 0) return code;
  if (verb == Verb::kSet) {
    session.out().step(fmt::format("Set {} for {}", join(domains, " "), app.name));
  } else {
    for (const std::string& domain : domains) {
      session.out().step(verb == Verb::kAdd ? fmt::format("Added {} to {}", domain, app.name)
                                            : fmt::format("Removed {} from {}", domain, app.name));
    }
  }
  return 0;
}

Result<int> add(Session& session, const Arguments& args) {
  return change(session, args, "domains:add", Verb::kAdd);
}
Result<int> remove(Session& session, const Arguments& args) {
  return change(session, args, "domains:remove", Verb::kRemove);
}
Result<int> set(Session& session, const Arguments& args) {
  return change(session, args, "domains:set", Verb::kSet);
}

Result<int> clear(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  const auto write = [&](Store& store) -> Result<> {
    DAVIT_TRY(store.domains().clear(app.id));
    DAVIT_TRY_ASSIGN(const auto hosts, hosts_of(store, app));
    return refuse_taken(store, app, hosts);
  };
  DAVIT_TRY_ASSIGN(const int code, change(session, app, "domains:clear", write));
  if (code == 0) session.out().step(fmt::format("Cleared domains in {}", app.name));
  return code;
}

Result<int> enable(Session& session, const Arguments& args, bool wanted) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  const std::string_view word = wanted ? "enabled" : "disabled";
  const std::string_view command = wanted ? "domains:enable" : "domains:disable";
  bool was = wanted;
  const auto write = [&](Store& store) -> Result<> {
    DAVIT_TRY_ASSIGN(was, store.domains().enabled(app.id));
    DAVIT_TRY(store.domains().set_enabled(app.id, wanted));
    DAVIT_TRY_ASSIGN(const auto hosts, hosts_of(store, app));
    return refuse_taken(store, app, hosts);
  };
  // Also where it is so already: the routes may not have followed.
  DAVIT_TRY_ASSIGN(const int code, change(session, app, command, write));
  if (code != 0) return code;
  session.out().step(was == wanted
                         ? fmt::format("Domains (VHOST) support is already {} for app ({})", word, app.name)
                         : fmt::format("App virtual host support {}", word));
  return 0;
}
Result<int> enable(Session& session, const Arguments& args) {
  return enable(session, args, true);
}
Result<int> disable(Session& session, const Arguments& args) {
  return enable(session, args, false);
}

/// Default names follow the global domains: every app that answers by its default name gets new routes.
Result<int> reroute_defaults(Session& session) {
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY_ASSIGN(const auto apps, store->apps().list());
  std::vector<std::string> operation{"reroute"};
  for (const App& app : apps) {
    if (!app.deployed) continue;
    DAVIT_TRY_ASSIGN(const auto own, store->domains().list(app.id));
    if (own.empty()) operation.push_back(app.name);
  }
  if (operation.size() == 1) return 0;
  const auto code = session.work(operation);
  if (code && *code != 0) {
    session.out().warning(fmt::format(
        "The change is kept. For an app that it failed for, when the reason is mended: {} ps:restart APP",
        session.where().program));
  }
  return code;
}

Result<int> change_global(Session& session, const Arguments& args, Verb verb) {
  DAVIT_TRY_ASSIGN(const auto domains, checked(args));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY(store->transaction([&]() -> Result<> {
    Domains& table = store->domains();
    if (verb == Verb::kRemove) return table.remove(AppId::kGlobal, domains);
    DAVIT_TRY(verb == Verb::kAdd ? table.add(AppId::kGlobal, domains)
                                 : table.assign(AppId::kGlobal, domains));
    return refuse_taken(*store, domains);
  }));
  const std::string_view word = verb == Verb::kAdd ? "Added" : verb == Verb::kRemove ? "Removed" : "Set";
  for (const std::string& domain : domains) session.out().step(fmt::format("{} {}", word, domain));
  return reroute_defaults(session);
}

Result<int> add_global(Session& session, const Arguments& args) {
  return change_global(session, args, Verb::kAdd);
}
Result<int> remove_global(Session& session, const Arguments& args) {
  return change_global(session, args, Verb::kRemove);
}
Result<int> set_global(Session& session, const Arguments& args) {
  return change_global(session, args, Verb::kSet);
}

Result<int> clear_global(Session& session, const Arguments&) {
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  session.quiet_step("Clearing global domains");
  DAVIT_TRY(store->domains().clear(AppId::kGlobal));
  return reroute_defaults(session);
}

constexpr std::string_view kNames = "<app> <domain> [<domain> ...]";
constexpr std::string_view kGlobalNames = "<domain> [<domain> ...]";

constexpr CliCommand on_app(std::string_view name, std::string_view usage, std::string_view summary,
                            std::size_t most) {
  return {
      .name = name, .usage = usage, .summary = summary, .app = AppArgument::kExisting, .maximum_args = most};
}
constexpr CliCommand on_all(std::string_view name, std::string_view usage, std::string_view summary,
                            std::size_t most) {
  return {.name = name, .usage = usage, .summary = summary, .maximum_args = most};
}

}  // namespace

std::span<const CoreCommand> domain_commands() {
  static constexpr CoreCommand kCommands[] = {
      {on_app("domains:add", kNames, "Give an app further host names", kAnyCount), add},
      {on_all("domains:add-global", kGlobalNames, "Add domains under which every app has a name", kAnyCount),
       add_global},
      {on_app("domains:clear", "<app>", "Take an app's own host names away; its default name is left", 0),
       clear},
      {on_all("domains:clear-global", "", "Remove all global domains", 0), clear_global},
      {on_app("domains:disable", "<app>", "Take all host names from an app", 0), disable},
      {on_app("domains:enable", "<app>", "Let an app have host names again", 0), enable},
      {on_app("domains:remove", kNames, "Remove host names from an app", kAnyCount), remove},
      {on_all("domains:remove-global", kGlobalNames, "Remove global domains", kAnyCount), remove_global},
      core_report_command("domains:report"),
      {on_app("domains:reset", "<app>", "Give an app its default name alone", 0), clear},
      {on_app("domains:set", kNames, "Give an app just these host names", kAnyCount), set},
      {on_all("domains:set-global", kGlobalNames, "Have just these global domains", kAnyCount), set_global},
  };
  return kCommands;
}

}  // namespace davit
