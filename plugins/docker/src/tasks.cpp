// Tasks: a container each, attached to before it starts, removed at its end. See tasks.hpp; exec is in
// exec.cpp.
#include "tasks.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "containers.hpp"
#include "instances.hpp"
#include "mounts/mounts.hpp"
#include "runner.hpp"

namespace davit::docker_plugin {
namespace {

constexpr std::uint64_t kDefaultStopMs = 5'000;
constexpr std::int64_t kKillMs = 20'000;  // from SIGKILL to the end, at the very most
constexpr int kSliceMs = 50;

std::string terminal_type() {
  const char* type = std::getenv("TERM");
  return type != nullptr && *type != '\0' ? type : "xterm";
}

/// Letters, digits, - and _ of a task's name, for a container's.
std::string name_part(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ? c : '-';
  return out.empty() ? "task" : out;
}

/// Not one of the engine's own: containers on those join no others.
bool is_app_network(const std::string& network) {
  return network != "none" && network != "host" && network != "bridge";
}

std::string next_name(const sdk::Task& task) {
  static std::atomic<unsigned> count{0};
  return name_part(task.owner.empty() ? "davit" : task.owner) + "." + name_part(task.name) + "." +
         std::to_string(getpid()) + "." + std::to_string(++count);
}

}  // namespace

/// A container from its making to its removal.
struct Tasks::Running {
  Running(Engine& engine, std::string container) : engine(engine), id(std::move(container)) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    try {
      remove_container(engine, id);
    } catch (const std::exception&) {  // the next sweep tries again
    }
  }
  Engine& engine;
  std::string id;
  std::unique_ptr<Hijacked> connection;
  std::unique_ptr<Pump> pump;
  std::unique_ptr<Stream> waiting;  ///< answers when the container ends
  bool output_over = false;
  std::string answer;

  /// True once it has ended. Waits a moment at most.
  bool ended() {
    pollfd watched{waiting->fd(), POLLIN, 0};
    if (!waiting->ready() && poll(&watched, 1, kSliceMs) <= 0) return false;
    return !waiting->read(answer) || answer.find('}') != std::string::npos;
  }
};

std::string Tasks::network_for(const sdk::Call& call, const sdk::Task& task, bool is_build) {
  if (task.network == DAVIT_NETWORK_NONE) return "none";
  if (is_build && base_.config.build_network == "host") return "host";
  if (task.owner.empty()) return "bridge";
  return networks_.first(call, task.owner_kind, task.owner);
}

ContainerSpec Tasks::spec_for(const sdk::Call& call, const sdk::Task& task, bool is_build) {
  const bool tty = (task.flags & DAVIT_TASK_TTY) != 0;
  const RunUser user = user_named(find_app_user(base_.host, call), task.user);
  own_mounts(base_.host, call, task.mounts, user);
  const RunnableImage image = images_.runnable(call, task.owner, task.artifact, user);
  ContainerSpec spec;
  spec.image = image.reference;
  spec.entrypoint = image.entrypoint;
  spec.argv = task.argv.empty() ? image.command : task.argv;
  spec.env = task.env;
  spec.cwd = task.cwd;
  if (!image.as_it_is) {
    set_default(spec.env, "HOME", task.artifact ? "/app" : "/tmp");
    spec.user = user.text();
    if (spec.cwd.empty()) spec.cwd = task.artifact ? "/app" : "/";
  }
  if (tty) set_default(spec.env, "TERM", terminal_type());
  spec.mounts = task.mounts;
  spec.limits = task.limits.value_or(sdk::Limits());
  spec.batch = sched_getscheduler(0) == SCHED_BATCH;  // as who runs it: a deployment does
  spec.init_folder = records_.init_folder();
  spec.network = network_for(call, task, is_build);
  spec.tty = tty;
  spec.input = task.fds[0] >= 0;
  if (tty) spec.window = window_size(task.fds[0]);
  spec.options = options_of(base_.host, call, task.owner_kind == DAVIT_OWNER_APP ? task.owner : "",
                            is_build ? Phase::kBuild : Phase::kRun);
  spec.labels = {{kLabelHome, base_.config.home_id},
                 {kLabelHomePath, base_.config.home},
                 {kLabelKind, "task"},
                 {kLabelOwnerKind, owner_word(task.owner_kind)},
                 {kLabelOwner, task.owner},
                 {"davit.task", task.name},
                 {kLabelRunner, this_runner()}};
  return spec;
}

std::string Tasks::create(const sdk::Call& call, const sdk::Task& task, const ContainerSpec& spec) {
  const Json json = container_json(spec);
  try {
    return text_in(base_.engine.post("/containers/create", {{"name", next_name(task)}}, json, patience(call)),
                   "Id");
  } catch (const EngineFailure& failure) {
    if (failure.http_status() != 409) throw;
    return text_in(base_.engine.post("/containers/create", {}, json, patience(call)), "Id");
  }
}

void Tasks::signal(const std::string& id, const char* name) {
  try {
    (void)base_.engine.post("/containers/" + id + "/kill", {{"signal", name}}, nullptr, steady());
  } catch (const EngineFailure& failure) {
    if (failure.http_status() != 404 && failure.http_status() != 409) throw;  // it has ended meanwhile
  }
}

/// SIGTERM to everything inside (davit-init passes it to all), and SIGKILL at the end of the stop timeout.
/// What is said meanwhile still reaches the user.
void Tasks::end(Running& running, std::uint64_t stop_timeout_ms) {
  signal(running.id, "SIGTERM");
  const std::int64_t kill_at = base_.host.now_mono_ms() + static_cast<std::int64_t>(stop_timeout_ms);
  bool killed = false;
  while (base_.host.now_mono_ms() < kill_at + kKillMs) {
    if (!killed && base_.host.now_mono_ms() >= kill_at) {
      signal(running.id, "SIGKILL");
      killed = true;
    }
    if (!running.output_over) {
      const std::int64_t turn = base_.host.now_mono_ms();  // one round of the pump, not more
      running.output_over =
          running.pump->run_until([this, turn] { return base_.host.now_mono_ms() - turn > kSliceMs; });
    }
    if (running.ended() && running.output_over) return;
  }
}

