// Looking at instances, waiting for them, ending them; see instances.hpp. How one is made is in
// instance_plan.cpp.
#include "instances.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <sstream>

#include "files/files.hpp"
#include "listening.hpp"

namespace davit::docker_plugin {
namespace {

constexpr int kSliceMs = 100;
constexpr std::uint64_t kStopMarginMs = 60'000;  // beyond the stop timeout, until the engine counts as silent

std::int64_t unix_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

std::string seconds_text(std::int64_t ns) {
  const std::string fraction = std::to_string(1'000'000'000 + ns % 1'000'000'000).substr(1);
  return std::to_string(ns / 1'000'000'000) + "." + fraction;
}

void check_selector(const sdk::Selector& selector) {
  if (!selector.owner.empty()) return;
  throw sdk::Failure(DAVIT_INVALID, "selector", "instances were selected without an owner");
}

bool is_up(const Found& container) {
  return container.state == "running" || container.state == "restarting" || container.state == "paused";
}

std::uint32_t state_of(const std::string& status) {
  if (status == "running" || status == "paused") return DAVIT_INSTANCE_UP;
  if (status == "restarting") return DAVIT_INSTANCE_BACKOFF;
  if (status == "removing") return DAVIT_INSTANCE_STOPPING;
  if (status == "created") return DAVIT_INSTANCE_STARTING;
  return DAVIT_INSTANCE_EXITED;
}

/// Of a container with a published port: the one inside.
std::uint32_t inner_port_of(const Json& facts) {
  for (const auto& [port, unused] : object_in(object_in(facts, "HostConfig"), "PortBindings").items())
    return static_cast<std::uint32_t>(std::strtoul(port.c_str(), nullptr, 10));
  return 0;
}

/// Others than these, such as gVisor's, may have a stack of their own, of which the kernel's tables know
/// nothing.
bool has_hosts_network_stack(const Json& facts) {
  const std::string runtime = text_in(object_in(facts, "HostConfig"), "Runtime");
  constexpr std::string_view kKnown[] = {"", "runc", "crun", "oci", "io.containerd.runc.v2"};
  return std::ranges::find(kKnown, runtime) != std::end(kKnown);
}

/// The program that davit-init, a container's first process, started; itself as long as there is none.
std::int32_t program_below(std::int64_t init) {
  const std::string pid = std::to_string(init);
  std::istringstream children(files::read_file("/proc/" + pid + "/task/" + pid + "/children").value_or(""));
  for (std::int32_t child = 0; children >> child;) {
    if (files::read_file("/proc/" + std::to_string(child) + "/comm").value_or("") != "davit-relay\n")
      return child;
  }
  return static_cast<std::int32_t>(init);
}

}  // namespace

/// The engine forgets a container's last exit code when it starts it again, but not the event.
std::int32_t Instances::last_exit_code(const sdk::Call& call, const std::string& id) {
  const Json filters = {{"type", {"container"}}, {"container", {id}}, {"event", {"die"}}};
  const auto events = base_.engine.stream(
      "GET", "/events", {{"since", "0"}, {"until", seconds_text(unix_ns())}, {"filters", filters.dump()}},
      nullptr, patience(call));
  std::int32_t code = -1;
  read_messages(*events, [&code](const Json& event) {
    const std::string text = text_in(object_in(object_in(event, "Actor"), "Attributes"), "exitCode");
    if (!text.empty()) code = static_cast<std::int32_t>(std::strtol(text.c_str(), nullptr, 10));
  });
  return code;
}

sdk::Instance Instances::look_at(const sdk::Call& call, const Found& found) {
  sdk::Instance instance;
  instance.id = found.name.text();
  instance.revision = found.name.revision;
  instance.process_type = found.name.type;
  instance.number = found.name.number;
  instance.container = found.id;
  instance.state = DAVIT_INSTANCE_EXITED;
  if (const std::string port = found.label(kLabelPort); !port.empty()) {
    instance.endpoints.push_back(
        sdk::Endpoint{DAVIT_ENDPOINT_TCP, "127.0.0.1", "",
                      static_cast<std::uint32_t>(std::strtoul(port.c_str(), nullptr, 10)), instance.id});
  }
  Json facts;
  if (!base_.engine.find("/containers/" + found.id + "/json", {}, facts, patience(call)))
    return instance;  // just removed
  const Json& state = object_in(facts, "State");
  const std::string status = text_in(state, "Status");
  instance.state = state_of(status);
  instance.exits = static_cast<std::uint32_t>(number_in(facts, "RestartCount"));
  const std::string policy = text_in(object_in(object_in(facts, "HostConfig"), "RestartPolicy"), "Name");
  const bool ended_by_itself = instance.state == DAVIT_INSTANCE_EXITED && policy != "unless-stopped" &&
                               policy != "always" && !records_.is_stopped(found.id);
  if (ended_by_itself) ++instance.exits;
  const bool running = instance.state == DAVIT_INSTANCE_UP;
  instance.since_unix_ms = unix_ms_of(running ? text_in(state, "StartedAt") : text_in(state, "FinishedAt"));
  if (instance.since_unix_ms == 0) instance.since_unix_ms = unix_ms_of(text_in(facts, "Created"));
  if (running) instance.pid = program_below(number_in(state, "Pid"));
  if (instance.state == DAVIT_INSTANCE_EXITED || instance.state == DAVIT_INSTANCE_BACKOFF) {
    instance.exit_code = static_cast<std::int32_t>(number_in(state, "ExitCode", -1));
  } else if (instance.exits > 0) {
    instance.exit_code = last_exit_code(call, found.id);
  }
  if (running && !instance.endpoints.empty() && has_hosts_network_stack(facts))
    instance.listening = listening(instance.pid, found.id, inner_port_of(facts));
  return instance;
}

std::vector<sdk::Instance> Instances::inspect(const sdk::Call& call, const sdk::Selector& selector) {
  check_selector(selector);
  const std::int64_t begun = unix_ns();
  std::vector<sdk::Instance> instances;
  for (const Found& found : find_instances(base_, selector, patience(call)))
    instances.push_back(look_at(call, found));
  looked_ns_ = begun;
  return instances;
}

void Instances::wait_change(const sdk::Call& call, const sdk::Selector& selector, std::uint64_t timeout_ms) {
  check_selector(selector);
  const std::int64_t end =
      base_.host.now_mono_ms() + static_cast<std::int64_t>(std::min<std::uint64_t>(timeout_ms, 1U << 30));
  const Json filters = {
      {"type", {"container"}},
      {"label",
       {std::string(kLabelHome) + "=" + base_.config.home_id, std::string(kLabelKind) + "=instance",
        std::string(kLabelOwner) + "=" + selector.owner}},
      {"event", {"create", "start", "die", "destroy", "pause", "unpause"}}};
  // What happened since the last look comes first: nothing is missed between that and this call.
  const std::int64_t since = looked_ns_ != 0 ? looked_ns_ : unix_ns();
  const auto events =
      base_.engine.stream("GET", "/events", {{"since", seconds_text(since)}, {"filters", filters.dump()}},
                          nullptr, patience(call));
  std::string text;
  for (;;) {
    call.throw_if_cancelled();
    const std::int64_t left = end - base_.host.now_mono_ms();
    pollfd watched{events->fd(), POLLIN, 0};
    if (events->ready() ||
        poll(&watched, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, kSliceMs))) > 0) {
      try {
        if (!events->read(text)) return;
      } catch (const EngineFailure&) {
        return;  // the engine goes down: that is a change, and the next call says what it is
      }
      if (text.find('\n') == std::string::npos) continue;
      looked_ns_ = unix_ns();
      return;
    }
    if (left <= 0) return;
  }
}

