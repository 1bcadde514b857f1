// logs of instances, and of the last deployment that failed.
#include <fmt/format.h>

#include <algorithm>

#include "commands/session.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

Result<int> logs(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.deployed_app(args));
  std::vector<std::string> operation{"logs", app.name};
  if (args.has("tail")) operation.emplace_back("--tail");
  const std::string_view number = args.value("num").value_or("100");
  if (number.empty() || number.size() > 9 ||
      !std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; })) {
    return fail(Code::kInvalid, "--num takes a number of lines");
  }
  operation.insert(operation.end(), {"--num", std::string(number)});
  if (const auto type = args.value("ps")) operation.insert(operation.end(), {"--ps", std::string(*type)});
  if (args.json()) operation.insert(operation.end(), {"--format", "json"});
  return session.work(operation);
}

bool failed(const Deployment& deployment) {
  return deployment.state == DeploymentState::kFailed || deployment.state == DeploymentState::kUndone ||
         deployment.state == DeploymentState::kStuck;
}

Result<int> show_failed(Session& session, const App& app, bool must_exist) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto history, store->journal().history(app.id));
  const auto last = std::ranges::find_if(history, failed);
  if (last == history.end()) {
    if (!must_exist) return 0;
    return fail(Code::kNotFound, fmt::format("No failed deploy of {} is known", app.name));
  }
  session.out().header(fmt::format("{} failed deploy logs", app.name));
  session.parts().flush();
  DAVIT_TRY(session.deployer().follow(last->id, false, session.acting()));
  return 0;  // showing the log of a failure is no failure
}

Result<int> logs_failed(Session& session, const Arguments& args) {
  if (!args.all) {
    DAVIT_TRY_ASSIGN(const App app, session.app(args));
    return show_failed(session, app, true);
  }
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto apps, store->apps().list());
  for (const App& app : apps) DAVIT_TRY(show_failed(session, app, false));
  return 0;
}

constexpr CliFlag kFlags[] = {{"tail", "", "Go on with new lines as they come", 't'},
                              {"num", "N", "How many lines of the past (100); 0: all", 'n'},
                              {"ps", "TYPE[.N]", "Only of this process type or instance", 'p'},
                              kFormatFlag};

}  // namespace

std::span<const CoreCommand> log_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "logs",
        .usage = "[-t|--tail] [-n|--num N] [-p|--ps TYPE[.N]] [--format text|json] <app>",
        .summary = "Show what the instances of an app wrote",
        .app = AppArgument::kExisting,
        .flags = kFlags},
       logs},
      {{.name = "logs:failed",
        .usage = "[--all|<app>]",
        .summary = "Show the log of the last deploy that failed",
        .app = AppArgument::kOrAll},
       logs_failed},
  };
  return kCommands;
}

}  // namespace davit
