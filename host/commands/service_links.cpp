// link, unlink, promote: records of which app uses which service under which name, and a rolling deploy of
// the app that takes them up. The URL itself is composed at each launch (lifecycle/link_variables.hpp).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "cli/json.hpp"
#include "commands/change.hpp"
#include "commands/services.hpp"
#include "lifecycle/link_change.hpp"
#include "lifecycle/link_variables.hpp"

namespace davit {
namespace {

constexpr std::array kColors{"AQUA", "BLACK", "BLUE",   "FUCHSIA", "GRAY",   "GREEN", "LIME",  "MAROON",
                             "NAVY", "OLIVE", "PURPLE", "RED",     "SILVER", "TEAL",  "WHITE", "YELLOW"};

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '-' || c == '.') c = '_';
  }
  return text;
}

/// The names that the app's links and its config have.
class Names {
 public:
  static Result<Names> of(Store& store, AppId app) {
    Names names;
    DAVIT_TRY_ASSIGN(names.own_, store.config().all(app));
    DAVIT_TRY_ASSIGN(names.config_, store.config().merged(app));
    DAVIT_TRY_ASSIGN(names.links_, store.services().links_of_app(app));
    return names;
  }
  [[nodiscard]] const std::vector<ServiceLink>& links() const { return links_; }
  [[nodiscard]] const ServiceLink* link_to(ServiceId service) const {
    for (const ServiceLink& link : links_) {
      if (link.service == service) return &link;
    }
    return nullptr;
  }
  [[nodiscard]] const ServiceLink* link_as(std::string_view alias) const {
    for (const ServiceLink& link : links_) {
      if (link.alias == alias) return &link;
    }
    return nullptr;
  }
  [[nodiscard]] bool taken(const std::string& alias) const {
    return link_as(alias) != nullptr || config_.contains(variable_of(alias));
  }
  /// To be changed.
  [[nodiscard]] LinkChange change() const {
    return {std::vector<NewLink>(links_.begin(), links_.end()), {}, {}};
  }
  /// Set for the app itself, not for all apps.
  [[nodiscard]] const ConfigMap& own() const { return own_; }

  /// DAVIT_POSTGRES_AQUA and so on.
  [[nodiscard]] Result<std::string> free_color(std::string_view program, const std::string& kind) const {
    for (const char* color : kColors) {
      std::string alias = fmt::format("{}_{}_{}", upper(std::string(program)), upper(kind), color);
      if (!taken(alias)) return alias;
    }
    return fail(Code::kConflict, fmt::format("All names for links to {} are taken", kind), "Give --alias",
                "alias-taken");
  }

 private:
  ConfigMap own_;
  ConfigMap config_;
  std::vector<ServiceLink> links_;
};

struct Both {
  Service service;
  App app;
};

Result<Both> both_of(const ServiceCall& call) {
  Both both;
  DAVIT_TRY_ASSIGN(both.service, call.service());
  DAVIT_TRY_ASSIGN(Store * store, call.session.reading());
  DAVIT_TRY_ASSIGN(both.app, store->apps().get(call.args.args[1]));
  call.session.context.app = both.app.name;
  return both;
}

/// Launches the app anew with its links as `plan` makes them, under its lock; the deployment writes them down
/// together with what runs, as it does the quantities of ps:scale: a service that running instances use is
/// not there to be destroyed. Where the user does not want that, it only writes.
Result<int> apply(const ServiceCall& call, const App& app, std::string_view verb,
                  const std::string& description, const std::function<Result<LinkChange>(Store&)>& plan) {
  const bool no_wait = call.args.has("no-wait");
  if (app.deployed && !call.args.has("no-restart")) {
    call.session.quiet_step(fmt::format("Restarting app {}", app.name));
    AppChange change{call.command(verb), "config", "", no_wait};
    const auto code = change_app(call.session, app, change, [&](Store& store) -> Result<> {
      DAVIT_TRY_ASSIGN(const LinkChange links, plan(store));
      change.request = JsonObject().text("description", description).raw("links", to_json(links)).str();
      return {};
    });
    if (code && *code != 0) {
      call.session.out().warning(
          fmt::format("The links of {} are as they were, and so is what runs: repeat the command when the "
                      "reason is mended",
                      app.name));
    }
    return code;
  }
  std::optional<FileLock> lock;  // a deployment that is under way may be about to write the links down
  if (app.deployed) {
    DAVIT_TRY_ASSIGN(lock, call.session.deployer().lock(app.name, call.command(verb), no_wait, true,
                                                        call.session.acting()));
  }
  DAVIT_TRY_ASSIGN(Store * store, call.session.writing());
  DAVIT_TRY(store->transaction([&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const LinkChange links, plan(*store));
    return record_links(*store, app.id, links);
  }));
  return 0;
}

/// For what a link that was made with --no-restart waits for.
std::string restart_hint(const ServiceCall& call, const App& app) {
  return fmt::format("What runs gets it with: {} ps:restart {}", call.session.where().program, app.name);
}

tl::unexpected<Error> not_linked(const App& app, std::string hint) {
  return fail(Code::kNotFound, fmt::format("Not linked to app {}", app.name), std::move(hint), "not-linked");
}

/// Of a service that the app has.
std::string& alias_in(LinkChange& change, ServiceId service) {
  return std::ranges::find(change.links, service, &NewLink::service)->alias;
}

