// GROUP:set and GROUP:report: see the header.
#include "commands/property_commands.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/defaults.hpp"
#include "base/text.hpp"
#include "cli/json.hpp"
#include "commands/change.hpp"
#include "git/source_rules.hpp"
#include "lifecycle/retention.hpp"

namespace davit {
namespace {

Result<> check_replacement(std::string_view value) {
  if (value == "start-first" || value == "stop-first") return {};
  return fail(Code::kInvalid, fmt::format("{} is no order of replacement", json_quote(value)),
              "Use start-first, or stop-first for an app that must not run twice");
}

Result<> check_script_limit(std::string_view value) {
  DAVIT_TRY(check_seconds(value));
  if (value.find_first_not_of('0') != std::string_view::npos) return {};
  return fail(Code::kInvalid, "a script needs some time", "Give it at least 1");
}

// The keys that the lifecycle and host/git read; a property that nothing reads is not offered.
std::vector<CliProperty> check_settings() {
  return {{"start-timeout", std::to_string(defaults::kStartTimeoutS), true, true, check_seconds,
           "seconds in which an instance must be healthy"},
          {"wait-to-retire", std::to_string(defaults::kWaitToRetireS), true, true, check_seconds,
           "seconds that old instances have at most to finish their requests"}};
}

std::vector<CliProperty> git_settings() {
  return {
      {"deploy-branch", "", true, true, check_branch, "branch that is deployed; not set: main, master"},
      {"max-blob-bytes", std::to_string(defaults::kMaxBlobBytes), true, true, check_bytes, "largest file"},
      {"max-files", std::to_string(defaults::kMaxFiles), true, true, check_count, "most files of one commit"},
      {std::string(kMaxPushBytesKey), std::to_string(defaults::kMaxPushBytes), true, true, check_bytes,
       "most that one push sends, history included"},
      {"max-tree-bytes", std::to_string(defaults::kMaxTreeBytes), true, true, check_bytes,
       "all files of one commit"}};
}

std::vector<CliProperty> retention_settings() {
  const RetentionRules rules;
  return {
      {"cache-days", std::to_string(rules.cache_days), true, true, check_count,
       "days that an unused build cache is kept"},
      {"cache-mib", std::to_string(rules.cache_mib), true, true, check_count,
       "a larger build cache goes; 0: no limit"},
      {"deployments", std::to_string(rules.deployments), true, true, check_count,
       "how many deployments keep their log"},
      {"log-days", std::to_string(rules.log_days), true, true, check_count,
       "days that logs of ended instances are kept"},
      {"releases", std::to_string(rules.releases), true, true, check_count, "how many releases are kept"}};
}

std::vector<CliProperty> process_settings() {
  return {
      {"builder", "", true, true, {}, "plugin that builds; not set: the one that fits the source best"},
      {"max-parallel", "0", true, true, check_count, "new instances of a type that start at once; 0: all"},
      {"replacement", "start-first", true, true, check_replacement,
       "or stop-first: never two releases at once"},
      {"restart-policy", "on-failure:10", true, true, check_restart_policy,
       "always, no, unless-stopped, on-failure, on-failure:N"},
      {"runtime", "", true, true, {}, "plugin that runs the app; not set: the home's"},
      {"script-timeout-seconds", std::to_string(defaults::kScriptTimeoutS), true, true, check_script_limit,
       "longest time of each script of app.json"},
      {"stack", "", true, true, {}, "STACK that buildpacks see; not set: that of buildpacks:set-property"},
      {"stop-timeout-seconds", std::to_string(defaults::kStopTimeoutS), true, true, check_seconds,
       "from the stop signal to the kill"}};
}

Result<> emit(Session& session, const Report& report, const Arguments& args, bool several) {
  if (!args.report_key.empty()) {
    DAVIT_TRY_ASSIGN(const std::string value, report.value(args.report_key));
    session.out().result(value + "\n");
  } else if (args.json()) {
    session.out().result(report.json() + (several ? "" : "\n"));
  } else {
    session.out().header(report.header());
    session.out().result(report.text());
  }
  return {};
}

}  // namespace

PropertyGroup core_properties(std::string_view group) {
  if (group == "apps")
    return {"apps",
            "app",
            {{"disable-autocreation", "false", true, false, check_boolean,
              "true: a first push over ssh makes no app"}}};
  if (group == "app-json") {
    return {"app-json",
            "app-json",
            {{"appjson-path", "app.json", true, true, check_relative_path, "where it is in the source"}}};
  }
  if (group == "checks") return {"checks", "checks", check_settings()};
  if (group == "git") return {"git", "git", git_settings()};
  if (group == "ps") return {"ps", "ps", process_settings()};
  if (group == "retention") return {"retention", "retention", retention_settings()};
  return {std::string(group), std::string(group), {}};
}

Result<int> set_property(Session& session, const Arguments& args, const PropertyGroup& group) {
  App app;
  if (!args.global_scope) {
    DAVIT_TRY_ASSIGN(app, session.app(args));
  }
  const std::string key = args.args.empty() ? "" : args.args[0];
  const std::string value = args.args.size() > 1 ? args.args[1] : "";
  DAVIT_TRY(check_property(group, args.global_scope, key, value));
  // Plugins may refuse what they will have to live with. Through a file: a value may be a secret.
  const auto payload = [&](const std::string& shown) {
    return JsonObject()
        .text("app", app.name)
        .text("group", group.name)
        .text("key", key)
        .boolean("is_set", !value.empty())
        .text("value", shown)
        .str();
  };
  DAVIT_TRY(session.publish_secret("property.change", payload(value)));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  if (value.empty()) {
    session.out().header(fmt::format("Unsetting {}", key));
    DAVIT_TRY(store->properties().unset(app.id, group.name, key));
  } else {
    session.out().header(fmt::format("Setting {} to {}", key, value));
    DAVIT_TRY(store->properties().set(app.id, group.name, key, value));
  }
  DAVIT_TRY(session.publish("property.changed", payload("")));
  return 0;
}

namespace {

/// `kind`: "runtime" or "builder".
Result<> check_provider(Session& session, std::string_view kind, std::string_view id) {
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  std::vector<std::string> known;
  for (const CatalogEntry* entry : catalog->providers(fmt::format("davit.{}/1", kind)))
    known.push_back(entry->id);
  if (std::ranges::find(known, id) != known.end()) return {};
  return fail(Code::kInvalid, fmt::format("{} is no {} that is enabled", json_quote(id), kind),
              fmt::format("There are: {}; others: davit plugin:enable ID", join(known, ", ")));
}

}  // namespace

Result<> tell_of_other_runtime(Session& session, const Arguments& args, std::string_view group) {
  if (args.global_scope) return {};
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  const auto properties = catalog->properties();
  const auto declared = std::ranges::find(properties, group, [](auto& ref) { return ref.spec->group; });
  if (declared == properties.end() || !declared->plugin->note.provides_interface("davit.runtime/1"))
    return {};
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto chosen, store->properties().effective(app.id, "ps", "runtime"));
  const std::string runtime = chosen.value_or(catalog->default_runtime());
  if (runtime != declared->plugin->id)
    session.out().warning(fmt::format("{} is of the runtime {} and means nothing on {}, where {} runs", group,
                                      declared->plugin->id, runtime, app.name));
  return {};
}

