// The rows of reports: see the header.
#include "commands/reports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "commands/git_import.hpp"
#include "commands/instances.hpp"
#include "commands/resources.hpp"
#include "commands/storage_rows.hpp"
#include "lifecycle/checks.hpp"
#include "lifecycle/health_state.hpp"
#include "lifecycle/release_extras.hpp"
#include "lifecycle/routes.hpp"

namespace davit {
namespace {

std::string boolean(bool value) {
  return value ? "true" : "false";
}

std::string health_text(const InstanceHealth& health) {
  std::string text = health.restarting ? "restarting" : health.ready ? "ready" : "not ready";
  text += " since " + iso8601_utc(health.since_ms);
  if (health.restarts > 0) text += fmt::format(", started again {} times", health.restarts);
  if (!health.ready || health.restarts > 0) text += ": " + health.problem;
  return text;
}

// Only instances of which the watch had something to say have a row: the others are well.
Result<> report_health(Report& report, Store& store, const App& app) {
  DAVIT_TRY_ASSIGN(const auto release, store.releases().current(app.id));
  DAVIT_TRY_ASSIGN(const auto groups, store.live_groups().live(app.id));
  const bool watched =
      release && !groups.empty() && has_watched_checks(checks_from_json(release->spec.checks_json));
  report.add("checks-watched", boolean(watched));
  if (groups.empty()) return {};
  for (const auto& [name, health] : read_health(store, app.id, groups.front().revision).instances) {
    std::string row = name;
    std::ranges::replace(row, '.', '-');
    report.add("checks-health-" + row, health_text(health));
  }
  return {};
}

MoreRows app_rows(Session& session) {
  return [&session](Report& report, const App& app) -> Result<> {
    if (app.id == AppId::kGlobal) return {};
    DAVIT_TRY_ASSIGN(Store * store, session.reading());
    DAVIT_TRY_ASSIGN(const auto release, store->releases().current(app.id));
    report.add("app-created-at", iso8601_utc(app.created_at_ms));
    report.add("app-deploy-source", release ? release->spec.source : "");
    report.add("app-deploy-source-metadata", release ? release->spec.revision : "");
    report.add("app-dir", session.home().repo(app.name).string());
    report.add("app-locked", boolean(app.locked_at_ms.has_value()));
    return {};
  };
}

MoreRows check_rows(Session& session) {
  return [&session](Report& report, const App& app) -> Result<> {
    if (app.id == AppId::kGlobal) return {};
    DAVIT_TRY_ASSIGN(Store * store, session.reading());
    DAVIT_TRY_ASSIGN(const auto disabled, store->properties().get(app.id, "checks", "disabled"));
    report.add("checks-disabled-list", disabled.value_or("none"));
    DAVIT_TRY_ASSIGN(const auto skipped, store->properties().get(app.id, "checks", "skipped"));
    report.add("checks-skipped-list", skipped.value_or("none"));
    return report_health(report, *store, app);
  };
}

MoreRows domain_rows(Session& session) {
  return [&session](Report& report, const App& app) -> Result<> {
    DAVIT_TRY_ASSIGN(Store * store, session.reading());
    DAVIT_TRY_ASSIGN(const auto global, store->domains().list(AppId::kGlobal));
    report.add("domains-global-enabled", boolean(!global.empty()));
    report.add("domains-global-vhosts", join(global, " "));
    if (app.id == AppId::kGlobal) return {};
    DAVIT_TRY_ASSIGN(const bool enabled, store->domains().enabled(app.id));
    DAVIT_TRY_ASSIGN(const auto hosts, hosts_of(*store, app));
    report.add("domains-app-enabled", boolean(enabled));
    report.add("domains-app-vhosts", join(hosts, " "));
    return {};
  };
}

MoreRows git_rows(Session& session) {
  return [&session](Report& report, const App& app) -> Result<> {
    if (app.id == AppId::kGlobal) return {};
    DAVIT_TRY_ASSIGN(Store * store, session.reading());
    DAVIT_TRY_ASSIGN(const auto release, store->releases().current(app.id));
    report.add("git-sha", release ? release->spec.revision : "");
    const std::string source = release ? release->spec.source : "";
    report.add("git-source-image", source.starts_with(kFromImage) ? source.substr(kFromImage.size()) : "");
    report.add("git-last-updated-at", release ? iso8601_utc(release->created_at_ms) : "");
    return {};
  };
}

MoreRows process_rows(Session& session, bool with_status) {
  return [&session, with_status](Report& report, const App& app) -> Result<> {
    if (app.id == AppId::kGlobal) return {};
    DAVIT_TRY_ASSIGN(Store * store, session.reading());
    DAVIT_TRY_ASSIGN(const auto groups, store->live_groups().live(app.id));
    std::uint32_t count = 0;
    for (const LiveGroup& group : groups) count += group.count;
    report.add("deployed", boolean(app.deployed));
    report.add("processes", std::to_string(count));
    DAVIT_TRY_ASSIGN(const bool fixed, formation_is_fixed(*store, app.id));
    report.add("ps-can-scale", boolean(!fixed));
    bool running = count > 0;
    if (with_status && app.deployed && count > 0) {
      DAVIT_TRY_ASSIGN(const auto instances, list_instances(session, app));
      running = false;
      const HealthState states = read_health(*store, app.id, groups.front().revision);
      for (const InstanceLine& instance : instances) {
        running = running || instance.state == "running";
        const auto health = states.instances.find(instance.type + "." + instance.number);
        const bool ready = health == states.instances.end() || health->second.ready;
        const bool ended = instance.state != "running" && !instance.exit_code.empty();
        report.add(fmt::format("status-{}-{}", instance.type, instance.number),
                   fmt::format("{} (ID: {}){}{}", instance.state, instance.id,
                               ended ? ", exit code " + instance.exit_code : "",
                               ready ? "" : ", no requests: " + health->second.problem));
      }
    }
    report.add("running", boolean(running));
    return {};
  };
}

MoreRows resource_rows(Session& session) {
  return [&session](Report& report, const App& app) -> Result<> {
    DAVIT_TRY_ASSIGN(Store * store, session.reading());
    return report_resources(report, *store, app.id);
  };
}

constexpr std::string_view kGroups[] = {"app-json", "apps",     "checks",    "domains", "git",
                                        "ps",       "resource", "retention", "storage"};

MoreRows rows_of(Session& session, std::string_view group, bool with_status) {
  if (group == "app-json") return {};
  if (group == "apps") return app_rows(session);
  if (group == "checks") return check_rows(session);
  if (group == "domains") return domain_rows(session);
  if (group == "git") return git_rows(session);
  if (group == "ps") return process_rows(session, with_status);
  if (group == "retention") return {};
  if (group == "storage") return storage_rows(session);
  return resource_rows(session);
}

}  // namespace

MoreRows proxy_rows(Session& session, std::string_view group) {
  const auto catalog = session.catalog();
  const CatalogEntry* plugin = catalog ? (*catalog)->find(group) : nullptr;
  if (plugin == nullptr || !plugin->usable() || !plugin->note.provides_interface("davit.proxy/1")) return {};
  return [&session, group = std::string(group), facts = std::optional<std::string>()](
             Report& report, const App& /*app*/) mutable -> Result<> {
    if (!facts) {
      DAVIT_TRY_ASSIGN(facts, session.work_captured({"describe-proxy"}));
    }
    for (const std::string& line : split_lines(*facts)) {
      if (const auto tab = line.find('\t'); tab != std::string::npos)
        report.add(fmt::format("{}-{}", group, line.substr(0, tab)), line.substr(tab + 1));
    }
    return {};
  };
}

CoreReport core_report(Session& session, std::string_view group, bool with_status) {
  CoreReport report{core_properties(group), rows_of(session, group, with_status)};
  // What an app without a word of its own runs on is said in plugins.toml.
  const auto runtime = std::ranges::find(report.group.properties, "runtime", &CliProperty::key);
  if (runtime != report.group.properties.end()) {
    if (const auto catalog = session.catalog()) runtime->default_value = (*catalog)->default_runtime();
  }
  return report;
}

std::vector<CoreReport> core_reports(Session& session) {
  std::vector<CoreReport> reports;
  for (const std::string_view group : kGroups) reports.push_back(core_report(session, group));
  return reports;
}

Result<int> show_core_report(Session& session, const Arguments& args) {
  // Only the status of instances needs a worker; a single property does not.
  const bool with_status =
      args.report_key.empty() || args.report_key == "--running" || args.report_key.starts_with("--status-");
  const CoreReport report = core_report(session, args.group, with_status);
  return show_report(session, args, report.group, report.rows);
}

}  // namespace davit
