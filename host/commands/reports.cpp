// The rows of reports: see the header.
#include "commands/reports.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "commands/instances.hpp"
#include "commands/resources.hpp"
#include "lifecycle/release_extras.hpp"
#include "lifecycle/routes.hpp"

namespace davit {
namespace {

std::string boolean(bool value) {
  return value ? "true" : "false";
}

MoreRows app_rows(Session& session) {
  return [&session](Report& report, const App& app) -> Result<> {
    if (app.id == AppId::kGlobal) return {};
    DAVIT_TRY_ASSIGN(Store * store, session.reading());
    DAVIT_TRY_ASSIGN(const auto release, store->releases().current(app.id));
    report.add("app-created-at", std::to_string(app.created_at_ms / 1000));
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
    return {};
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
    report.add("git-last-updated-at", release ? std::to_string(release->created_at_ms / 1000) : "");
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
      for (const InstanceLine& instance : instances) {
        running = running || instance.state == "running";
        report.add(fmt::format("status-{}-{}", instance.type, instance.number),
                   fmt::format("{} (ID: {})", instance.state, instance.id));
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

constexpr std::string_view kGroups[] = {"apps", "checks", "domains", "git", "ps", "resource"};

MoreRows rows_of(Session& session, std::string_view group, bool with_status) {
  if (group == "apps") return app_rows(session);
  if (group == "checks") return check_rows(session);
  if (group == "domains") return domain_rows(session);
  if (group == "git") return git_rows(session);
  if (group == "ps") return process_rows(session, with_status);
  return resource_rows(session);
}

}  // namespace

CoreReport core_report(Session& session, std::string_view group, bool with_status) {
  return {core_properties(group), rows_of(session, group, with_status)};
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
