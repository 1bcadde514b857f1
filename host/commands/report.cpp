// report: the reports of all groups of an app in one.
#include <fmt/format.h>

#include "cli/json.hpp"
#include "commands/plugin_table.hpp"
#include "commands/reports.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

Result<std::vector<CoreReport>> parts_of(Session& session) {
  std::vector<CoreReport> parts = core_reports(session);
  auto catalog = session.catalog();
  if (!catalog) {
    session.out().warning(catalog.error().text());
    return parts;
  }
  std::string last;
  for (const PluginCatalog::PropertyRef& ref : (*catalog)->properties()) {
    if (ref.spec->group == last) continue;
    last = ref.spec->group;
    parts.push_back({plugin_properties(**catalog, last), {}});
  }
  return parts;
}

Result<int> report(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  std::vector<App> apps;
  if (args.app.empty()) {
    DAVIT_TRY_ASSIGN(apps, store->apps().list());
  } else {
    DAVIT_TRY_ASSIGN(App app, session.app(args));
    apps.push_back(std::move(app));
  }
  if (apps.empty() && !args.json()) session.out().warning("You haven't deployed any applications yet");
  DAVIT_TRY_ASSIGN(const auto parts, parts_of(session));
  JsonObject everything;
  for (const App& app : apps) {
    JsonObject groups;
    for (const CoreReport& part : parts) {
      DAVIT_TRY_ASSIGN(const Report rows, make_report(session, part.group, app, part.rows));
      if (args.json()) {
        groups.raw(part.group.type, rows.json());
      } else {
        session.out().header(rows.header());
        session.out().result(rows.text());
      }
    }
    everything.raw(app.name, groups.str());
  }
  if (args.json()) session.out().result(everything.str() + "\n");
  return 0;
}

constexpr CliFlag kFormat[] = {kFormatFlag};

}  // namespace

std::span<const CoreCommand> report_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "report",
        .usage = "[--format text|json] [<app>]",
        .summary = "Show the reports of all groups, of one or all apps",
        .app = AppArgument::kOptional,
        .flags = kFormat},
       report},
  };
  return kCommands;
}

}  // namespace davit
