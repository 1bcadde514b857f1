// From a group to units: the folder with the slug's copy, the port, the environment, and the command line
// with or without a sandbox. Part of Instances (instances.hpp).
#include "instance_plan.hpp"

#include "environment.hpp"
#include "mounts/mounts.hpp"
#include "path_map.hpp"
#include "slug_copy.hpp"
#include "trees.hpp"

namespace davit::process_plugin {

void check_mounts(const std::vector<sdk::Mount>& mounts) {
  mounts::check_mounts(mounts, kInside);
  for (const sdk::Mount& mount : mounts) {
    for (const char* link : {"/var/tmp", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
      if (!(mount.target + "/").starts_with(std::string(link) + "/")) continue;
      throw sdk::Failure(
          DAVIT_INVALID, "mount",
          "nothing can be mounted at " + mount.target + ": " + link + " is a link in a sandbox",
          "mount it elsewhere, such as below /app, or where the link leads to");
    }
  }
}

void own_mounts(const std::vector<sdk::Mount>& mounts, const RunUser& user, bool sandboxed) {
  if (!user.drop) return;
  for (const sdk::Mount& mount : mounts) {
    if ((mount.flags & DAVIT_MOUNT_OWN) != 0) give_tree(mount.source, user.uid, user.gid, sandboxed);
  }
}

void Instances::check(const sdk::Group& group) const {
  check_group(GroupName{group.owner, group.revision, group.process_type});
  if (group.port != 0 && group.count > 1) {
    throw sdk::Failure(DAVIT_INVALID, "one-port",
                       "one port was given for several instances of " + group.owner);
  }
  if (group.argv.empty() || group.argv.front().empty()) {
    throw sdk::Failure(DAVIT_INVALID, "no-command",
                       "the process type " + group.process_type + " has no command",
                       "give it one in the Procfile");
  }
  check_environment(group.env);
  check_mounts(group.mounts);
}

Instances::Plan Instances::plan_for(const sdk::Call& call, const sdk::Group& group) {
  const Verdict& verdict = machine_.verdict(call);
  Plan plan{group, machine_.user(call, group.user), verdict.sandboxed};
  if (!plan.sandboxed) call.warning("Instances run without a sandbox: " + verdict.reason);
  own_mounts(group.mounts, plan.user, plan.sandboxed);
  return plan;
}

/// The copy is made once and kept over restarts; a record without the right digest is what an interrupted
/// start, or another artifact under the same revision, has left.
InstanceRecord Instances::prepare_folder(const sdk::Call& call, const Plan& plan, const InstanceName& name,
                                         std::set<std::string>& made) {
  const std::string id = name.text();
  const std::string folder = records_.instance_folder(name);
  const std::string digest =
      plan.group.artifact ? plan.group.artifact->digest + plan.group.artifact->ref : "";
  const auto record = records_.instance(name);
  if (record && record->digest == digest && record->sandboxed == plan.sandboxed &&
      (record->uid == 0 || record->uid == plan.user.uid)) {
    return *record;
  }
  if (!record) made.insert(id);
  host_.supervise(call).remove(id);
  remove_tree(folder);
  make_folder(folder, 0711);
  if (plan.group.artifact) {
    copy_slug(host_, call, machine_.helper(), plan.user, *plan.group.artifact, folder + "/app");
  } else if (!plan.sandboxed) {
    make_folder(folder + "/app", 0755);
    if (plan.user.drop) give_tree(folder + "/app", plan.user.uid, plan.user.gid, false);
  }
  InstanceRecord next;
  next.owner_kind = plan.group.owner_kind;
  next.uid = plan.user.uid;
  next.gid = plan.user.gid;
  next.digest = digest;
  next.sandboxed = plan.sandboxed;
  SandboxSpec spec;
  spec.app = plan.group.artifact ? folder + "/app" : "";
  spec.mounts = plan.group.mounts;
  next.cwd = plan.sandboxed ? default_cwd(spec) : folder + "/app";
  return next;
}

sdk::Unit Instances::prepare_instance(const sdk::Call& call, const Plan& plan, const InstanceName& name,
                                      std::set<std::string>& made) {
  InstanceRecord record = prepare_folder(call, plan, name, made);
  std::uint32_t port = 0;
  if ((plan.group.flags & DAVIT_GROUP_LISTENS) != 0) {
    port = plan.group.port != 0 ? plan.group.port : host_.ports(call).lease(name.text());
    if (record.port != port) {
      record.port = port;
      made.insert(name.text());
    }
  }
  if (records_.instance(name) != record) records_.write(name, record);
  return unit_for(plan, name, port);
}

sdk::Pairs Instances::environment_for(const Plan& plan, const InstanceName& name, std::uint32_t port) const {
  sdk::Pairs env = plan.group.env;
  if (port != 0) set_value(env, "PORT", std::to_string(port));
  set_value(env, "DAVIT_INSTANCE", name.text());
  set_default(env, "HOME", plan.group.artifact ? "/app" : "/tmp");
  set_default(env, "PATH", kDefaultPath);
  return env;
}

sdk::Unit Instances::unit_for(const Plan& plan, const InstanceName& name, std::uint32_t port) const {
  const sdk::Group& group = plan.group;
  sdk::Unit unit;
  unit.name = name.text();
  unit.limits = group.limits;
  const std::string tail = name.group.revision + "." + name.group.type + "." + std::to_string(name.number);
  unit.log_dir = log_folder(group.owner_kind, group.owner) + "/" + tail;
  unit.log_file_bytes = config_.log_file_bytes;
  unit.log_files = config_.log_files;
  if (plan.user.drop) unit.log_user = group.user.empty() ? "app" : group.user;
  unit.restart = group.restart;
  unit.max_retries = group.max_retries;
  unit.stop_signal = group.stop_signal;
  unit.stop_timeout_ms = group.stop_timeout_ms;
  const sdk::Pairs env = environment_for(plan, name, port);
  if (plan.sandboxed) {
    shape_sandboxed(unit, plan, name, env);
  } else {
    shape_plain(unit, plan, name, env);
  }
  return unit;
}

void Instances::shape_sandboxed(sdk::Unit& unit, const Plan& plan, const InstanceName& name,
                                const sdk::Pairs& env) const {
  SandboxSpec spec;
  spec.user = plan.user;
  spec.etc = machine_.accounts(plan.user);
  if (plan.group.artifact) spec.app = records_.instance_folder(name) + "/app";
  spec.mounts = plan.group.mounts;
  spec.tmp_bytes = config_.tmp_bytes;
  spec.stop_signal = plan.group.stop_signal;
  if (plan.group.limits) spec.file_bytes = plan.group.limits->file_bytes;
  spec.argv = plan.group.argv;
  unit.flags = DAVIT_UNIT_SANDBOXED;
  unit.argv = sandbox_argv(machine_.system(), spec);
  unit.env = wrapped_environment(env);
  unit.cwd = "/";
}

PathMap plain_paths(const std::string& app, const std::vector<sdk::Mount>& mounts) {
  PathMap map;
  if (!app.empty()) map.add("/app", app);
  for (const sdk::Mount& mount : mounts) map.add(mount.target, mount.source);
  return map;
}

void Instances::shape_plain(sdk::Unit& unit, const Plan& plan, const InstanceName& name,
                            const sdk::Pairs& env) const {
  const std::string app = records_.instance_folder(name) + "/app";
  const PathMap map = plain_paths(app, plan.group.mounts);
  unit.argv = {machine_.helper(), "as"};
  for (std::string& word : user_options(plan.user)) unit.argv.push_back(std::move(word));
  if (plan.group.limits && plan.group.limits->file_bytes != 0) {
    unit.argv.insert(unit.argv.end(), {"--file-bytes", std::to_string(plan.group.limits->file_bytes)});
  }
  unit.argv.insert(unit.argv.end(), {"--cwd", app, "--"});
  for (std::string& word : map.words(plan.group.argv)) unit.argv.push_back(std::move(word));
  unit.env = map.values(env);
  unit.cwd = "/";
}

}  // namespace davit::process_plugin