Result<bool> wants_host_style(const Arguments& args) {
  const std::string_view style = args.value("env-style").value_or("url");
  if (style == "url" || style == "host") return style == "host";
  return fail(Code::kInvalid, fmt::format("There is no env style {}", style), "Give --env-style url or host");
}

/// Chosen under the app's lock: two links at once get two names.
Result<std::string> choose_alias(const ServiceCall& call, const Names& names, const Service& service) {
  const auto given = call.args.value("alias");
  if (!given) {
    if (!names.taken(service.alias)) return service.alias;
    return names.free_color(call.session.where().program, service.kind);
  }
  const std::string alias(*given);
  DAVIT_TRY(check_config_key(variable_of(alias)));
  if (!names.taken(alias)) return alias;
  return fail(Code::kConflict, fmt::format("Specified alias {} already in use", alias), "Give another one",
              "alias-taken");
}

/// As config:set, which refuses a linked name: one of the two would be silently without effect.
Result<> check_not_set(const ServiceCall& call, const Names& names, const NewLink& link, const Both& both) {
  for (const auto& [key, value] : variables_of_link(link, both.service)) {
    if (!names.own().contains(key)) continue;
    return fail(Code::kConflict, fmt::format("{} is set for {}", key, both.app.name),
                fmt::format("Unset it first: {} config:unset {} {}", call.session.where().program,
                            both.app.name, key),
                "alias-taken");
  }
  return {};
}

}  // namespace

Result<int> service_link(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Both both, both_of(call));
  NewLink link;
  link.app = both.app.id;
  link.service = both.service.id;
  link.querystring = std::string(call.args.value("querystring").value_or(""));
  if (!is_valid_utf8(link.querystring))
    return fail(Code::kInvalid, "The querystring is no UTF-8 text", "Write other bytes as %XX");
  DAVIT_TRY_ASSIGN(link.host_style, wants_host_style(call.args));
  return apply(
      call, both.app, "link", fmt::format("Link {} {}", call.kind, both.service.name),
      [&](Store& store) -> Result<LinkChange> {
        DAVIT_TRY_ASSIGN(const Names names, Names::of(store, both.app.id));
        if (const ServiceLink* present = names.link_to(both.service.id)) {
          return fail(Code::kConflict, fmt::format("Already linked as {}", variable_of(present->alias)),
                      restart_hint(call, both.app), "already-linked");
        }
        for (const ServiceLink& other : names.links()) {
          if (!link.host_style || !other.host_style) continue;
          return fail(Code::kConflict,
                      fmt::format("DB_HOST is given by the link to {} {}", other.kind, other.service_name),
                      "One link of an app can have --env-style host", "alias-taken");
        }
        DAVIT_TRY_ASSIGN(link.alias, choose_alias(call, names, both.service));
        DAVIT_TRY(check_not_set(call, names, link, both));
        call.session.quiet_step("Setting config vars");
        if (!call.session.context.quiet) call.session.out().detail(variable_of(link.alias) + "\n");
        LinkChange change = names.change();
        change.links.push_back(link);
        return change;
      });
}

Result<int> service_unlink(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Both both, both_of(call));
  return apply(
      call, both.app, "unlink", fmt::format("Unlink {} {}", call.kind, both.service.name),
      [&](Store& store) -> Result<LinkChange> {
        DAVIT_TRY_ASSIGN(const Names names, Names::of(store, both.app.id));
        const ServiceLink* link = names.link_to(both.service.id);
        if (link == nullptr) {
          return not_linked(both.app, fmt::format("See: {} {}:links {}", call.session.where().program,
                                                  call.kind, both.service.name));
        }
        call.session.quiet_step(fmt::format("Unsetting {}", variable_of(link->alias)));
        LinkChange change = names.change();
        std::erase_if(change.links, [&](const NewLink& one) { return one.service == link->service; });
        return change;
      });
}

Result<int> service_promote(const ServiceCall& call) {
  DAVIT_TRY_ASSIGN(const Both both, both_of(call));
  const std::string& wanted = both.service.alias;
  return apply(call, both.app, "promote", fmt::format("Promote {} {}", call.kind, both.service.name),
               [&](Store& store) -> Result<LinkChange> {
                 DAVIT_TRY_ASSIGN(const Names names, Names::of(store, both.app.id));
                 const ServiceLink* link = names.link_to(both.service.id);
                 if (link == nullptr) {
                   return not_linked(
                       both.app, fmt::format("Link it first: {} {}:link {} {}", call.session.where().program,
                                             call.kind, both.service.name, both.app.name));
                 }
                 if (link->alias == wanted)
                   return fail(Code::kConflict, fmt::format("already promoted as {}", variable_of(wanted)),
                               restart_hint(call, both.app), "already-promoted");
                 LinkChange change = names.change();
                 const std::string variable = variable_of(wanted);
                 const ServiceLink* holder = names.link_as(wanted);
                 if (holder != nullptr || names.own().contains(variable)) {
                   DAVIT_TRY_ASSIGN(
                       const std::string other,
                       names.free_color(call.session.where().program, holder ? holder->kind : call.kind));
                   if (holder != nullptr) {
                     alias_in(change, holder->service) = other;
                   } else {  // set by hand
                     change.moved_from = variable;
                     change.moved_to = variable_of(other);
                   }
                   if (!call.session.context.quiet) call.session.out().detail(variable_of(other) + "\n");
                 }
                 alias_in(change, both.service.id) = wanted;
                 return change;
               });
}

}  // namespace davit
