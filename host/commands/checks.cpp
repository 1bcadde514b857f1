// checks: the settings of health checks, for which process types they are off, and a run of them.
#include <fmt/format.h>

#include <algorithm>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "commands/reports.hpp"
#include "commands/table.hpp"
#include "lifecycle/checks.hpp"

namespace davit {
namespace {

Result<std::vector<std::string>> types_of(const Arguments& args) {
  std::vector<std::string> types;
  if (args.args.empty()) {
    types.emplace_back(kEveryType);
    return types;
  }
  for (const std::string& type : split(args.args.front(), ',')) {
    DAVIT_TRY(check_process_type(type));
    types.push_back(type);
  }
  return types;
}

// The properties that the lifecycle reads: lists of types, or "_all_".
constexpr std::string_view kDisabled = "disabled";
constexpr std::string_view kSkipped = "skipped";

/// Takes the types out of the list, or puts them in; "_all_" stands for every type.
Result<> change_list(Store& store, AppId app, std::string_view list, const std::vector<std::string>& types,
                     bool put_in) {
  DAVIT_TRY_ASSIGN(const auto value, store.properties().get(app, "checks", list));
  std::vector<std::string> now;
  if (value) now = split(*value, ',');
  const bool everything = types.front() == kEveryType;
  if (!everything && !put_in && std::ranges::count(now, kEveryType) > 0) {
    return fail(Code::kConflict, fmt::format("Checks are {} for every process type", list),
                "Enable them all, then choose some: checks:enable APP");
  }
  std::erase_if(now,
                [&](const std::string& type) { return everything || std::ranges::count(types, type) > 0; });
  if (put_in) now.insert(now.end(), types.begin(), types.end());
  if (!now.empty()) return store.properties().set(app, "checks", list, join(now, ","));
  DAVIT_TRY(store.properties().unset(app, "checks", list));
  return {};
}

// `into`: the list that the types get into; they leave the other one. "": both.
Result<int> change(Session& session, const Arguments& args, std::string_view into, std::string_view word) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(const auto types, types_of(args));
  if (types.front() == kEveryType) {
    session.out().step(fmt::format("{} zero downtime for app ({})", word, app.name));
  } else {
    session.out().step(
        fmt::format("{} zero downtime for app's ({}) proctypes ({})", word, app.name, join(types, ",")));
  }
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY(store->transaction([&]() -> Result<> {
    for (const auto list : {kDisabled, kSkipped}) {
      DAVIT_TRY(change_list(*store, app.id, list, types, list == into));
    }
    return {};
  }));
  return 0;
}

Result<int> disable(Session& session, const Arguments& args) {
  return change(session, args, kDisabled, "Disabling");
}
Result<int> skip(Session& session, const Arguments& args) {
  return change(session, args, kSkipped, "Skipping");
}
Result<int> enable(Session& session, const Arguments& args) {
  return change(session, args, "", "Enabling");
}

Result<int> run(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.deployed_app(args));
  std::vector<std::string> operation{"check", app.name};
  operation.insert(operation.end(), args.args.begin(), args.args.end());
  return session.work(operation);
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
      {on_types("checks:disable", "Stop old instances before new ones start, unchecked: this means downtime"),
       disable},
      {on_types("checks:enable", "Check instances before they get requests"), enable},
      core_report_command("checks:report"),
      {{.name = "checks:run",
        .usage = "<app> [<process-type>[.<number>]]",
        .summary = "Ask the startup checks of running instances now",
        .app = AppArgument::kExisting,
        .maximum_args = 1},
       run},
      core_set("checks:set"),
      {on_types("checks:skip", "Let new instances get requests without a check"), skip},
  };
  return kCommands;
}

}  // namespace davit
