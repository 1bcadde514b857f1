// checks: the settings of health checks, and for which process types they are off.
#include <fmt/format.h>

#include <algorithm>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "commands/reports.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

constexpr std::string_view kAll = "_all_";
constexpr std::string_view kDisabled = "disabled";  // the property that the lifecycle reads

Result<std::vector<std::string>> types_of(const Arguments& args) {
  std::vector<std::string> types;
  if (args.args.empty()) {
    types.emplace_back(kAll);
    return types;
  }
  for (const std::string& type : split(args.args.front(), ',')) {
    DAVIT_TRY(check_process_type(type));
    types.push_back(type);
  }
  return types;
}

/// Takes the types out of the list, or puts them in; "_all_" stands for every type.
Result<> change_list(Store& store, AppId app, const std::vector<std::string>& types, bool disable) {
  DAVIT_TRY_ASSIGN(const auto value, store.properties().get(app, "checks", kDisabled));
  std::vector<std::string> now;
  if (value) now = split(*value, ',');
  const bool everything = types.front() == kAll;
  if (!everything && !disable && std::ranges::count(now, kAll) > 0) {
    return fail(Code::kConflict, "Checks are disabled for every process type",
                "Enable them all, then disable some: checks:enable APP");
  }
  std::erase_if(now,
                [&](const std::string& type) { return everything || std::ranges::count(types, type) > 0; });
  if (disable) now.insert(now.end(), types.begin(), types.end());
  if (!now.empty()) return store.properties().set(app, "checks", kDisabled, join(now, ","));
  DAVIT_TRY(store.properties().unset(app, "checks", kDisabled));
  return {};
}

Result<int> change(Session& session, const Arguments& args, bool disable, std::string_view word) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(const auto types, types_of(args));
  if (types.front() == kAll) {
    session.out().step(fmt::format("{} zero downtime for app ({})", word, app.name));
  } else {
    session.out().step(
        fmt::format("{} zero downtime for app's ({}) proctypes ({})", word, app.name, join(types, ",")));
  }
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY(store->transaction([&] { return change_list(*store, app.id, types, disable); }));
  return 0;
}

Result<int> disable(Session& session, const Arguments& args) {
  return change(session, args, true, "Disabling");
}
Result<int> enable(Session& session, const Arguments& args) {
  return change(session, args, false, "Enabling");
}

constexpr CliCommand on_types(std::string_view name, std::string_view summary) {
  return {.name = name,
          .usage = "<app> [<process-type>[,<process-type> ...]]",
          .summary = summary,
          .app = AppArgument::kExisting,
          .maximum_args = 1};
}

}  // namespace

std::span<const CoreCommand> check_commands() {
  static constexpr CoreCommand kCommands[] = {
      {on_types("checks:disable", "Let new instances get requests without a check"), disable},
      {on_types("checks:enable", "Check instances before they get requests"), enable},
      core_report_command("checks:report"),
      core_set("checks:set"),
  };
  return kCommands;
}

}  // namespace davit
