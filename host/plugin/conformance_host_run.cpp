// The recording host's tables of what would run: no program is started here, so processes, tasks and units
// refuse or pretend only as far as the rules of the tables need (ports and units are kept in memory).
#include <string>

#include "plugin/conformance_host.hpp"

namespace davit {
namespace {

using Call = const davit_call*;
using Host = const davit_host*;

constexpr const char* kNothingRuns = "the conformance check runs no programs";

davit_status process_run(Host host, Call call, const davit_process* process, std::int32_t*) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "process.run");
  if (process->argv.size == 0) self.complain("runs a process without argv");
  return self.refuse(DAVIT_UNAVAILABLE, kNothingRuns);
}

davit_status task_run(Host host, Call call, const davit_task* task, std::int32_t*) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "task.run");
  if (task->argv.size == 0) self.complain("runs a task without argv");
  return self.refuse(DAVIT_UNAVAILABLE, kNothingRuns);
}

davit_status unit_ensure(Host host, Call call, const davit_unit*) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "supervise.ensure");
  return self.refuse(DAVIT_UNAVAILABLE, kNothingRuns);
}

davit_status unit_status(Host host, Call call, davit_str, davit_unit_status* status) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "supervise.status");
  if (status->struct_size == 0) self.complain("asks for a unit's status without setting struct_size");
  return self.refuse(DAVIT_NOT_FOUND, "no such unit");
}

davit_status unit_signal(Host host, Call call, davit_str, std::int32_t) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "supervise.signal");
  return self.refuse(DAVIT_NOT_FOUND, "no such unit");
}

davit_status unit_missing(Host host, Call call, davit_str) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "supervise.start or stop");
  return self.refuse(DAVIT_NOT_FOUND, "no such unit");
}

davit_status unit_remove(Host host, Call call, davit_str) {
  ConformanceHost::of(host).use(call, "supervise.remove");
  return DAVIT_OK;
}

davit_status unit_each(Host host, Call call, davit_str, const davit_str_sink*) {
  ConformanceHost::of(host).use(call, "supervise.each");
  return DAVIT_OK;
}

davit_status unit_wait(Host host, Call call, davit_strs, std::uint32_t, std::uint64_t) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "supervise.wait");
  return self.refuse(DAVIT_TIMEOUT, "no unit changed");
}

davit_status port_lease(Host host, Call call, davit_str owner, davit_lease* lease) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "ports.lease");
  constexpr std::uint64_t kFirstPort = 20000;
  const auto [entry, is_new] =
      self.leases.try_emplace(std::string(conformance_view(owner)), kFirstPort + self.leases.size());
  lease->id = entry->second;
  lease->value = entry->second;
  return DAVIT_OK;
}

davit_status port_release(Host host, Call call, davit_str owner) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "ports.release");
  self.leases.erase(std::string(conformance_view(owner)));
  return DAVIT_OK;
}

davit_status secret_random(Host host, Call call, std::uint32_t characters, const davit_sink* secret) {
  ConformanceHost::of(host).use(call, "secrets.random");
  return secret->write(secret->sink_data, conformance_str(std::string(characters, 'x')));
}

davit_status app_none(Host host, Call call, davit_str, const davit_kv_sink*) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "apps.report or each_process");
  return self.refuse(DAVIT_NOT_FOUND, "no such app");
}

davit_status app_domains(Host host, Call call, davit_str, const davit_str_sink*) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "apps.each_domain");
  return self.refuse(DAVIT_NOT_FOUND, "no such app");
}

davit_status app_reroute(Host host, Call call, davit_str) {
  ConformanceHost::of(host).use(call, "apps.request_reroute");
  return DAVIT_OK;
}

davit_status event_publish(Host host, Call call, davit_str id, davit_kvs) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "events.publish");
  if (conformance_view(id).rfind(self.note.id + ".", 0) != 0) {
    self.complain("publishes \"" + std::string(conformance_view(id)) +
                  "\", which does not begin with its own id");
  }
  return DAVIT_OK;
}

davit_status registry_each(Host host, Call call, const davit_kv_sink* sink) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "registry.each");
  return sink->put(sink->sink_data, conformance_str(self.note.id), conformance_str(self.note.version));
}

davit_status registry_providers(Host host, Call call, davit_str, const davit_str_sink*) {
  ConformanceHost::of(host).use(call, "registry.each_provider");
  return DAVIT_OK;
}

davit_status app_each(Host host, Call call, const davit_str_sink*) {
  ConformanceHost::of(host).use(call, "apps.each");
  return DAVIT_OK;
}

const davit_host_process kProcess{sizeof(davit_host_process), 0, &process_run};
const davit_host_task kTask{sizeof(davit_host_task), 0, &task_run};
const davit_host_supervise kSupervise{sizeof(davit_host_supervise),
                                      0,
                                      &unit_ensure,
                                      &unit_status,
                                      &unit_signal,
                                      &unit_missing,
                                      &unit_missing,
                                      &unit_remove,
                                      &unit_each,
                                      &unit_wait,
                                      &unit_missing};
const davit_host_ports kPorts{sizeof(davit_host_ports), 0, &port_lease, &port_release};
const davit_host_secrets kSecrets{sizeof(davit_host_secrets), 0, &secret_random};
const davit_host_apps kApps{
    sizeof(davit_host_apps), 0, &app_each, &app_none, &app_domains, &app_none, &app_reroute};
const davit_host_events kEvents{sizeof(davit_host_events), 0, &event_publish};
const davit_host_registry kRegistry{sizeof(davit_host_registry), 0, &registry_each, &registry_providers};

}  // namespace

const void* conformance_run_table(std::string_view id) {
  if (id == DAVIT_HOST_PROCESS_ID) return &kProcess;
  if (id == DAVIT_HOST_TASK_ID) return &kTask;
  if (id == DAVIT_HOST_SUPERVISE_ID) return &kSupervise;
  if (id == DAVIT_HOST_PORTS_ID) return &kPorts;
  if (id == DAVIT_HOST_SECRETS_ID) return &kSecrets;
  if (id == DAVIT_HOST_APPS_ID) return &kApps;
  if (id == DAVIT_HOST_EVENTS_ID) return &kEvents;
  if (id == DAVIT_HOST_REGISTRY_ID) return &kRegistry;
  return nullptr;
}

}  // namespace davit