void Instances::expose(const sdk::Call& call, const InstanceName& group) {
  if (!records_.has_group(group)) return;  // another runtime's
  const sdk::Selector selector{group.owner_kind, group.owner, group.revision, group.type, 0};
  if (networks_of(base_.host, call, group.owner).exposed.empty()) return;
  for (const Found& container : find_instances(base_, selector, patience(call)))
    networks_.expose(call, container.id, group.owner, container.name.aliases());
}

namespace {

void set_policy(Engine& engine, const std::string& id, const Json& policy) {
  try {
    (void)engine.post("/containers/" + id + "/update", {}, {{"RestartPolicy", policy}}, steady());
  } catch (const EngineFailure& failure) {
    // Podman's older ones cannot; they start nothing by themselves either.
    const int status = failure.http_status();
    if (status != 404 && status != 405 && status != 501) throw;
  }
}

}  // namespace

/// With the policy on-failure an engine that starts again starts what was stopped, too, if its exit code is
/// not 0: an old release beside the new one. `write_down` gets what wake() gives back. Where that cannot be
/// written, as on a full disk, the policy stays: what is to be stopped is stopped all the same.
void Instances::let_down(const sdk::Call& call, const Found& container,
                         const std::function<void(const std::string& policy)>& write_down) {
  Json facts;
  if (!base_.engine.find("/containers/" + container.id + "/json", {}, facts, steady())) return;
  const Json& policy = object_in(object_in(facts, "HostConfig"), "RestartPolicy");
  const bool changes = text_in(policy, "Name") == "on-failure";
  try {
    write_down(changes ? policy.dump() : records_.policy_of(container.id));
  } catch (const sdk::Failure& failure) {
    call.warning("That " + container.name.text() + " is stopped is not written down: " + failure.message());
    return;
  }
  if (!changes) return;
  try {
    set_policy(base_.engine, container.id, {{"Name", "no"}});
  } catch (const EngineFailure& failure) {
    call.warning(container.name.text() +
                 " may be started by an engine that starts again: " + failure.message());
  }
}

