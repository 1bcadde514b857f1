// From a group to containers. Part of Instances (instances.hpp).
#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "instances.hpp"
#include "mounts/mounts.hpp"

namespace davit::docker_plugin {

struct Instances::Plan {
  const sdk::Group& group;
  RunUser user;
  RunnableImage image;
  std::string network;
  std::string hash;
  std::vector<Option> options;
  bool listens = false;
  bool all_interfaces = false;
  std::uint32_t inner_port = 0;
};

std::vector<Option> options_of(const sdk::Host& host, const sdk::Call& call, const std::string& app,
                               Phase phase) {
  std::vector<Option> options;
  for (const std::string& text : host.properties(call).list(app, "docker-options", name_of(phase))) {
    for (Option& option : parse_options(text, phase)) options.push_back(std::move(option));
  }
  return options;
}

std::uint32_t parse_port(const std::string& text) {
  std::uint32_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || port == 0 || port > 65535)
    throw sdk::Failure(DAVIT_INVALID, "port", "the property port is '" + text + "', which is no port",
                       "for example davit docker:set APP port 8080");
  return port;
}

RunUser user_named(const RunUser& app_user, const std::string& name) {
  if (name.empty() || name == "app") return app_user;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size() && number != 0) return {number, number};
  const passwd* account = getpwnam(name.c_str());
  if (account == nullptr)
    throw sdk::Failure(DAVIT_NOT_FOUND, "no-such-user", "this machine has no account " + name,
                       "create it, or leave the user empty");
  if (account->pw_uid == 0)
    throw sdk::Failure(DAVIT_DENIED, "root-refused", "slugs and builds never run as root",
                       "leave the user empty");
  return RunUser{account->pw_uid, account->pw_gid};
}

void own_mounts(const sdk::Host& host, const sdk::Call& call, const std::vector<sdk::Mount>& mounts,
                const RunUser& user) {
  if (geteuid() != 0) return;  // davit's own user is the app user
  sdk::Process chown;          // follows no links below the folders
  chown.argv = {"/usr/bin/chown", "--recursive", "--no-dereference", "-P", "--", user.text()};
  const std::size_t words = chown.argv.size();
  for (const sdk::Mount& mount : mounts) {
    if ((mount.flags & DAVIT_MOUNT_OWN) != 0) chown.argv.push_back(mount.source);
  }
  if (chown.argv.size() == words) return;
  const sdk::ProcessResult result = host.processes(call).capture(chown);
  if (result.exit_code != 0)
    throw sdk::Failure(DAVIT_UNAVAILABLE, "mount-owner",
                       "cannot give what is mounted to the app user: " + result.err.substr(0, 300),
                       "see permissions");
}

void Instances::check(const sdk::Group& group) const {
  check_group(group);
  const bool image = group.artifact && group.artifact->kind == DAVIT_ARTIFACT_IMAGE;
  const bool no_command = group.argv.empty() ? !image : group.argv.front().empty();
  if (no_command)
    throw sdk::Failure(DAVIT_INVALID, "no-command",
                       "the process type " + group.process_type + " has no command",
                       "give it one in the Procfile");
  check_environment(group.env);
  mounts::check_mounts(group.mounts, kInitMount);
}

/// What is set for the app, else what its image exposes.
std::uint32_t Instances::inner_port(const sdk::Call& call, const sdk::Group& group,
                                    const RunnableImage& image) const {
  if (group.port != 0) return group.port;  // its own network is the only one it is on
  if (!image.as_it_is) return kDefaultPort;
  const std::string app = group.owner_kind == DAVIT_OWNER_APP ? group.owner : "";
  const std::string set = base_.host.properties(call).get_own(app, "docker", "port").value_or("");
  if (!set.empty()) return parse_port(set);
  if (image.exposed.empty()) return kDefaultPort;
  const std::uint32_t port = *image.exposed.begin();
  if (image.exposed.size() > 1)
    call.warning(
        fmt::format("The image exposes {} ports; requests go to {}. Another: davit docker:set {} port N",
                    image.exposed.size(), port, group.owner));
  return port;
}

Instances::Plan Instances::plan_for(const sdk::Call& call, const sdk::Group& group) {
  const RunUser user = user_named(find_app_user(base_.host, call), group.user);
  Plan plan{group, user, {}, "", group_hash(group, user.text()), {}, (group.flags & DAVIT_GROUP_LISTENS) != 0,
            false, 0};
  plan.image = images_.runnable(call, group.owner, group.artifact, user);
  plan.options =
      options_of(base_.host, call, group.owner_kind == DAVIT_OWNER_APP ? group.owner : "",
                 is_detached_run(group.revision, group.process_type) ? Phase::kRun : Phase::kDeploy);
  if (group.owner_kind == DAVIT_OWNER_APP)
    plan.all_interfaces = networks_of(base_.host, call, group.owner).all_interfaces;
  if (plan.listens) plan.inner_port = inner_port(call, group, plan.image);
  own_mounts(base_.host, call, group.mounts, user);
  plan.network = networks_.first(call, group.owner_kind, group.owner);
  return plan;
}

