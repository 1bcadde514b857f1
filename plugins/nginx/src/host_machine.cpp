// See host_machine.hpp.
#include "host_machine.hpp"

#include <csignal>

#include "davit/failure.hpp"
#include "files.hpp"
#include "workers_folders.hpp"

namespace davit::nginx {
namespace {

constexpr const char* kUnit = "nginx";
constexpr std::uint64_t kProgramTimeoutMs = 60'000;
constexpr std::uint64_t kStopTimeoutMs = 5'000;

}  // namespace

ProgramResult HostMachine::run(const std::vector<std::string>& argv) {
  sdk::Process process;
  process.argv = argv;
  process.timeout_ms = kProgramTimeoutMs;
  ProgramResult result;
  process.out = [&result](std::string_view chunk) { result.output.append(chunk); };
  result.exit_code = host_.processes(call_).run(process);
  return result;
}

void HostMachine::start(const std::vector<std::string>& argv) {
  if (!settings_.home.empty()) name_home(settings_.home);
  if (settings_.engine.mode == Mode::kSystem) {
    include_in_system_nginx();
  } else {
    start_unit(argv);
  }
}

void HostMachine::start_unit(const std::vector<std::string>& argv) {
  sdk::Unit unit;
  unit.flags = DAVIT_UNIT_STOP_FIRST;  // the master tells its workers
  unit.name = kUnit;
  unit.argv = argv;
  unit.cwd = settings_.engine.root;
  unit.log_dir = settings_.engine.logs + "/unit";
  unit.stop_signal = SIGQUIT;  // finish what is in flight
  unit.stop_timeout_ms = kStopTimeoutMs;
  const auto supervise = host_.supervise(call_);
  supervise.ensure(unit);
  const auto status = supervise.status(kUnit);
  if (status && status->wanted_up == 0) supervise.start(kUnit);
}

void HostMachine::include_in_system_nginx() {
  const auto wanted = "include \"" + settings_.engine.root + "/http.conf\";\n";
  if (read_file(settings_.system_include) != wanted) {
    try {
      write_file(settings_.system_include, wanted);
    } catch (const sdk::Failure& failure) {
      throw sdk::Failure(DAVIT_DENIED, "system-nginx",
                         "the system's nginx does not include davit's configuration: " + failure.message(),
                         "as root, write into " + settings_.system_include + ": " + wanted);
    }
  }
  reload();
}

void HostMachine::reload() {
  if (settings_.engine.mode == Mode::kPrivate) {
    host_.supervise(call_).signal(kUnit, SIGHUP);
    return;
  }
  auto argv = settings_.reload_command;
  if (argv.empty()) argv = {settings_.engine.program, "-s", "reload"};
  const auto result = run(argv);
  if (result.exit_code != 0) {
    throw sdk::Failure(
        DAVIT_UNAVAILABLE, "system-nginx", "the system's nginx cannot be reloaded: " + result.output,
        "set reload-command in [plugins.nginx.settings], and start nginx if it is not running");
  }
}

}  // namespace davit::nginx