/// A policy that cannot be given back is kept in the record, and nothing is started.
void Instances::wake(const sdk::Call& call, const std::string& id, const std::string& verb) {
  const std::string policy = records_.policy_of(id);
  if (!policy.empty()) set_policy(base_.engine, id, Json::parse(policy, nullptr, false));
  (void)base_.engine.post("/containers/" + id + verb, {}, nullptr, patience(call));
  records_.clear_stopped(id);
}

void Instances::stop(const sdk::Call& call, const sdk::Selector& selector) {
  check_selector(selector);
  const auto found = find_instances(base_, selector, patience(call));
  for (const Found& container : found) {
    if (!is_up(container)) continue;
    let_down(call, container, [&](const std::string& policy) { records_.set_stopped(container.id, policy); });
  }
  stop_containers(found);
}

void Instances::halt_all(const sdk::Call& call) {
  std::vector<Found> up = find_instances(base_, {}, patience(call));
  std::erase_if(up, [](const Found& container) { return !is_up(container); });
  for (const Found& container : up)
    let_down(call, container, [&](const std::string& policy) { records_.set_halted(container.id, policy); });
  stop_containers(up);
}

void Instances::resume_all(const sdk::Call& call) {
  std::vector<Found> all = find_instances(base_, {}, patience(call));
  // Before the apps that use them.
  std::ranges::stable_partition(
      all, [](const Found& container) { return container.name.owner_kind == DAVIT_OWNER_SERVICE; });
  for (const Found& container : all) {
    if (!records_.is_halted(container.id)) continue;
    try {
      wake(call, container.id);
    } catch (const EngineFailure& failure) {
      call.warning(container.name.text() + " cannot be started again: " + failure.message());
    }
  }
}

