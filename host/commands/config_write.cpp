// Changes of config: see the header.
#include "commands/config_write.hpp"

#include <fmt/format.h>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "cli/json.hpp"
#include "commands/change.hpp"
#include "commands/config_formats.hpp"
#include "lifecycle/link_variables.hpp"
#include "lifecycle/release_extras.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxImportBytes = 16 * 1024 * 1024;

struct ConfigChange {
  ConfigMap set;
  std::vector<std::string> unset;
  bool replace = false;     ///< `set` is all there is afterwards
  std::string description;  ///< of the release: "Set FOO, BAR config vars"
};

/// What the gate config.change and the notice config.changed are told. Values are in it: it goes through a
/// file.
std::string payload_of(const App& app, bool global_scope, const ConfigChange& change, bool with_values) {
  JsonObject values;
  for (const auto& [key, value] : change.set) values.text(key, with_values ? value.reveal() : "");
  return JsonObject()
      .text("app", app.name)
      .boolean("global", global_scope)
      .raw("set", values.str())
      .raw("unset", json_texts(change.unset))
      .str();
}

/// What a link gives cannot be set beside it: one of the two would be silently without effect.
Result<> refuse_linked(Store& store, const App& app, const ConfigMap& values) {
  DAVIT_TRY_ASSIGN(const auto links, store.services().links_of_app(app.id));
  for (const ServiceLink& link : links) {
    DAVIT_TRY_ASSIGN(const Service service, store.services().get(link.service));
    for (const auto& [key, value] : variables_of_link(link, service)) {
      if (!values.contains(key)) continue;
      return fail(
          Code::kConflict, fmt::format("{} comes from the link to {} {}", key, link.kind, link.service_name),
          fmt::format("Unlink it first: davit {}:unlink {} {}", link.kind, link.service_name, app.name),
          "linked-variable");
    }
  }
  return {};
}

Result<> write(Store& store, AppId scope, const ConfigChange& change) {
  if (change.replace) return store.config().replace(scope, change.set);
  if (!change.set.empty()) DAVIT_TRY(store.config().set_many(scope, change.set));
  if (!change.unset.empty()) DAVIT_TRY(store.config().unset_many(scope, change.unset));
  return {};
}

/// --no-restart: the next start takes this release, which is the newest one's artifact with the config of
/// now.
Result<> leave_pending(Store& store, const App& app, const ConfigChange& change, const std::string& actor) {
  DAVIT_TRY_ASSIGN(auto newest, store.releases().newest_usable(app.id));
  if (!newest) return {};
  ReleaseSpec spec = std::move(newest->spec);
  DAVIT_TRY_ASSIGN(spec.config, config_over_defaults(store, app.id, spec));
  spec.description = change.description;
  spec.actor = actor;
  DAVIT_TRY(store.releases().create(app.id, spec));
  return {};
}

std::string command_of(const ConfigChange& change) {
  return change.unset.empty() ? "config:set" : "config:unset";
}

Result<int> apply_to_app(Session& session, const Arguments& args, const App& app,
                         const ConfigChange& change) {
  // Under the lock: a link may have come since the command began.
  const auto write_own = [&](Store& store) -> Result<> {
    DAVIT_TRY(refuse_linked(store, app, change.set));
    return write(store, app.id, change);
  };
  if (app.deployed && !args.has("no-restart")) {
    session.quiet_step(fmt::format("Restarting app {}", app.name));
    const std::string request = JsonObject().text("description", change.description).str();
    auto code =
        change_app(session, app, {command_of(change), "config", request, args.has("no-wait")}, write_own);
    if (code && *code != 0) {
      session.out().warning(fmt::format(
          "The change of {}'s config is kept, and comes with its next release; what runs has the config "
          "that it had",
          app.name));
    }
    return code;
  }
  const std::string actor = session.acting().actor;
  // Under the lock: the newest release may be one of a deployment that is under way, and that will fail.
  std::optional<FileLock> lock;
  if (app.deployed) {
    DAVIT_TRY_ASSIGN(lock, session.deployer().lock(app.name, command_of(change), args.has("no-wait"), true,
                                                   session.acting()));
  }
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY(store->transaction([&]() -> Result<> {
    DAVIT_TRY(write_own(*store));
    return app.deployed ? leave_pending(*store, app, change, actor) : Result<>{};
  }));
  return 0;
}

