// Commands in running instances. The engine can start one and tell how it ended, but not end it: that is
// done from outside, by its pid. Nor does it end one whose davit was killed: who waits for which is written
// down, and the next sweep ends it. Part of Tasks (tasks.hpp).
#include <fmt/core.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>

#include "files/files.hpp"
#include "instances.hpp"
#include "runner.hpp"
#include "tasks.hpp"

namespace davit::docker_plugin {
namespace {

constexpr std::int64_t kPauseMs = 3'000;  // between SIGTERM and SIGKILL
constexpr int kSliceMs = 10;

/// `pid` and everything below it, as this machine's process table has it now.
void tree_of(const std::string& pid, std::vector<pid_t>& found) {
  found.push_back(static_cast<pid_t>(std::strtol(pid.c_str(), nullptr, 10)));
  for (const std::string& thread : files::names_in("/proc/" + pid + "/task")) {
    std::istringstream children(
        files::read_file("/proc/" + pid + "/task/" + thread + "/children").value_or(""));
    for (std::string child; children >> child;) tree_of(child, found);
  }
}

/// Only a process of the container: an engine in a virtual machine has numbers of its own, and this machine's
/// are used again. It is held by a descriptor meanwhile.
class Inside {
 public:
  Inside(const std::string& container, std::int64_t pid)
      : process_(pid <= 1 ? -1 : static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0))),
        is_there_(process_.get() >= 0 && is_in_container(pid, container)) {}
  [[nodiscard]] bool signal(int number) const {
    return is_there_ && syscall(SYS_pidfd_send_signal, process_.get(), number, nullptr, 0) == 0;
  }
  [[nodiscard]] bool ends_within(std::int64_t ms) const {
    pollfd watched{process_.get(), POLLIN, 0};
    return poll(&watched, 1, static_cast<int>(ms)) > 0;
  }

 private:
  files::Descriptor process_;
  bool is_there_;
};

void kill_tree(const std::string& container, std::int64_t pid) {
  std::vector<pid_t> all;
  tree_of(std::to_string(pid), all);
  for (const pid_t one : all) (void)Inside(container, one).signal(SIGKILL);
}

bool is_running(const Json& facts) {
  return facts.contains("Running") && facts["Running"].is_boolean() && facts["Running"].get<bool>();
}

}  // namespace

/// davit-init passes SIGTERM to all that it started. False: it cannot be ended from here.
bool Tasks::end_exec(Pump& pump, const std::string& container, const std::string& exec_id) {
  // Its output may be here before the engine knows its pid.
  std::int64_t pid = 0;
  for (const std::int64_t last = base_.host.now_mono_ms() + kPauseMs; pid == 0;) {
    const Json facts = base_.engine.get("/exec/" + exec_id + "/json", {}, steady());
    if (!is_running(facts)) return true;
    pid = number_in(facts, "Pid");
    if (pid == 0 && base_.host.now_mono_ms() >= last) return false;
    if (pid == 0) poll(nullptr, 0, kSliceMs);
  }
  if (!Inside(container, pid).signal(SIGTERM)) return false;
  const std::int64_t until = base_.host.now_mono_ms() + kPauseMs;
  if (pump.run_until([this, until] { return base_.host.now_mono_ms() >= until; })) return true;
  kill_tree(container, pid);
  const std::int64_t last = base_.host.now_mono_ms() + kPauseMs;
  (void)pump.run_until([this, last] { return base_.host.now_mono_ms() >= last; });
  return true;
}

/// One that the engine does not tell of just now stays written down, for the next sweep.
void Tasks::sweep_execs(const sdk::Call& call) {
  for (const Records::Exec& left : records_.execs()) {
    if (runner_lives(left.runner)) continue;
    try {
      Json facts;
      if (base_.engine.find("/exec/" + left.id + "/json", {}, facts, patience(call)) && is_running(facts)) {
        const std::int64_t pid = number_in(facts, "Pid");
        const Inside process(left.container, pid);
        if (!process.signal(SIGTERM)) {
          call.log_warn("a command in the container " + left.container +
                        " was left by a davit that was killed; it cannot be ended from here, and runs on");
        } else if (!process.ends_within(kPauseMs)) {
          kill_tree(left.container, pid);
        }
      }
      records_.forget_exec(left.id);
    } catch (const sdk::Failure& failure) {
      call.log_warn("a command that a killed davit has left: " + failure.message());
    }
  }
}

