// See fake_host.hpp: construction, and the small tables. Units are in fake_units.cpp.
#include "fake_host.hpp"

#include <unistd.h>

#include <chrono>

#include "fake_units.hpp"
#include "test_call.hpp"

namespace davit::test {
namespace {

namespace fs = std::filesystem;

davit_status settings_get(const davit_host* host, const davit_call*, davit_str key, const davit_sink* value) {
  const auto& all = FakeHost::self(host).settings().settings;
  const auto at = all.find(sdk::copy(key));
  if (at == all.end()) return DAVIT_NOT_FOUND;
  return value->write(value->sink_data, sdk::str(at->second));
}
davit_status settings_items(const davit_host*, const davit_call*, davit_str, const davit_str_sink*) {
  return DAVIT_OK;
}
constexpr davit_host_settings kSettings{sizeof(davit_host_settings), 0, &settings_get, &settings_items};

davit_status property_get(const davit_host* host, const davit_call*, davit_str app, davit_str group,
                          davit_str key, const davit_sink* value) {
  const auto& lists = FakeHost::self(host).lists();
  const auto at = lists.find(sdk::copy(app) + "/" + sdk::copy(group) + "/" + sdk::copy(key));
  if (at == lists.end() || at->second.empty()) return DAVIT_NOT_FOUND;
  return value->write(value->sink_data, sdk::str(at->second.front()));
}
davit_status property_items(const davit_host* host, const davit_call*, davit_str app, davit_str group,
                            davit_str key, const davit_str_sink* items) {
  const auto& lists = FakeHost::self(host).lists();
  const auto at = lists.find(sdk::copy(app) + "/" + sdk::copy(group) + "/" + sdk::copy(key));
  if (at == lists.end()) return DAVIT_OK;
  for (const std::string& item : at->second) {
    if (const davit_status status = items->put(items->sink_data, sdk::str(item)); status != DAVIT_OK)
      return status;
  }
  return DAVIT_OK;
}
constexpr davit_host_properties kProperties{sizeof(davit_host_properties),
                                            0,
                                            &property_get,
                                            &property_get,
                                            nullptr,
                                            nullptr,
                                            &property_items,
                                            nullptr,
                                            nullptr};

int64_t now_unix(const davit_host*) {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}
int64_t now_mono(const davit_host*) {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}
constexpr davit_host_clock kClock{sizeof(davit_host_clock), 0, &now_unix, &now_mono};

davit_status paths_get(const davit_host* host, const davit_call*, davit_str which, const davit_sink* path) {
  const FakeHostSettings& settings = FakeHost::self(host).settings();
  const std::string word = sdk::copy(which);
  fs::path found = settings.home;
  if (word == "run") found /= "run/plugins/" + settings.plugin;
  if (word == "state") found /= "plugins/" + settings.plugin;
  if (word == "logs") found /= "logs/plugins/" + settings.plugin;
  if (word == "app-logs") found /= "logs/apps";
  if (word == "libexec") found = settings.libexec;
  fs::create_directories(found);
  return path->write(path->sink_data, sdk::str(found.native()));
}
constexpr davit_host_paths kPaths{sizeof(davit_host_paths), 0, &paths_get};

davit_status ports_lease(const davit_host* host, const davit_call*, davit_str owner, davit_lease* lease) {
  auto& leases = FakeHost::self(host).leases();
  const auto [at, fresh] = leases.try_emplace(sdk::copy(owner), 0);
  if (fresh) at->second = FakeHost::self(host).ports().next();
  *lease = davit_lease{at->second, at->second};
  return DAVIT_OK;
}
davit_status ports_release(const davit_host* host, const davit_call*, davit_str owner) {
  FakeHost::self(host).leases().erase(sdk::copy(owner));
  return DAVIT_OK;
}
constexpr davit_host_ports kPorts{sizeof(davit_host_ports), 0, &ports_lease, &ports_release};

Output output_of(const davit_sink* sink, int fd) {
  if (fd >= 0) return OutputFd{fd};
  if (sink == nullptr) return OutputNone{};
  return OutputChunks{[sink](std::string_view chunk) { sink->write(sink->sink_data, sdk::str(chunk)); }};
}

Command command_of(FakeHost& host, const davit_call* call, const davit_process& process) {
  Command command;
  command.argv = sdk::copy(process.argv);
  for (const auto& [key, value] : sdk::copy(process.env)) command.env.push_back(key + "=" + value);
  if (command.env.empty())
    command.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  command.cwd = process.cwd.size == 0 ? "/" : sdk::copy(process.cwd);
  if (sdk::view(process.user) == "app" && geteuid() == 0) command.run_as = host.settings().app_user;
  if (process.fds[0] >= 0) {
    command.in = InputFd{process.fds[0]};
  } else if (process.input.size > 0) {
    command.in = InputBytes{sdk::copy(process.input)};
  }
  command.out = output_of(process.out, process.fds[1]);
  command.err = process.err == nullptr && process.fds[2] < 0 ? Output(OutputSame{})
                                                             : output_of(process.err, process.fds[2]);
  command.deadline_ms = static_cast<std::int64_t>(process.timeout_ms);
  command.kill_after_ms = 15'000;
  command.cancel = TestCall::self(call).token();
  return command;
}

davit_status process_run(const davit_host* host, const davit_call* call, const davit_process* process,
                         int32_t* exit_code) {
  FakeHost& self = FakeHost::self(host);
  const Command command = command_of(self, call, *process);
  self.commands().push_back(command.argv);
  const auto exit = self.runner().run(command);
  if (!exit) return fail_call(call, exit.error());
  if (exit->stopped_by == StoppedBy::kDeadline)
    return fail_call(call, Error{Code::kTimeout, "timed out", {}, {}, {}});
  if (exit->stopped_by == StoppedBy::kCancel)
    return fail_call(call, Error{Code::kCancelled, "cancelled", {}, {}, {}});
  *exit_code = exit->shell_code();
  return DAVIT_OK;
}
constexpr davit_host_process kProcess{sizeof(davit_host_process), 0, &process_run};

const void* find_interface(const davit_host*, davit_str id) {
  const std::string_view name = sdk::view(id);
  if (name == DAVIT_HOST_SETTINGS_ID) return &kSettings;
  if (name == DAVIT_HOST_PROPERTIES_ID) return &kProperties;
  if (name == DAVIT_HOST_CLOCK_ID) return &kClock;
  if (name == DAVIT_HOST_PATHS_ID) return &kPaths;
  if (name == DAVIT_HOST_PORTS_ID) return &kPorts;
  if (name == DAVIT_HOST_PROCESS_ID) return &kProcess;
  if (name == DAVIT_HOST_SUPERVISE_ID) return unit_table();
  return nullptr;
}

}  // namespace

FakeHost::FakeHost(FakeHostSettings settings)
    : settings_(std::move(settings)), runner_(make_process_runner()) {
  SupervisorSettings supervision;
  supervision.folder = settings_.home / "run/s6";
  supervision.unit_program = settings_.libexec / "davit-unit";
  supervision.adopt_program = settings_.libexec / "davit-adopt";
  supervisor_ = make_supervisor(supervision);
  raw_.struct_size = sizeof raw_;
  raw_.abi_minor = DAVIT_ABI_MINOR;
  raw_.host_data = this;
  raw_.version = sdk::str("0.0.0-test");
  raw_.get_interface = &find_interface;
}

FakeHost::~FakeHost() {
  (void)supervisor_->stop_tree(30'000);
}

}  // namespace davit::test
