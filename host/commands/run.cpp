// run, run:detached, run:list, run:stop, enter: one-off processes and a shell in an instance. The worker does
// them, on our own descriptors.
#include <fmt/format.h>
#include <unistd.h>

#include "cli/json.hpp"
#include "cli/layout.hpp"
#include "commands/instances.hpp"
#include "commands/table.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

// Values may be secrets, and anybody can read a command line: they go to the worker through a file of ours,
// which it removes when it has read it.
Result<std::string> variables_of(const Arguments& args) {
  std::string pairs;
  for (const std::string_view pair : args.values("env")) {
    if (pair.find('=') == std::string_view::npos)
      return fail(Code::kInvalid, "--env takes KEY=VALUE", "As in --env RAILS_ENV=test");
    pairs.append(pair).push_back('\0');
  }
  return pairs;
}

Result<int> run_task(Session& session, const Arguments& args, bool detached) {
  DAVIT_TRY_ASSIGN(const App app, session.deployed_app(args));
  if (args.args.empty())
    return fail(Code::kInvalid, "No command specified",
                fmt::format("Usage: davit {} <app> <command>", detached ? "run:detached" : "run"));
  std::vector<std::string> operation{"run", app.name};
  if (detached) operation.emplace_back("--detach");
  if (args.has("no-tty")) operation.emplace_back("--no-tty");
  DAVIT_TRY_ASSIGN(const std::string variables, variables_of(args));
  const auto file = session.home().run() / fmt::format("env-{}", ::getpid());
  if (!variables.empty()) {
    DAVIT_TRY(write_file_volatile(file, variables, 0600));
    operation.insert(operation.end(), {"--env-file", file.string()});
  }
  operation.emplace_back("--");
  operation.insert(operation.end(), args.args.begin(), args.args.end());
  auto done = session.work(operation);
  if (!variables.empty()) DAVIT_TRY(remove_tree(file));
  return done;
}

Result<int> run_attached(Session& session, const Arguments& args) {
  return run_task(session, args, false);
}
Result<int> run_detached(Session& session, const Arguments& args) {
  return run_task(session, args, true);
}

Result<int> list(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  std::string text;
  if (app.deployed) {
    DAVIT_TRY_ASSIGN(text, session.work_captured({"run-list", app.name}));
  }
  DAVIT_TRY_ASSIGN(const auto tasks, read_instance_lines(text));
  if (args.json()) {
    std::vector<std::string> lines;
    for (const InstanceLine& task : tasks) lines.push_back(task.json);
    session.out().result(json_array(lines) + "\n");
    return 0;
  }
  session.out().header(fmt::format("{} run containers", app.name));
  std::vector<std::vector<std::string>> rows;
  if (!session.context.quiet) rows.push_back({"NAMES", "STATE", "EXIT CODE"});
  for (const InstanceLine& task : tasks) rows.push_back({task.id, task.state, task.exit_code});
  session.out().result(columns(rows));
  return 0;
}

Result<int> stop(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  if (!app.deployed) return 0;
  std::vector<std::string> operation{"run-stop", app.name};
  operation.insert(operation.end(), args.args.begin(), args.args.end());
  return session.work(operation);
}

Result<int> enter(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.deployed_app(args));
  // No words: a shell, which the worker chooses by what the release is.
  auto word = args.args.begin();
  const bool typed = !args.marked && word != args.args.end();
  std::vector<std::string> operation{"enter", app.name, typed ? *word++ : "web", "--"};
  if (typed && word != args.args.end() && *word == "--") ++word;  // as davit run takes it
  operation.insert(operation.end(), word, args.args.end());
  return session.work(operation);
}

constexpr CliFlag kEnvFlag{"env", "KEY=VALUE", "One more variable for the process", 'e'};
constexpr CliFlag kRunFlags[] = {kEnvFlag, {"no-tty", "", "Without a terminal, even if there is one"}};
constexpr CliFlag kDetachedFlags[] = {kEnvFlag};
constexpr CliFlag kFormat[] = {kFormatFlag};

}  // namespace

std::span<const CoreCommand> run_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "run",
        .usage = "[-e|--env KEY=VALUE] [--no-tty] <app> <command> [<argument> ...]",
        .summary = "Run a command in a new instance of the live release",
        .app = AppArgument::kExisting,
        .maximum_args = kAnyCount,
        .flags = kRunFlags,
        .rest_is_raw = true},
       run_attached},
      {{.name = "run:detached",
        .usage = "[-e|--env KEY=VALUE] <app> <command> [<argument> ...]",
        .summary = "Run a command that goes on by itself, and print its name",
        .app = AppArgument::kExisting,
        .maximum_args = kAnyCount,
        .flags = kDetachedFlags,
        .rest_is_raw = true},
       run_detached},
      {{.name = "run:list",
        .usage = "[--format text|json] <app>",
        .summary = "List the commands that run detached",
        .app = AppArgument::kExisting,
        .flags = kFormat},
       list},
      {{.name = "run:stop",
        .usage = "<app> [<name>]",
        .summary = "Stop one detached command, or all of them",
        .app = AppArgument::kExisting,
        .maximum_args = 1},
       stop},
  };
  return kCommands;
}

std::span<const CoreCommand> enter_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "enter",
        .usage = "<app> [<process-type>[.<number>]] [--] [<command> ...]",
        .summary = "Open a shell, or run a command, in a running instance",
        .app = AppArgument::kExisting,
        .maximum_args = kAnyCount,
        .rest_is_raw = true},
       enter},
  };
  return kCommands;
}

}  // namespace davit
