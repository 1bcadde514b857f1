// resource: limit, reserve, their -clear forms, report.
#include <fmt/format.h>

#include <array>

#include "base/ids.hpp"
#include "commands/reports.hpp"
#include "commands/resources.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

constexpr std::array<std::string_view, 3> kResources{"cpu", "memory", "pids"};

struct Kind {
  std::string_view key;    ///< in the store
  std::string_view shown;  ///< in headers of values
  std::string_view set;    ///< "Setting resource ... for"
};
constexpr Kind kLimit{"limit", "limits", "limits"};
constexpr Kind kReserve{"reserve", "reservation", "reservation"};

struct Target {
  AppId app = AppId::kGlobal;
  std::string name;
  std::string type;
  std::string suffix;  ///< " (web)" when one process type was named
};

Result<Target> target_of(Session& session, const Arguments& args) {
  Target target;
  if (!args.app.empty()) {
    DAVIT_TRY_ASSIGN(const App app, session.app(args));
    target.app = app.id;
    target.name = app.name;
  }
  target.type = args.value("process-type").value_or(kDefaultType);
  if (target.type != kDefaultType) {
    DAVIT_TRY(check_process_type(target.type));
    target.suffix = fmt::format(" ({})", target.type);
  }
  return target;
}

Result<int> show(Session& session, const Target& target, const Kind& kind) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  session.out().header(fmt::format("resource {} {} information{}", kind.shown, target.name,
                                   target.suffix.empty() ? " [defaults]" : target.suffix));
  for (const std::string_view resource : kResources) {
    DAVIT_TRY_ASSIGN(
        const auto value,
        store->properties().get(target.app, "resource", resource_text_key(target.type, kind.key, resource)));
    session.out().result(value ? fmt::format("       {}: {}\n", resource, *value)
                               : fmt::format("       {}:\n", resource));
  }
  return 0;
}

Result<> write(Store& store, const Target& target, const Kind& kind, std::string_view resource,
               std::string_view value) {
  const std::string key = resource_key(target.type, kind.key, resource);
  const std::string typed = resource_text_key(target.type, kind.key, resource);
  if (value == "clear" || value.empty()) {
    DAVIT_TRY(store.properties().unset(target.app, "resource", key));
    DAVIT_TRY(store.properties().unset(target.app, "resource", typed));
    return {};
  }
  DAVIT_TRY_ASSIGN(const std::uint64_t number, parse_resource(resource, value));
  DAVIT_TRY(store.properties().set(target.app, "resource", key, std::to_string(number)));
  return store.properties().set(target.app, "resource", typed, value);
}

Result<int> set(Session& session, const Arguments& args, const Kind& kind) {
  DAVIT_TRY_ASSIGN(const Target target, target_of(session, args));
  std::vector<std::pair<std::string_view, std::string_view>> values;
  for (const std::string_view resource : kResources) {
    if (const auto value = args.value(resource)) values.emplace_back(resource, *value);
  }
  if (values.empty()) return show(session, target, kind);
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY(store->transaction([&]() -> Result<> {
    for (const auto& [resource, value] : values) DAVIT_TRY(write(*store, target, kind, resource, value));
    return {};
  }));
  session.out().header(
      target.name.empty()
          ? fmt::format("Setting default resource {}{}", kind.set, target.suffix)
          : fmt::format("Setting resource {} for {}{}", kind.set, target.name, target.suffix));
  for (const auto& [resource, value] : values) {
    session.out().detail(fmt::format("{}: {}\n", resource, value == "clear" ? "cleared" : value));
  }
  return 0;
}

Result<int> clear(Session& session, const Arguments& args, const Kind& kind) {
  DAVIT_TRY_ASSIGN(const Target target, target_of(session, args));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY(store->transaction([&]() -> Result<> {
    for (const std::string_view resource : kResources)
      DAVIT_TRY(write(*store, target, kind, resource, "clear"));
    return {};
  }));
  session.out().step(target.name.empty()
                         ? fmt::format("Clearing default resource {}{}", kind.set, target.suffix)
                         : fmt::format("Clearing resource {} for {}{}",
                                       kind.key == "limit" ? "limit" : "reservation", target.name,
                                       target.suffix));
  return 0;
}

Result<int> limit(Session& session, const Arguments& args) {
  return set(session, args, kLimit);
}
Result<int> limit_clear(Session& session, const Arguments& args) {
  return clear(session, args, kLimit);
}
Result<int> reserve(Session& session, const Arguments& args) {
  return set(session, args, kReserve);
}
Result<int> reserve_clear(Session& session, const Arguments& args) {
  return clear(session, args, kReserve);
}

constexpr CliFlag kType{"process-type", "TYPE", "Only for this process type"};
constexpr CliFlag kSetFlags[] = {kType,
                                 {"cpu", "N|clear", "Cores, such as 0.5"},
                                 {"memory", "N[k|m|g]|clear", "Memory; without a unit: MB"},
                                 {"pids", "N|clear", "Processes and threads"}};
constexpr CliFlag kClearFlags[] = {kType};

constexpr CliCommand setting(std::string_view name, std::string_view summary) {
  return {.name = name,
          .usage = "[--process-type TYPE] [--cpu N] [--memory N] [--pids N] [<app>]",
          .summary = summary,
          .app = AppArgument::kOptional,
          .flags = kSetFlags};
}
constexpr CliCommand clearing(std::string_view name, std::string_view summary) {
  return {.name = name,
          .usage = "[--process-type TYPE] [<app>]",
          .summary = summary,
          .app = AppArgument::kOptional,
          .flags = kClearFlags};
}

}  // namespace

std::span<const CoreCommand> resource_commands() {
  static constexpr CoreCommand kCommands[] = {
      {setting("resource:limit", "Show or set how much the instances of an app may take"), limit},
      {clearing("resource:limit-clear", "Take limits away"), limit_clear},
      core_report_command("resource:report"),
      {setting("resource:reserve", "Show or set how much is kept for the instances of an app"), reserve},
      {clearing("resource:reserve-clear", "Take reservations away"), reserve_clear},
  };
  return kCommands;
}

}  // namespace davit