ContainerSpec Instances::spec_for(const sdk::Call& call, const Plan& plan, const InstanceName& name) {
  const sdk::Group& group = plan.group;
  ContainerSpec spec;
  spec.image = plan.image.reference;
  spec.entrypoint = plan.image.entrypoint;
  spec.argv = group.argv.empty() ? plan.image.command : group.argv;
  spec.env = group.env;
  if (plan.listens) {
    spec.host_port = group.port != 0 ? group.port : base_.host.ports(call).lease(name.text());
    spec.inner_port = plan.inner_port;
    spec.all_interfaces = plan.all_interfaces;
    set_value(spec.env, "PORT", std::to_string(spec.inner_port));
  }
  set_value(spec.env, "DAVIT_INSTANCE", name.text());
  if (!plan.image.as_it_is) {
    set_default(spec.env, "HOME", group.artifact ? "/app" : "/tmp");
    spec.user = plan.user.text();
    spec.cwd = "/app";
    spec.read_only = base_.config.read_only;
  }
  spec.mounts = group.mounts;
  spec.limits = group.limits.value_or(sdk::Limits());
  spec.init_folder = records_.init_folder();
  spec.network = plan.network;
  spec.aliases = name.aliases();
  spec.restart = group.restart;
  spec.max_retries = group.max_retries;
  spec.stop_signal = group.stop_signal != 0 ? group.stop_signal : plan.image.stop_signal;
  spec.stop_timeout_ms = group.stop_timeout_ms;
  spec.log_file_bytes = base_.config.log_file_bytes;
  spec.log_files = base_.config.log_files;
  spec.options = plan.options;
  spec.labels = instance_labels(base_.config.home_id, name);
  spec.labels[kLabelHomePath] = base_.config.home;
  spec.labels[kLabelSpec] = plan.hash;
  spec.labels[kLabelStopMs] = std::to_string(group.stop_timeout_ms);
  // Always: an image may have such a label of its own.
  spec.labels[kLabelPort] = plan.listens ? std::to_string(spec.host_port) : "";
  return spec;
}

std::string Instances::create(const sdk::Call& call, const ContainerSpec& spec, const InstanceName& name) {
  const Json json = container_json(spec);
  // A name may be another home's or a stranger's: it is for people; davit finds its own by the labels.
  for (const std::string& wanted : {name.text(), name.text() + "-" + base_.config.home_id.substr(0, 6)}) {
    try {
      return text_in(base_.engine.post("/containers/create", {{"name", wanted}}, json, patience(call)), "Id");
    } catch (const EngineFailure& failure) {
      if (failure.http_status() != 409) throw;
    }
  }
  return text_in(base_.engine.post("/containers/create", {}, json, patience(call)), "Id");
}

std::string Instances::ensure(const sdk::Call& call, const Plan& plan, const InstanceName& name,
                              const std::vector<Found>& present) {
  const ContainerSpec spec = spec_for(call, plan, name);
  const Found* there = nullptr;
  for (const Found& container : present) {
    if (container.name != name) continue;
    const std::string port = spec.host_port == 0 ? "" : std::to_string(spec.host_port);
    const bool executes = container.state == "running" || container.state == "paused";
    const bool kept = (plan.group.flags & DAVIT_GROUP_KEEP) != 0 && executes;
    const bool same =
        kept || (container.label(kLabelSpec) == plan.hash && container.label(kLabelPort) == port);
    if (!same || there != nullptr || container.state == "dead" || container.state == "removing") {
      if (same) saved_.save(call, container);
      remove_container(base_.engine, container.id);
      continue;
    }
    there = &container;
    const bool ended_well = container.state == "exited" && plan.group.restart != DAVIT_RESTART_ALWAYS &&
                            !records_.is_stopped(container.id);
    if (container.state == "running" || container.state == "restarting" || ended_well) continue;
    const char* verb = container.state == "paused" ? "/unpause" : "/start";
    try {
      wake(call, container.id, verb);
    } catch (const EngineFailure& failure) {
      call.log_warn(name.text() + " cannot be started again and is made anew: " + failure.message());
      remove_container(base_.engine, container.id);
      there = nullptr;
    }
  }
  if (there != nullptr) {
    take_live_name(*there);  // whoever handed it on may have ended before it was taken
    return {};
  }
  Found made;
  made.id = create(call, spec, name);
  made.name = name;
  try {
    networks_.join(call, made.id, name.owner_kind, name.owner, spec.aliases);
    networks_.start(call, made.id, name.owner_kind, name.owner);
  } catch (...) {
    remove_container(base_.engine, made.id);
    throw;
  }
  take_live_name(made);
  return made.id;
}

void Instances::apply(const sdk::Call& call, const sdk::Group& group) {
  check(group);
  const InstanceName name{group.owner, group.revision, group.process_type, 0, group.owner_kind};
  const bool known = records_.has_group(name);
  const sdk::Selector selector{group.owner_kind, group.owner, group.revision, group.process_type, 0};
  const std::vector<Found> present = find_instances(base_, selector, patience(call));
  std::vector<Found> made;
  try {
    records_.keep_group(name);
    if (group.count > 0) {
      const Plan plan = plan_for(call, group);
      for (std::uint32_t number = 1; number <= group.count; ++number) {
        InstanceName one = name;
        one.number = number;
        const std::string id = ensure(call, plan, one, present);
        if (!id.empty()) made.push_back(Found{one, id, "", "", {}});
      }
    }
  } catch (...) {
    // What this call began goes; what was there stays. The first failure is the one to report.
    try {
      forget(call, made, false);
      if (!known) records_.forget_group(name);
      if (find_instances(base_, sdk::Selector{group.owner_kind, group.owner, "", "", 0}, steady()).empty()) {
        networks_.remove(group.owner_kind, group.owner);
      }
    } catch (const std::exception& error) {
      call.log_error("undoing the start of " + name.group() + ": " + error.what());
    }
    throw;
  }
  for (const Found& container : present) {
    if (container.name.number <= group.count) continue;
    remove(call,
           sdk::Selector{group.owner_kind, group.owner, group.revision, group.process_type,
                         container.name.number},
           false);
  }
}

}  // namespace davit::docker_plugin