Result<int> apply(Session& session, const Arguments& args, const ConfigChange& change) {
  App app;
  if (!args.global_scope) {
    DAVIT_TRY_ASSIGN(app, session.app(args));
  }
  DAVIT_TRY(session.publish_secret("config.change", payload_of(app, args.global_scope, change, true)));
  int code = 0;
  if (args.global_scope) {
    DAVIT_TRY_ASSIGN(Store * store, session.writing());
    DAVIT_TRY(store->transaction([&] { return write(*store, AppId::kGlobal, change); }));
  } else {
    DAVIT_TRY_ASSIGN(code, apply_to_app(session, args, app, change));
  }
  // A notice: what it does can change nothing any more.
  if (auto told = session.publish("config.changed", payload_of(app, args.global_scope, change, false));
      !told) {
    session.out().warning(told.error().text());
  }
  return code;
}

std::string keys_text(const ConfigMap& values) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : values) keys.push_back(key);
  constexpr std::size_t kShown = 5;
  if (keys.size() > kShown) {
    const std::size_t more = keys.size() - kShown;
    keys.resize(kShown);
    return fmt::format("{} and {} more", join(keys, ", "), more);
  }
  return join(keys, ", ");
}

/// The same value, as from config:export, is the link's already.
Result<> leave_linked(Session& session, const Arguments& args, ConfigMap& values) {
  if (args.global_scope) return {};
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const TextMap linked, link_variables(*store, app.id));
  std::erase_if(values, [&](const auto& given) {
    const auto link = linked.find(given.first);
    return link != linked.end() && link->second == given.second.reveal();
  });
  return refuse_linked(*store, app, values);
}

/// What its live release still has, although it is unset: a deployment failed, or it waits for the next one.
Result<ConfigMap> outlived(Store& store, const App& app) {
  if (!app.deployed) return ConfigMap{};
  DAVIT_TRY_ASSIGN(const auto live, store.releases().current(app.id));
  if (!live) return ConfigMap{};
  DAVIT_TRY_ASSIGN(const ConfigMap now, config_over_defaults(store, app.id, live->spec));
  ConfigMap config = live->spec.config;
  std::erase_if(config, [&](const auto& variable) { return now.contains(variable.first); });
  return config;
}

/// Those of the keys that the app has; of the others it is said why they are not to be unset. `app`: without
/// an id for those of all apps.
Result<std::vector<std::string>> unsettable(Session& session, const App& app,
                                            const std::vector<std::string>& keys) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const ConfigMap own, store->config().all(app.id));
  DAVIT_TRY_ASSIGN(const ConfigMap global, store->config().all(AppId::kGlobal));
  DAVIT_TRY_ASSIGN(const ConfigMap old, outlived(*store, app));
  std::vector<std::string> found;
  for (const std::string& key : keys) {
    if (!own.contains(key)) DAVIT_TRY(refuse_linked(*store, app, {{key, Secret()}}));
    if (own.contains(key) || old.contains(key)) {
      found.push_back(key);
    } else if (app.id == AppId::kGlobal) {
      session.out().step(fmt::format("Skipping {}, it is not set globally", key));
    } else {
      session.out().step(fmt::format("Skipping {}, it is not set for {}", key, app.name));
      if (!global.contains(key)) continue;
      session.out().warning(fmt::format("It is set for all apps: davit config:unset --global {}", key));
    }
  }
  return found;
}