/// At once, each in its own time; then SIGKILL.
void Instances::stop_containers(const std::vector<Found>& containers) {
  at_once(base_, containers, [](Engine& engine, const Found& container) {
    const std::uint64_t timeout_ms = std::strtoull(container.label(kLabelStopMs).c_str(), nullptr, 10);
    try {
      (void)engine.post("/containers/" + container.id + "/stop",
                        {{"t", std::to_string(stop_seconds(timeout_ms))}}, nullptr,
                        steady(timeout_ms + kStopMarginMs));
    } catch (const EngineFailure& failure) {
      if (failure.http_status() != 404) throw;  // gone is stopped
    }
  });
}

void Instances::start(const sdk::Call& call, const sdk::Selector& selector) {
  check_selector(selector);
  for (const Found& container : find_instances(base_, selector, patience(call))) {
    wake(call, container.id);
  }
}

/// Another revision's container becomes APP.TYPE.N before the one of that name is stopped: other containers
/// find the live one under it all the time.
void Instances::take_live_name(const Found& container) {
  if (container.container_name == container.name.live()) return;
  try {
    (void)base_.engine.post("/containers/" + container.id + "/rename", {{"name", container.name.live()}},
                            nullptr, steady());
  } catch (const EngineFailure&) {  // a stranger's, or another home's: it keeps its own name
  }
}

void Instances::forget(const sdk::Call& call, const std::vector<Found>& containers, bool keep_logs) {
  for (const Found& container : containers) {
    if (keep_logs) saved_.save(call, container);
    remove_container(base_.engine, container.id);
    records_.clear_stopped(container.id);
    base_.host.ports(call).release(container.name.text());
  }
}

void Instances::remove(const sdk::Call& call, const sdk::Selector& selector, bool forget_logs) {
  check_selector(selector);
  const std::vector<Found> goes = find_instances(base_, selector, steady());
  std::vector<Found> stay =
      find_instances(base_, sdk::Selector{selector.owner_kind, selector.owner, "", "", 0}, steady());
  std::set<std::string> going;
  for (const Found& container : goes) going.insert(container.id);
  std::erase_if(stay, [&](const Found& container) { return going.contains(container.id); });
  for (const Found& heir : heirs_of_free_names(stay)) {
    const auto holder = std::ranges::find(goes, heir.name.live(), &Found::container_name);
    if (holder == goes.end()) continue;
    try {
      (void)base_.engine.post("/containers/" + holder->id + "/rename", {{"name", holder->name.text()}},
                              nullptr, steady());
      take_live_name(heir);
    } catch (const EngineFailure& failure) {
      call.log_warn("handing on the name " + holder->container_name + ": " + failure.message());
    }
  }
  stop(call, selector);
  forget(call, goes, !forget_logs);
  // What a half-made or half-removed instance may have left, whatever its number.
  if (forget_logs) saved_.forget(selector);
  if (selector.number == 0) {
    for (const InstanceName& group : records_.groups()) {
      if (matches(selector, group)) records_.forget_group(group);
    }
  }
  // Asked again: stopping took a while, and an app that moves back has new ones by now. A handing on may have
  // ended halfway, too.
  const std::vector<Found> left =
      find_instances(base_, sdk::Selector{selector.owner_kind, selector.owner, "", "", 0}, steady());
  for (const Found& heir : heirs_of_free_names(left)) take_live_name(heir);
  if (left.empty()) networks_.remove(selector.owner_kind, selector.owner);
  images_.sweep(call);
}

sdk::Strings Instances::list_owned(const sdk::Call& call) {
  std::set<std::string> owned;
  const auto add = [&owned](const InstanceName& name) {
    owned.insert(owner_word(name.owner_kind) + "/" + name.owner + "/" + name.revision + "/" + name.type);
  };
  for (const InstanceName& group : records_.groups()) add(group);
  for (const Found& container : find_instances(base_, {}, patience(call))) add(container.name);
  return {owned.begin(), owned.end()};
}

}  // namespace davit::docker_plugin