Result<int> set_core_property(Session& session, const Arguments& args) {
  const std::string key = args.group == "ps" && !args.args.empty() ? args.args[0] : "";
  const bool moves = key == "runtime";
  if ((moves || key == "builder") && args.args.size() > 1 && !args.args[1].empty())
    DAVIT_TRY(check_provider(session, key, args.args[1]));
  DAVIT_TRY_ASSIGN(const int code, set_property(session, args, core_properties(args.group)));
  if (moves && code == 0)
    session.out().detail(
        "Apps that run move with their next deploy or ps:restart, without a dropped request\n");
  return code;
}

Result<Report> make_report(Session& session, const PropertyGroup& group, const App& app,
                           const MoreRows& more) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  Report report(group.type, app.name);
  DAVIT_TRY(report_properties(report, group, store->properties(), app.id));
  if (more) DAVIT_TRY(more(report, app));
  return report;
}

static Result<> check_one_form(const Arguments& args) {
  if (args.report_key.empty() || !args.has("format")) return {};
  return fail(Code::kInvalid, "--format flag cannot be specified when specifying an info flag");
}

Result<int> show_single_report(Session& session, const Arguments& args, const Report& report) {
  DAVIT_TRY(check_one_form(args));
  DAVIT_TRY(emit(session, report, args, false));
  return 0;
}

/// As JSON: an object with each app's name as a key.
static Result<int> show_reports_of_all(Session& session, const Arguments& args, const PropertyGroup& group,
                                       const MoreRows& more) {
  DAVIT_TRY(check_one_form(args));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto apps, store->apps().list());
  if (apps.empty() && !args.json()) session.out().warning("You haven't deployed any applications yet");
  std::string between = "{";
  for (const App& app : apps) {
    DAVIT_TRY_ASSIGN(const Report report, make_report(session, group, app, more));
    if (args.json()) session.out().result(between + "\"" + app.name + "\":");
    DAVIT_TRY(emit(session, report, args, true));
    between = ",";
  }
  if (args.json()) session.out().result(apps.empty() ? "{}\n" : "}\n");
  return 0;
}

Result<int> show_report(Session& session, const Arguments& args, const PropertyGroup& group,
                        const MoreRows& more) {
  if (args.global_scope) {
    App everything;
    everything.name = "Global";
    DAVIT_TRY_ASSIGN(const Report report, make_report(session, group, everything, more));
    return show_single_report(session, args, report);
  }
  if (!args.app.empty()) {
    DAVIT_TRY_ASSIGN(const App app, session.app(args));
    DAVIT_TRY_ASSIGN(const Report report, make_report(session, group, app, more));
    return show_single_report(session, args, report);
  }
  return show_reports_of_all(session, args, group, more);
}

}  // namespace davit
