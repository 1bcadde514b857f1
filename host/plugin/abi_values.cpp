// Values across the ABI: host structs to C structs and back.
#include "plugin/abi_values.hpp"

#include <memory>

namespace davit {

davit_artifact abi(const ArtifactRef& artifact) {
  return {sizeof(davit_artifact), static_cast<std::uint32_t>(artifact.kind), abi(artifact.ref),
          abi(artifact.digest), abi(artifact.stack)};
}

davit_limits abi(const Limits& limits) {
  davit_limits out{};
  out.struct_size = sizeof out;
  out.pids = limits.pids;
  out.memory_bytes = limits.memory_bytes;
  out.memory_reserve_bytes = limits.memory_reserve_bytes;
  out.cpu_millis = limits.cpu_millis;
  out.cpu_reserve_millis = limits.cpu_reserve_millis;
  out.open_files = limits.open_files;
  out.time_ms = limits.time_ms;
  out.file_bytes = limits.file_bytes;
  return out;
}

davit_endpoint abi(const Endpoint& endpoint) {
  const bool is_tcp = endpoint.kind == Endpoint::Kind::kTcp;
  return {sizeof(davit_endpoint), is_tcp ? DAVIT_ENDPOINT_TCP : DAVIT_ENDPOINT_UNIX,
          abi(endpoint.host),     abi(endpoint.path),
          endpoint.port,          0,
          abi(endpoint.instance)};
}

davit_mount abi(const Mount& mount) {
  return {sizeof(davit_mount),
          (mount.read_only ? DAVIT_MOUNT_READ_ONLY : 0) | (mount.own ? DAVIT_MOUNT_OWN : 0),
          abi(mount.source), abi(mount.target)};
}

davit_selector abi(const Selector& selector) {
  return {sizeof(davit_selector),
          static_cast<std::uint32_t>(selector.owner_kind),
          abi(selector.owner),
          abi(selector.revision),
          abi(selector.process_type),
          selector.number,
          0};
}

AbiStrings::AbiStrings(const std::vector<std::string>& texts) {
  texts_.reserve(texts.size());
  for (const std::string& text : texts) texts_.push_back(abi(text));
}

AbiPairs::AbiPairs(const TextMap& pairs) {
  pairs_.reserve(pairs.size());
  for (const auto& [key, value] : pairs) pairs_.push_back({abi(key), abi(value)});
}

ArtifactRef artifact_of(const davit_artifact* artifact) {
  ArtifactRef out;
  if (artifact == nullptr) return out;
  if (artifact->kind == DAVIT_ARTIFACT_SLUG) out.kind = ArtifactRef::Kind::kSlug;
  if (artifact->kind == DAVIT_ARTIFACT_IMAGE) out.kind = ArtifactRef::Kind::kImage;
  if (DAVIT_HAS(artifact, davit_artifact, ref)) out.ref = copy(artifact->ref);
  if (DAVIT_HAS(artifact, davit_artifact, digest)) out.digest = copy(artifact->digest);
  if (DAVIT_HAS(artifact, davit_artifact, stack)) out.stack = copy(artifact->stack);
  return out;
}

Limits limits_of(const davit_limits* limits) {
  Limits out;
  if (limits == nullptr) return out;
  if (DAVIT_HAS(limits, davit_limits, pids)) out.pids = limits->pids;
  if (DAVIT_HAS(limits, davit_limits, memory_bytes)) out.memory_bytes = limits->memory_bytes;
  if (DAVIT_HAS(limits, davit_limits, memory_reserve_bytes))
    out.memory_reserve_bytes = limits->memory_reserve_bytes;
  if (DAVIT_HAS(limits, davit_limits, cpu_millis)) out.cpu_millis = limits->cpu_millis;
  if (DAVIT_HAS(limits, davit_limits, cpu_reserve_millis))
    out.cpu_reserve_millis = limits->cpu_reserve_millis;
  if (DAVIT_HAS(limits, davit_limits, open_files)) out.open_files = limits->open_files;
  if (DAVIT_HAS(limits, davit_limits, time_ms)) out.time_ms = limits->time_ms;
  if (DAVIT_HAS(limits, davit_limits, file_bytes)) out.file_bytes = limits->file_bytes;
  return out;
}

std::vector<Mount> mounts_of(davit_list mounts) {
  std::vector<Mount> out;
  for (std::uint64_t i = 0; mounts.data != nullptr && i < mounts.size; ++i) {
    const davit_mount* mount = DAVIT_AT(mounts, davit_mount, i);
    if (!DAVIT_HAS(mount, davit_mount, target)) continue;
    out.push_back({copy(mount->source), copy(mount->target), (mount->flags & DAVIT_MOUNT_READ_ONLY) != 0,
                   (mount->flags & DAVIT_MOUNT_OWN) != 0});
  }
  return out;
}

std::vector<Endpoint> endpoints_of(davit_list endpoints) {
  std::vector<Endpoint> out;
  for (std::uint64_t i = 0; endpoints.data != nullptr && i < endpoints.size; ++i) {
    const davit_endpoint* endpoint = DAVIT_AT(endpoints, davit_endpoint, i);
    if (!DAVIT_HAS(endpoint, davit_endpoint, port)) continue;
    Endpoint one;
    one.kind = endpoint->kind == DAVIT_ENDPOINT_UNIX ? Endpoint::Kind::kUnix : Endpoint::Kind::kTcp;
    one.host = copy(endpoint->host);
    one.path = copy(endpoint->path);
    one.port = endpoint->port;
    if (DAVIT_HAS(endpoint, davit_endpoint, instance)) one.instance = copy(endpoint->instance);
    out.push_back(std::move(one));
  }
  return out;
}

Instance instance_of(const davit_instance& instance) {
  Instance out;
  const davit_instance* in = &instance;
  if (in->state >= DAVIT_INSTANCE_STARTING && in->state <= DAVIT_INSTANCE_STOPPING)
    out.state = static_cast<InstanceState>(in->state);
  if (DAVIT_HAS(in, davit_instance, id)) out.id = copy(in->id);
  if (DAVIT_HAS(in, davit_instance, revision)) out.revision = copy(in->revision);
  if (DAVIT_HAS(in, davit_instance, process_type)) out.process_type = copy(in->process_type);
  if (DAVIT_HAS(in, davit_instance, number)) out.number = in->number;
  if (DAVIT_HAS(in, davit_instance, exits)) out.exits = in->exits;
  if (DAVIT_HAS(in, davit_instance, since_unix_ms)) out.since_unix_ms = in->since_unix_ms;
  if (DAVIT_HAS(in, davit_instance, exit_code)) out.exit_code = in->exit_code;
  if (DAVIT_HAS(in, davit_instance, pid)) out.pid = in->pid;
  if (DAVIT_HAS(in, davit_instance, endpoints)) out.endpoints = endpoints_of(in->endpoints);
  if (DAVIT_HAS(in, davit_instance, container)) out.container = copy(in->container);
  if (DAVIT_HAS(in, davit_instance, listening) && in->listening <= DAVIT_LISTENING_NO)
    out.listening = static_cast<Listening>(in->listening);
  return out;
}

ByteSink sink_of(const davit_sink* sink) {
  if (sink == nullptr || sink->write == nullptr) return {};
  return [sink, refused = false](std::string_view bytes) mutable {
    if (!refused) refused = sink->write(sink->sink_data, abi(bytes)) != DAVIT_OK;
  };
}

TaskRequest task_of(const davit_task& task) {
  const davit_task* in = &task;
  TaskRequest out;
  out.owner_kind = in->owner_kind == DAVIT_OWNER_SERVICE ? OwnerKind::kService : OwnerKind::kApp;
  out.no_network = in->network == DAVIT_NETWORK_NONE;
  out.tty = (in->flags & DAVIT_TASK_TTY) != 0;
  out.read_only_app = (in->flags & DAVIT_TASK_READ_ONLY_APP) != 0;
  if (DAVIT_HAS(in, davit_task, owner)) out.owner = copy(in->owner);
  if (DAVIT_HAS(in, davit_task, name)) out.name = copy(in->name);
  if (DAVIT_HAS(in, davit_task, artifact)) out.artifact = artifact_of(in->artifact);
  if (DAVIT_HAS(in, davit_task, argv)) out.argv = copy(in->argv);
  if (DAVIT_HAS(in, davit_task, env)) out.env = copy(in->env);
  if (DAVIT_HAS(in, davit_task, cwd)) out.cwd = copy(in->cwd);
  if (DAVIT_HAS(in, davit_task, mounts)) out.mounts = mounts_of(in->mounts);
  if (DAVIT_HAS(in, davit_task, limits)) out.limits = limits_of(in->limits);
  if (DAVIT_HAS(in, davit_task, user)) out.user = copy(in->user);
  if (DAVIT_HAS(in, davit_task, stop_timeout_ms) && in->stop_timeout_ms != 0)
    out.stop_timeout_ms = in->stop_timeout_ms;
  if (DAVIT_HAS(in, davit_task, fds)) out.fds = {in->fds[0], in->fds[1], in->fds[2]};
  if (DAVIT_HAS(in, davit_task, out)) out.out = sink_of(in->out);
  if (DAVIT_HAS(in, davit_task, err)) out.err = sink_of(in->err);
  return out;
}

}  // namespace davit
