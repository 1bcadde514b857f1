// run, run:detached and enter: a command in an app's environment, with the user's terminal if there is one.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "lifecycle/detached_runs.hpp"
#include "lifecycle/environment.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/service_mounts.hpp"
#include "process/files.hpp"
#include "process/pty.hpp"
#include "worker/instance_line.hpp"
#include "worker/operations.hpp"
#include "worker/terminal.hpp"

namespace davit {
namespace {

constexpr std::size_t kMostEndedRuns = 3;  // of an app, that wait for a run:list to show their end

struct RunOptions {
  std::string app;
  bool detach = false, no_tty = false;
  TextMap env;
  std::vector<std::string> argv;
};

// "KEY=VALUE" and a NUL each; the file is for us alone.
Result<TextMap> take_variables(const std::string& file) {
  DAVIT_TRY_ASSIGN(const std::string pairs, read_file(file));
  DAVIT_TRY(remove_tree(file));
  TextMap env;
  for (const std::string& pair : split(pairs, '\0')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    if (equals == std::string::npos) return fail(Code::kInvalid, "--env takes KEY=VALUE");
    DAVIT_TRY(check_config_key(pair.substr(0, equals)));
    env[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return env;
}

Result<RunOptions> parse(Words words) {
  RunOptions options;
  std::size_t i = 0;
  for (; i < words.size() && words[i] != "--"; ++i) {
    if (words[i] == "--detach") {
      options.detach = true;
    } else if (words[i] == "--no-tty") {
      options.no_tty = true;
    } else if (words[i] == "--env-file" && i + 1 < words.size()) {
      DAVIT_TRY_ASSIGN(options.env, take_variables(words[++i]));
    } else {
      options.app = words[i];
    }
  }
  for (++i; i < words.size(); ++i) options.argv.push_back(words[i]);
  if (options.argv.empty())
    return fail(Code::kInvalid, "A command is missing", "For example: davit run APP bash");
  return options;
}

bool has_ended(const DetachedRun& run) {
  return run.instance.state == InstanceState::kExited;
}

Result<DetachedRuns> runs_of(Workshop& shop, const App& app) {
  DAVIT_TRY_ASSIGN(const LifecycleServices services, shop.lifecycle());
  return detached_runs(services, app.id, app.name, shop.context());
}

Result<> remove_run(Workshop& shop, const App& app, const DetachedRun& run) {
  const Instance& instance = run.instance;
  return run.runtime->remove({OwnerKind::kApp, app.name, instance.revision, instance.process_type, 0}, false,
                             shop.context());
}

// 4 of "r4".
unsigned number_of(const DetachedRun& run) {
  const std::string& revision = run.instance.revision;
  unsigned number = 0;
  std::from_chars(revision.data() + 1, revision.data() + revision.size(), number);
  return number;
}

// Of what has ended on its own, all but the newest `kept`; their logs stay.
Result<> forget_ended(Workshop& shop, const App& app, std::vector<DetachedRun> runs, std::size_t kept) {
  std::erase_if(runs, [](const DetachedRun& run) { return !has_ended(run); });
  std::ranges::sort(runs, std::greater(), number_of);
  for (std::size_t i = kept; i < runs.size(); ++i) DAVIT_TRY(remove_run(shop, app, runs[i]));
  return {};
}

// "r4" for the next one: a number that no run of the app has now.
std::string next_run_revision(const std::vector<DetachedRun>& runs) {
  unsigned highest = 0;
  for (const DetachedRun& run : runs) highest = std::max(highest, number_of(run));
  return fmt::format("r{}", highest + 1);
}

Result<int> run_detached(Workshop& shop, const Workshop::Running& running, const RunOptions& options,
                         TextMap env) {
  if (!running.app.other_name.empty()) {
    return fail(Code::kConflict, fmt::format("{} is just being renamed", running.app.name),
                "Try again when that is done");
  }
  DAVIT_TRY_ASSIGN(const DetachedRuns runs, runs_of(shop, running.app));
  DAVIT_TRY(forget_ended(shop, running.app, runs.list, kMostEndedRuns));
  Group group;
  group.owner = running.app.name;
  group.revision = next_run_revision(runs.list);
  group.process_type = kRunType;
  group.count = 1;
  DAVIT_TRY_ASSIGN(const LifecycleServices services, shop.lifecycle());
  group.artifact = artifact_of(services, running.release);
  group.argv = argv_of(running.release, options.argv);
  group.env = std::move(env);
  group.limits = limits_of(services.store, running.app.id, "run");
  DAVIT_TRY_ASSIGN(const auto links, links_now(services.store, running.app.id));
  DAVIT_TRY_ASSIGN(const auto mounts,
                   all_mounts(services, running.app, links, running.release.spec.runtime, shop.context()));
  group.mounts = plain_mounts(mounts);
  group.restart = Restart::kNever;
  DAVIT_TRY(running.runtime->apply(group, shop.context()));
  shop.out().result(instance_id(group.owner, group.revision, "run", 1) + "\n");
  return 0;
}

}  // namespace

Result<int> run_command_in_app(Workshop& shop, Words words) {
  DAVIT_TRY_ASSIGN(const RunOptions options, parse(words));
  DAVIT_TRY_ASSIGN(const LifecycleServices services, shop.lifecycle());
  std::optional<FileLock> lock;  // before the app is read: it may be destroyed or renamed while we wait
  if (options.detach) {
    DAVIT_TRY_ASSIGN(lock, lock_detached_runs(services, options.app, "run:detached"));
  }
  DAVIT_TRY_ASSIGN(const Workshop::Running running, shop.running(options.app));
  DAVIT_TRY_ASSIGN(TextMap env,
                   resolve_run_environment(services, running.app, running.release, "run", shop.context()));
  for (const auto& [key, value] : options.env) env[key] = value;
  if (options.detach) return run_detached(shop, running, options, std::move(env));

  TaskRequest task;
  task.owner = running.app.name;
  task.name = fmt::format("run.{}", getpid());
  task.artifact = artifact_of(services, running.release);
  task.argv = argv_of(running.release, options.argv);
  task.limits = limits_of(services.store, running.app.id, "run");
  DAVIT_TRY_ASSIGN(const auto links, links_now(services.store, running.app.id));
  DAVIT_TRY_ASSIGN(const auto mounts,
                   all_mounts(services, running.app, links, running.release.spec.runtime, shop.context()));
  task.mounts = plain_mounts(mounts);
  if (const char* term = std::getenv("TERM"); term != nullptr) env.emplace("TERM", term);
  task.env = std::move(env);
  shop.out().flush();
  return with_terminal(!options.no_tty, [&](const StandardFds& fds, bool tty) {
    task.fds = fds;
    task.tty = tty;
    return running.runtime->run_task(task, shop.context());
  });
}

Result<int> enter(Workshop& shop, Words words) {
  if (words.size() < 2) return fail(Code::kInternal, "enter takes an app and a process");
  DAVIT_TRY_ASSIGN(const Workshop::Running running, shop.running(words[0]));
  const auto parts = split(words[1], '.');
  Selector selector{OwnerKind::kApp, running.app.name, {}, parts[0], 0};
  if (parts.size() > 1) std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), selector.number);
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  DAVIT_TRY_ASSIGN(const auto groups, store->live_groups().live(running.app.id));
  for (const LiveGroup& group : groups) {
    if (group.process_type == selector.process_type) selector.revision = group.revision;
  }
  std::vector<DetachedRun> found;
  if (!selector.revision.empty()) {
    DAVIT_TRY_ASSIGN(const auto instances, running.runtime->inspect(selector, shop.context()));
    for (const Instance& instance : instances) found.push_back({running.runtime, instance});
  } else if (selector.process_type == kRunType) {
    DAVIT_TRY_ASSIGN(DetachedRuns runs, runs_of(shop, running.app));
    std::erase_if(runs.list, has_ended);
    found = std::move(runs.list);
  }
  if (found.empty()) {
    return fail(Code::kNotFound, fmt::format("{} runs no process {}", running.app.name, words[1]),
                fmt::format("See davit ps:report {}", running.app.name), "no-such-process");
  }
  const auto up = std::ranges::find_if(
      found, [](const DetachedRun& one) { return one.instance.state == InstanceState::kUp; });
  const DetachedRun& entered = up == found.end() ? found.front() : *up;
  ExecRequest request;
  request.instance = entered.instance.id;
  std::size_t first = 2;
  if (words.size() > 2 && words[2] == "--") first = 3;
  request.argv.assign(words.begin() + static_cast<std::ptrdiff_t>(first), words.end());
  // What an image has of shells is its own affair.
  const bool image = running.release.spec.artifact.kind == ArtifactKind::kImage;
  if (request.argv.empty()) request.argv = {image ? "/bin/sh" : "/bin/bash"};
  if (const char* term = std::getenv("TERM"); term != nullptr) request.env.emplace("TERM", term);
  shop.out().flush();
  return with_terminal(true, [&](const StandardFds& fds, bool tty) {
    request.fds = fds;
    request.tty = tty;
    return entered.runtime->exec(request, shop.context());
  });
}

Result<int> list_runs(Workshop& shop, Words words) {
  if (words.size() != 1) return fail(Code::kInternal, "run-list takes an app");
  DAVIT_TRY(shop.plugins(/*tolerant=*/true));  // for its user it only reads
  DAVIT_TRY_ASSIGN(const LifecycleServices services, shop.lifecycle());
  // One that is just being made looks as if it had ended.
  DAVIT_TRY_ASSIGN(const FileLock lock, lock_detached_runs(services, words[0], "run:list"));
  DAVIT_TRY_ASSIGN(const Workshop::Running running, shop.running(words[0]));
  DAVIT_TRY_ASSIGN(const DetachedRuns runs, runs_of(shop, running.app));
  for (const auto& [runtime, run] : runs.list) {
    shop.out().result(instance_line(running.app.name, run, running.release.version, runtime->id(), "run") +
                      "\n");
  }
  // Their end is known now. Where that fails, the next list shows them again.
  if (const auto forgotten = forget_ended(shop, running.app, runs.list, 0); !forgotten)
    shop.out().warning(forgotten.error().text());
  return 0;
}

Result<int> stop_runs(Workshop& shop, Words words) {
  if (words.empty()) return fail(Code::kInternal, "run-stop takes an app");
  DAVIT_TRY_ASSIGN(const Workshop::Running running, shop.running(words[0]));
  DAVIT_TRY_ASSIGN(const DetachedRuns runs, runs_of(shop, running.app));
  bool found = words.size() == 1;
  for (const DetachedRun& run : runs.list) {
    if (words.size() > 1 && words[1] != run.instance.id) continue;
    found = true;
    shop.out().step(fmt::format("Stopping {}", run.instance.id));
    DAVIT_TRY(remove_run(shop, running.app, run));
  }
  if (found) return 0;
  return fail(Code::kNotFound, fmt::format("{} runs no {}", words[0], words[1]),
              fmt::format("See davit run:list {}", words[0]), "no-such-run");
}

}  // namespace davit