void Tasks::tell_of_memory(const sdk::Task& task, const std::string& id) {
  Json facts;
  if (!base_.engine.find("/containers/" + id + "/json", {}, facts, steady())) return;
  const Json& state = object_in(facts, "State");
  if (!state.contains("OOMKilled") || !state["OOMKilled"].is_boolean() || !state["OOMKilled"].get<bool>())
    return;
  const std::int64_t limit = number_in(object_in(facts, "HostConfig"), "Memory");
  const std::string text = fmt::format("davit: killed at its memory limit of {} MiB\n", limit >> 20);
  if (task.fds[2] >= 0) {
    (void)!write(task.fds[2], text.data(), text.size());
  } else if (task.err) {
    task.err(text);
  } else if (task.out) {
    task.out(text);
  }
}

std::int32_t Tasks::wait_for(const sdk::Call& call, const sdk::Task& task, Running& running) {
  const std::uint64_t time_ms = task.limits ? task.limits->time_ms : 0;
  const std::int64_t deadline =
      time_ms == 0 ? 0 : base_.host.now_mono_ms() + static_cast<std::int64_t>(time_ms);
  const auto late = [&] { return deadline != 0 && base_.host.now_mono_ms() >= deadline; };
  const auto over = [&] { return call.cancelled() || late() || running.pump->reader_gone(); };
  running.output_over = running.pump->run_until(over);
  while (!running.ended()) {
    if (!over()) continue;
    const bool cancelled = call.cancelled();
    end(running, task.stop_timeout_ms != 0 ? task.stop_timeout_ms : kDefaultStopMs);
    if (cancelled)
      throw sdk::Failure(DAVIT_CANCELLED, "cancelled", "the task " + task.name + " was cancelled");
    if (running.pump->reader_gone()) break;
    throw sdk::Failure(DAVIT_TIMEOUT, "task-timeout",
                       fmt::format("the task {} did not end within {} s", task.name, time_ms / 1000),
                       "raise its limit of time, or make it shorter");
  }
  if (running.pump->reader_gone()) return kReaderGoneCode;
  const Json said = Json::parse(running.answer, nullptr, false);
  return static_cast<std::int32_t>(number_in(said, "StatusCode", -1));
}

std::int32_t Tasks::run_task(const sdk::Call& call, const sdk::Task& task) {
  const bool image = task.artifact && task.artifact->kind == DAVIT_ARTIFACT_IMAGE;
  if (task.argv.empty() ? !image : task.argv.front().empty())
    throw sdk::Failure(DAVIT_INVALID, "no-command", "the task " + task.name + " has no command",
                       "give it one");
  check_environment(task.env);
  mounts::check_mounts(task.mounts, kInitMount);
  sweep(call);
  const bool is_build = !task.artifact && task.name == "build";
  if (is_build) images_.note_build(call, task.owner);
  const ContainerSpec spec = spec_for(call, task, is_build);
  call.throw_if_cancelled();
  Running running(base_.engine, create(call, task, spec));
  if (is_app_network(spec.network)) networks_.join(call, running.id, task.owner_kind, task.owner, {});
  const std::string at = "/containers/" + running.id;
  running.connection = base_.engine.hijack(
      at + "/attach", {{"stream", "1"}, {"stdin", spec.input ? "1" : "0"}, {"stdout", "1"}, {"stderr", "1"}},
      nullptr, patience(call));
  // Not the call's patience: after a cancel this connection still has to tell of the end.
  running.waiting =
      base_.engine.stream("POST", at + "/wait", {{"condition", "next-exit"}}, nullptr, steady(0));
  PumpSpec pump{spec.tty, task.fds, task.out, task.err, {}};
  pump.resized = [this, at](const WindowSize& size) {
    try {
      (void)base_.engine.post(at + "/resize",
                              {{"h", std::to_string(size.rows)}, {"w", std::to_string(size.columns)}},
                              nullptr, steady());
    } catch (const EngineFailure&) {  // it has just ended
    }
  };
  running.pump = std::make_unique<Pump>(*running.connection, std::move(pump));
  std::optional<RawTerminal> raw;
  if (spec.tty && task.fds[0] >= 0) raw.emplace(task.fds[0]);
  networks_.start(call, running.id, task.owner_kind, task.owner);
  const std::int32_t code = wait_for(call, task, running);
  if (code == 137) tell_of_memory(task, running.id);
  return code;
}

void Tasks::sweep(const sdk::Call& call) {
  const Json listed = base_.engine.get(
      "/containers/json",
      {{"all", "1"},
       {"filters", label_filter({std::string(kLabelHome) + "=" + base_.config.home_id, kLabelRunner})}},
      patience(call));
  for (const Json& container : listed) {
    const Json& labels = object_in(container, "Labels");
    // An instance may have the label from an image: the engine hands images' labels on.
    const std::string kind = text_in(labels, kLabelKind);
    if ((kind != "task" && kind != "scratch") || runner_lives(text_in(labels, kLabelRunner))) continue;
    const std::string state = text_in(container, "State");
    const bool ran = state == "running" || state == "exited";
    if (kind == "task" ? !is_davits(base_.engine, container, patience(call)) : ran) continue;
    remove_container(base_.engine, text_in(container, "Id"));
  }
  sweep_execs(call);
}

}  // namespace davit::docker_plugin
