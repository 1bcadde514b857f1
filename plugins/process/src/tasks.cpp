// See tasks.hpp.
#include "tasks.hpp"

#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "environment.hpp"
#include "instance_plan.hpp"
#include "slug_copy.hpp"
#include "trees.hpp"

namespace davit::process_plugin {
namespace {

constexpr std::uint64_t kDefaultStopMs = 5'000;
constexpr std::uint64_t kHelperMs = 5'000;  // after the stop timeout the helper ends what is left, and itself

void append(sdk::Strings& words, sdk::Strings more) {
  for (std::string& word : more) words.push_back(std::move(word));
}

void append_number(sdk::Strings& words, const char* option, std::uint64_t value) {
  if (value != 0) append(words, {option, std::to_string(value)});
}

std::uint64_t stop_ms(const sdk::Task& task) {
  return task.stop_timeout_ms != 0 ? task.stop_timeout_ms : kDefaultStopMs;
}

std::string terminal_type() {
  const char* type = std::getenv("TERM");
  return type != nullptr && *type != '\0' ? type : "xterm";
}

}  // namespace

/// tasks/tXXXXXX with a lock that lives as long as this object, and the folder with it.
class Tasks::Folder {
 public:
  explicit Folder(const Records& records) {
    const FileLock making(records.run() + "/tasks.lock",
                          true);  // else a sweep sees a folder without its lock
    std::string path = records.tasks_folder() + "/tXXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      throw sdk::Failure(DAVIT_UNAVAILABLE, "task-folder", "cannot make a folder for the task in " + path);
    }
    path_ = path;
    make_folder(path_, 0711);  // without a sandbox the app user passes through here
    lock_.emplace(path_ + "/lock", true);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    try {
      remove_tree(path_);
    } catch (const std::exception&) {  // the next sweep tries again
    }
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::optional<FileLock> lock_;
};

void Tasks::sweep() const {
  const FileLock making(records_.run() + "/tasks.lock", true);
  for (const std::string& name : names_in(records_.tasks_folder())) {
    const std::string folder = records_.tasks_folder() + "/" + name;
    const FileLock lock(folder + "/lock", false);
    if (lock.held()) remove_tree(folder);
  }
}

sdk::Strings Tasks::task_options(const sdk::Task& task, const std::string& folder) const {
  const sdk::Limits limits = task.limits.value_or(sdk::Limits());
  sdk::Strings words{machine_.helper(), "task", "--stop-timeout", std::to_string(stop_ms(task))};
  append(words, {"--cgroup", folder.substr(folder.rfind('/') + 1) + "." + std::to_string(getpid())});
  append_number(words, "--memory", limits.memory_bytes);
  append_number(words, "--pids", limits.pids);
  append_number(words, "--cpu", limits.cpu_millis);
  return words;
}

sdk::Process Tasks::sandboxed(const sdk::Task& task, const RunUser& user, const std::string& folder,
                              const sdk::Pairs& env) const {
  const sdk::Limits limits = task.limits.value_or(sdk::Limits());
  SandboxSpec spec;
  spec.user = user;
  spec.etc = machine_.accounts(user);
  if (task.artifact) spec.app = folder + "/app";
  spec.app_read_only = (task.flags & DAVIT_TASK_READ_ONLY_APP) != 0;
  spec.mounts = task.mounts;
  spec.tmp = folder + "/tmp";
  spec.share_network = task.network != DAVIT_NETWORK_NONE;
  spec.task = true;
  spec.tty = (task.flags & DAVIT_TASK_TTY) != 0;
  spec.open_files = limits.open_files;
  spec.file_bytes = limits.file_bytes;
  spec.cwd = task.cwd;
  spec.argv = task.argv;
  sdk::Process process;
  process.argv = task_options(task, folder);
  append(process.argv, {"--sandboxed", "--"});
  append(process.argv, sandbox_argv(machine_.system(), spec));
  process.env = wrapped_environment(env);
  process.env.emplace_back("PATH", kDefaultPath);
  return process;
}

sdk::Process Tasks::plain(const sdk::Task& task, const RunUser& user, const std::string& folder,
                          const sdk::Pairs& env) const {
  const sdk::Limits limits = task.limits.value_or(sdk::Limits());
  const std::string app = task.artifact ? folder + "/app" : "";
  const PathMap map = plain_paths(app, task.mounts);
  SandboxSpec spec;
  spec.app = app;
  spec.mounts = task.mounts;
  spec.cwd = task.cwd;
  const std::string cwd = map.path(default_cwd(spec));
  sdk::Process process;
  process.argv = task_options(task, folder);
  append(process.argv, user_options(user));
  append_number(process.argv, "--open-files", limits.open_files);
  append_number(process.argv, "--file-bytes", limits.file_bytes);
  if ((task.flags & DAVIT_TASK_TTY) != 0) process.argv.emplace_back("--tty");
  append(process.argv, {"--cwd", cwd, "--"});
  append(process.argv, map.words(task.argv));
  process.env = wrapped_environment(map.values(env));
  process.env.emplace_back("PATH", kDefaultPath);
  return process;
}

std::int32_t Tasks::run_task(const sdk::Call& call, const sdk::Task& task) {
  if (task.argv.empty() || task.argv.front().empty()) {
    throw sdk::Failure(DAVIT_INVALID, "no-command", "the task " + task.name + " has no command",
                       "give it one");
  }
  sdk::Pairs env = task.env;
  const bool has_app = task.artifact.has_value();
  set_default(env, "HOME", has_app ? "/app" : "/tmp");
  set_default(env, "PATH", kDefaultPath);
  if ((task.flags & DAVIT_TASK_TTY) != 0) set_default(env, "TERM", terminal_type());
  check_environment(env);
  check_mounts(task.mounts);
  sweep();
  const Verdict& verdict = machine_.verdict(call);
  const RunUser user = machine_.user(call, task.user);
  if (!verdict.sandboxed) call.warning("This runs without a sandbox: " + verdict.reason);
  own_mounts(task.mounts, user, verdict.sandboxed);

  const Folder folder(records_);
  make_folder(folder.path() + "/tmp", 01777);
  if (task.artifact) copy_slug(host_, call, machine_.helper(), user, *task.artifact, folder.path() + "/app");
  call.throw_if_cancelled();
  sdk::Process process =
      verdict.sandboxed ? sandboxed(task, user, folder.path(), env) : plain(task, user, folder.path(), env);
  process.fds = task.fds;
  process.out = task.out;
  process.err = task.err;
  if (task.limits) process.timeout_ms = task.limits->time_ms;
  process.stop_timeout_ms = stop_ms(task) + kHelperMs;
  return host_.processes(call).run(process);
}

std::int32_t Tasks::exec(const sdk::Call& call, const sdk::Exec& exec) {
  const auto name = parse_instance(exec.instance);
  const auto record = name ? records_.instance(*name) : std::nullopt;
  if (!record) {
    throw sdk::Failure(DAVIT_NOT_FOUND, "no-such-instance", "there is no instance " + exec.instance,
                       "see `davit ps:report`");
  }
  const auto status = host_.supervise(call).status(exec.instance);
  if (!status || status->up == 0 || status->pid <= 0) {
    throw sdk::Failure(DAVIT_UNAVAILABLE, "instance-down",
                       "the instance " + exec.instance + " is not running", "start it, or use `davit run`");
  }
  const bool tty = (exec.flags & DAVIT_TASK_TTY) != 0;
  sdk::Pairs env = exec.env;
  if (tty) set_default(env, "TERM", terminal_type());
  check_environment(env);
  sdk::Process process;
  process.argv = {machine_.helper(),           "join",       "--pid",
                  std::to_string(status->pid), "--instance", exec.instance};
  const bool known = record->uid != 0;  // else an instance of before records named whom they run as
  append(process.argv, user_options(known ? RunUser{record->uid, record->gid, machine_.owner_is_root()}
                                          : machine_.user(call, "")));
  if (record->sandboxed) process.argv.emplace_back("--sandboxed");
  if (tty) process.argv.emplace_back("--tty");
  append(process.argv, {"--cwd", record->cwd, "--"});
  append(process.argv, exec.argv);
  process.env = wrapped_environment(env);
  process.env.emplace_back("PATH", kDefaultPath);
  process.fds = exec.fds;
  process.out = exec.out;
  process.err = exec.err;
  process.timeout_ms = exec.timeout_ms;
  return host_.processes(call).run(process);
}

}  // namespace davit::process_plugin