std::int32_t Tasks::exec(const sdk::Call& call, const sdk::Exec& exec) {
  const auto name = parse_instance(exec.instance);
  std::vector<Found> found;
  if (name) {
    for (const std::uint32_t kind : {DAVIT_OWNER_APP, DAVIT_OWNER_SERVICE}) {
      if (found.empty())
        found =
            find_instances(base_, sdk::Selector{kind, name->owner, name->revision, name->type, name->number},
                           patience(call));
    }
  }
  if (found.empty())
    throw sdk::Failure(DAVIT_NOT_FOUND, "no-such-instance", "there is no instance " + exec.instance,
                       "see `davit ps:report`");
  if (found.front().state != "running")
    throw sdk::Failure(DAVIT_UNAVAILABLE, "instance-down",
                       "the instance " + exec.instance + " is not running", "start it, or use `davit run`");
  if (exec.argv.empty()) throw sdk::Failure(DAVIT_INVALID, "no-command", "no command was given", "give one");
  const bool tty = (exec.flags & DAVIT_TASK_TTY) != 0;
  sdk::Pairs env = exec.env;
  if (tty) set_default(env, "TERM", std::getenv("TERM") == nullptr ? "xterm" : std::getenv("TERM"));
  check_environment(env);
  sdk::Strings words = init_words(0, tty, tty ? window_size(exec.fds[0]) : std::nullopt);
  words.insert(words.end(), exec.argv.begin(), exec.argv.end());
  const std::string& container = found.front().id;
  const Json made = base_.engine.post("/containers/" + container + "/exec", {},
                                      {{"AttachStdin", exec.fds[0] >= 0},
                                       {"AttachStdout", true},
                                       {"AttachStderr", true},
                                       {"Tty", tty},
                                       {"Env", env_json(env)},
                                       {"Cmd", words}},
                                      patience(call));
  const std::string id = text_in(made, "Id");
  // A question that has a limit ends by itself, and is asked too often for a file of its own.
  const bool is_kept = exec.timeout_ms == 0;
  // A full disk is no reason not to look around in there.
  const auto record = [&](const auto& change) {
    try {
      if (is_kept) change();
    } catch (const sdk::Failure& failure) {
      call.log_warn("who waits for a command in " + exec.instance + ": " + failure.message());
    }
  };
  record([&] { records_.keep_exec({id, container, this_runner()}); });
  std::optional<RawTerminal> raw;
  if (tty && exec.fds[0] >= 0) raw.emplace(exec.fds[0]);
  const auto connection =
      base_.engine.hijack("/exec/" + id + "/start", {}, {{"Detach", false}, {"Tty", tty}}, patience(call));
  PumpSpec spec{tty, exec.fds, exec.out, exec.err, {}};
  spec.resized = [this, id](const WindowSize& size) {
    try {
      (void)base_.engine.post("/exec/" + id + "/resize",
                              {{"h", std::to_string(size.rows)}, {"w", std::to_string(size.columns)}},
                              nullptr, steady());
    } catch (const EngineFailure&) {  // it has just ended
    }
  };
  Pump pump(*connection, std::move(spec));
  const std::int64_t deadline =
      exec.timeout_ms == 0 ? 0 : base_.host.now_mono_ms() + static_cast<std::int64_t>(exec.timeout_ms);
  const auto late = [&] { return deadline != 0 && base_.host.now_mono_ms() >= deadline; };
  std::int64_t waits_until = 0;  // of one that is being ended
  const auto end = [&] {
    const bool ends = end_exec(pump, container, id);
    if (!ends) call.log_warn("a command in " + exec.instance + " cannot be ended from here, and runs on");
    waits_until = base_.host.now_mono_ms() + (ends ? kPauseMs : 0);
  };
  if (!pump.run_until([&] { return call.cancelled() || late() || pump.reader_gone(); })) end();
  for (;;) {  // its output may be over before it is
    const Json facts = base_.engine.get("/exec/" + id + "/json", {}, steady());
    const bool running = is_running(facts);
    if (!running && waits_until == 0) {
      record([&] { records_.forget_exec(id); });
      return static_cast<std::int32_t>(number_in(facts, "ExitCode", -1));
    }
    if (!running || (waits_until != 0 && base_.host.now_mono_ms() >= waits_until)) break;
    if (waits_until == 0 && (call.cancelled() || late())) end();
    poll(nullptr, 0, kSliceMs);
  }
  record([&] { records_.forget_exec(id); });
  if (call.cancelled()) throw sdk::Failure(DAVIT_CANCELLED, "cancelled", "the command was cancelled");
  if (pump.reader_gone()) return kReaderGoneCode;
  throw sdk::Failure(DAVIT_TIMEOUT, "exec-timeout",
                     fmt::format("the command did not end within {} s", exec.timeout_ms / 1000),
                     "give it more time");
}

}  // namespace davit::docker_plugin