Result<int> set_values(Session& session, const Arguments& args, ConfigMap values, bool replace) {
  DAVIT_TRY(leave_linked(session, args, values));
  session.quiet_step("Setting config vars");
  if (!session.context.quiet) {
    for (const auto& [key, value] : values) session.out().detail(key + "\n");  // a value may be a secret
  }
  ConfigChange change;
  change.description = fmt::format("Set {} config vars", keys_text(values));
  change.set = std::move(values);
  change.replace = replace;
  return apply(session, args, change);
}

}  // namespace

Result<int> config_set(Session& session, const Arguments& args) {
  if (!args.global_scope) DAVIT_TRY(session.app(args));
  if (args.args.empty()) return fail(Code::kInvalid, "At least one env pair must be given");
  ConfigMap values;
  for (std::size_t i = 0; i < args.args.size(); ++i) {
    const std::string& pair = args.args[i];
    const auto equals = pair.find('=');
    if (equals == std::string::npos) {  // the word itself is not shown: it may be a value with a blank in it
      return fail(Code::kInvalid, fmt::format("Invalid env pair: argument {} has no =", i + 1),
                  "Give KEY=VALUE");
    }
    const std::string key = pair.substr(0, equals);
    DAVIT_TRY(check_config_key(key));
    std::string value = pair.substr(equals + 1);
    if (args.has("encoded") && !base64_decode(pair.substr(equals + 1), value)) {
      return fail(Code::kInvalid, fmt::format("The value of {} is not base64", key));
    }
    values[key] = Secret(std::move(value));
  }
  return set_values(session, args, std::move(values), false);
}

Result<int> config_unset(Session& session, const Arguments& args) {
  App app;
  if (!args.global_scope) {
    DAVIT_TRY_ASSIGN(app, session.app(args));
  }
  if (args.args.empty()) return fail(Code::kInvalid, "At least one key must be given");
  for (const std::string& key : args.args) DAVIT_TRY(check_config_key(key));
  ConfigChange change;
  DAVIT_TRY_ASSIGN(change.unset, unsettable(session, app, args.args));
  if (change.unset.empty()) return 0;
  for (const std::string& key : change.unset) session.quiet_step(fmt::format("Unsetting {}", key));
  change.description = fmt::format("Unset {} config vars", join(change.unset, ", "));
  return apply(session, args, change);
}

Result<int> config_clear(Session& session, const Arguments& args) {
  App app;
  if (!args.global_scope) {
    DAVIT_TRY_ASSIGN(app, session.app(args));
  }
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const ConfigMap values, store->config().all(app.id));
  ConfigChange change;
  for (const auto& [key, value] : values) {
    session.quiet_step(fmt::format("Unsetting {}", key));
    change.unset.push_back(key);
  }
  if (change.unset.empty()) return 0;
  change.description = "Clear config vars";
  return apply(session, args, change);
}

Result<int> config_import(Session& session, const Arguments& args) {
  if (!args.global_scope) DAVIT_TRY(session.app(args));
  DAVIT_TRY(check_import_format(args.value("format").value_or("auto")));  // before anything is read
  const std::string source = args.args.empty() ? "-" : args.args.front();
  std::string text;
  if (source == "-") {
    session.quiet_step("Reading config vars from stdin");
    DAVIT_TRY_ASSIGN(text, session.parts().read_input(kMaxImportBytes));
  } else if (session.where().over_ssh) {
    return fail(Code::kDenied, "Over ssh config is read from stdin only",
                "Pipe the file: config:import APP - < FILE");
  } else {
    DAVIT_TRY_ASSIGN(text, read_named_file(source, kMaxImportBytes));
  }
  DAVIT_TRY_ASSIGN(ConfigMap values, parse_config(text, args.value("format").value_or("auto")));
  for (const auto& [key, value] : values) DAVIT_TRY(check_config_key(key));
  if (values.empty() && !args.has("replace")) return fail(Code::kInvalid, "No config vars to set");
  return set_values(session, args, std::move(values), args.has("replace"));
}

}  // namespace davit
