// Asking for instances, looking at them, ending them; see instances.hpp. How one is made is in
// instance_plan.cpp.
#include "instances.hpp"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "instance_plan.hpp"
#include "trees.hpp"

namespace davit::process_plugin {
namespace {

constexpr std::uint64_t kLongestWaitMs = 250;  // between two looks: the contract's bound for a missed change
constexpr std::size_t kMostAwaited = 64;       // names in one supervise.wait

std::uint32_t state_of(const davit_unit_status& status) {
  if (status.up != 0) return status.wanted_up != 0 ? DAVIT_INSTANCE_UP : DAVIT_INSTANCE_STOPPING;
  if (status.wanted_up == 0) return DAVIT_INSTANCE_EXITED;
  return status.exits > 0 ? DAVIT_INSTANCE_BACKOFF : DAVIT_INSTANCE_STARTING;
}

/// A server is one program, and people look for its pid: not for that of davit-init, which it stands below in
/// a sandbox. An app's instance is all that stands below davit-init.
std::int32_t server_below(std::int32_t pid) try {
  const std::string folder = "/proc/" + std::to_string(pid);
  if (pid <= 0 || read_file(folder + "/comm").value_or("") != "davit-init\n") return pid;
  const std::string children = read_file(folder + "/task/" + std::to_string(pid) + "/children").value_or("");
  std::int32_t child = 0;
  std::from_chars(children.data(), children.data() + children.size(), child);
  return child > 0 ? child : pid;
} catch (const sdk::Failure&) {
  return pid;  // it ended while we looked
}

void check_selector(const sdk::Selector& selector) {
  if (!selector.owner.empty()) return;
  throw sdk::Failure(DAVIT_INVALID, "selector", "instances were selected without an owner");
}

}  // namespace

std::string Instances::log_folder(std::uint32_t owner_kind, const std::string& owner) const {
  const std::string& base = owner_kind == DAVIT_OWNER_SERVICE ? config_.logs : config_.app_logs;
  return base + "/" + owner;
}

void Instances::refresh_firewall(const sdk::Call& call) const {
  const std::string trouble = firewall_.refresh(call);
  if (trouble.empty()) return;
  call.warning("Instances' ports are open to every user of this machine: " + trouble);
}

bool Instances::of_kind(const sdk::Selector& selector, const InstanceName& name) const {
  const auto record = records_.instance(name);
  if (record) return record->owner_kind == selector.owner_kind;
  const auto group = records_.group(name.group);
  return !group || group->owner_kind == selector.owner_kind;  // half made: by its name alone
}

std::vector<InstanceName> Instances::select(const sdk::Call& call, const sdk::Selector& selector) const {
  check_selector(selector);
  std::set<InstanceName> found;
  for (const InstanceName& name : records_.instances()) {
    if (matches(selector, name)) found.insert(name);
  }
  for (const std::string& unit : host_.supervise(call).names(selector.owner + ".")) {
    const auto name = parse_instance(unit);
    if (name && matches(selector, *name)) found.insert(*name);
  }
  std::vector<InstanceName> selected;
  for (const InstanceName& name : found) {
    if (of_kind(selector, name)) selected.push_back(name);
  }
  return selected;
}

bool Instances::is_kept(const sdk::Call& call, const sdk::Group& group, const InstanceName& name) const {
  if ((group.flags & DAVIT_GROUP_KEEP) == 0 || !records_.instance(name)) return false;
  const auto status = host_.supervise(call).status(name.text());
  return status && status->up != 0 && status->wanted_up != 0;
}

void Instances::apply(const sdk::Call& call, const sdk::Group& group) {
  check(group);
  const GroupName name{group.owner, group.revision, group.process_type};
  const auto before = records_.group(name);
  if (before && before->owner_kind != group.owner_kind) {
    throw sdk::Failure(DAVIT_CONFLICT, "name-taken", "an app and a service both use the name " + group.owner,
                       "rename one of them");
  }
  const bool listens = (group.flags & DAVIT_GROUP_LISTENS) != 0;
  std::set<std::string> made;
  try {
    const Plan plan = plan_for(call, group);
    records_.write(name, GroupRecord{group.owner_kind, group.count});
    std::vector<sdk::Unit> units;
    for (std::uint32_t number = 1; number <= group.count; ++number) {
      const InstanceName one{name, number};
      if (is_kept(call, group, one)) continue;
      units.push_back(prepare_instance(call, plan, one, made));
    }
    if (listens && !made.empty()) refresh_firewall(call);  // before anything listens
    for (const sdk::Unit& unit : units) host_.supervise(call).ensure(unit);
  } catch (...) {
    // What this call began goes; what was there stays. The first failure is the one to report.
    try {
      for (const std::string& id : made) forget_instance(call, *parse_instance(id));
      if (before) {
        records_.write(name, *before);
      } else {
        records_.forget(name);
      }
      if (!made.empty()) refresh_firewall(call);
    } catch (const std::exception& error) {
      call.log_error("undoing the start of " + name.text() + ": " + error.what());
    }
    throw;
  }
  bool fewer = false;
  for (const InstanceName& instance : records_.instances()) {
    if (instance.group != name || instance.number <= group.count) continue;
    forget_instance(call, instance);
    fewer = true;
  }
  if (listens && fewer) refresh_firewall(call);
}

std::vector<sdk::Instance> Instances::inspect(const sdk::Call& call, const sdk::Selector& selector) {
  std::vector<sdk::Instance> found;
  const sdk::Supervise supervise = host_.supervise(call);
  for (const InstanceName& name : select(call, selector)) {
    sdk::Instance instance;
    instance.id = name.text();
    instance.revision = name.group.revision;
    instance.process_type = name.group.type;
    instance.number = name.number;
    instance.state = DAVIT_INSTANCE_EXITED;  // no unit: half made, or half removed
    Seen seen;
    if (const auto status = supervise.status(instance.id)) {
      instance.state = state_of(*status);
      instance.exits = status->exits;
      instance.since_unix_ms = status->since_unix_ms;
      instance.exit_code = status->exit_code;
      instance.pid = status->up != 0 ? status->pid : 0;
      if (selector.owner_kind == DAVIT_OWNER_SERVICE) instance.pid = server_below(instance.pid);
      seen = Seen{status->up, status->wanted_up, status->pid, status->exits};
    }
    const auto record = records_.instance(name);
    if (record && record->port != 0) {
      instance.endpoints.push_back(
          sdk::Endpoint{DAVIT_ENDPOINT_TCP, "127.0.0.1", "", record->port, instance.id});
    }
    seen_[instance.id] = seen;
    found.push_back(std::move(instance));
  }
  std::ranges::sort(found, {}, [](const sdk::Instance& instance) {
    return std::tuple(instance.revision, instance.process_type, instance.number);
  });
  return found;
}

Instances::SeenMap Instances::look(const sdk::Call& call, const sdk::Selector& selector) const {
  SeenMap now;
  const sdk::Supervise supervise = host_.supervise(call);
  for (const InstanceName& name : select(call, selector)) {
    Seen& seen = now[name.text()];
    if (const auto status = supervise.status(name.text())) {
      seen = Seen{status->up, status->wanted_up, status->pid, status->exits};
    }
  }
  return now;
}

void Instances::wait_change(const sdk::Call& call, const sdk::Selector& selector, std::uint64_t timeout_ms) {
  const std::int64_t end =
      host_.now_mono_ms() + static_cast<std::int64_t>(std::min<std::uint64_t>(timeout_ms, 1U << 30));
  // Compared with what the caller was shown last, so that nothing between that and this call is missed.
  const SeenMap before = look(call, selector);
  for (const auto& [id, seen] : before) {
    const auto shown = seen_.find(id);
    if (shown != seen_.end() && shown->second != seen) return;
  }
  for (;;) {
    call.throw_if_cancelled();
    const std::int64_t left = end - host_.now_mono_ms();
    if (left <= 0) return;
    sdk::Strings names;
    for (const auto& entry : before) {
      if (names.size() < kMostAwaited) names.push_back(entry.first);
    }
    const std::uint64_t slice = std::min<std::uint64_t>(kLongestWaitMs, static_cast<std::uint64_t>(left));
    if (names.empty()) {
      poll(nullptr, 0,
           static_cast<int>(slice));  // nothing that could have an event; one may be made meanwhile
    } else if (host_.supervise(call).wait(names, DAVIT_UNIT_WAIT_CHANGE, slice)) {
      return;
    }
    if (look(call, selector) != before) return;
  }
}

// All of them get their stop signal before the first is waited for: together they take as long as the
// slowest.
void Instances::take_down(const sdk::Call& call, const std::vector<InstanceName>& names) const {
  const sdk::Supervise supervise = host_.supervise(call);
  for (const InstanceName& name : names) {
    if (supervise.status(name.text())) supervise.down(name.text());
  }
}

void Instances::stop(const sdk::Call& call, const sdk::Selector& selector) {
  const sdk::Supervise supervise = host_.supervise(call);
  const auto names = select(call, selector);
  take_down(call, names);
  for (const InstanceName& name : names) {
    if (supervise.status(name.text())) supervise.stop(name.text());
  }
}

void Instances::start(const sdk::Call& call, const sdk::Selector& selector) {
  const sdk::Supervise supervise = host_.supervise(call);
  for (const InstanceName& name : select(call, selector)) {
    if (supervise.status(name.text())) supervise.start(name.text());
  }
}

void Instances::forget_instance(const sdk::Call& call, const InstanceName& name) const {
  const std::string id = name.text();
  host_.supervise(call).remove(id);
  host_.ports(call).release(id);
  remove_tree(records_.instance_folder(name));
}

void Instances::remove(const sdk::Call& call, const sdk::Selector& selector, bool forget_logs) {
  bool listened = false;
  const auto names = select(call, selector);
  take_down(call, names);
  for (const InstanceName& name : names) {
    const auto record = records_.instance(name);
    listened = listened || !record || record->port != 0;
    forget_instance(call, name);
    seen_.erase(name.text());
  }
  if (listened) refresh_firewall(call);
  if (forget_logs) {
    const std::string folder = log_folder(selector.owner_kind, selector.owner);
    for (const std::string& log : names_in(folder)) {
      const auto name = parse_instance(selector.owner + "." + log);
      if (name && matches(selector, *name)) remove_tree(folder + "/" + log);
    }
    if (names_in(folder).empty()) remove_tree(folder);
  }
  if (selector.number != 0) return;  // one of a group: the group stays
  for (const GroupName& group : records_.groups()) {
    if (!matches(selector, group)) continue;
    const auto record = records_.group(group);
    if (!record || record->owner_kind == selector.owner_kind) records_.forget(group);
  }
}

sdk::Strings Instances::list_owned(const sdk::Call& call) {
  std::set<std::string> owned;
  const auto add = [&owned](const GroupName& group, std::uint32_t kind) {
    const char* word = kind == DAVIT_OWNER_SERVICE ? "service" : "app";
    owned.insert(std::string(word) + "/" + group.owner + "/" + group.revision + "/" + group.type);
  };
  for (const GroupName& group : records_.groups()) {
    if (const auto record = records_.group(group)) add(group, record->owner_kind);
  }
  for (const InstanceName& name : records_.instances()) {  // half made ones too
    const auto record = records_.instance(name);
    const auto group = records_.group(name.group);
    add(name.group, record ? record->owner_kind : group ? group->owner_kind : DAVIT_OWNER_APP);
  }
  (void)call;
  return {owned.begin(), owned.end()};
}

}  // namespace davit::process_plugin
