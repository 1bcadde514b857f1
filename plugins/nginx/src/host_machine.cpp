// See host_machine.hpp.
#include "host_machine.hpp"

#include <csignal>

#include "davit/failure.hpp"
#include "files/files.hpp"
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
  // Also where it waits after quick ends: whoever needs it now does not wait along.
  if (status && status->up == 0) supervise.start(kUnit);
}

// As a pattern: a home that somebody deletes must not keep that nginx from starting, and a pattern may match
// nothing.
std::string HostMachine::include_line() const {
  return "include \"" + settings_.engine.root + "/[h]ttp.conf\";\n";
}

bool HostMachine::is_included() const {
  return files::read_file(settings_.system_include) == include_line();
}

void HostMachine::leave_system_nginx(bool is_up) {
  if (settings_.engine.mode != Mode::kSystem || !is_included()) return;
  files::remove_file(settings_.system_include);
  if (is_up) reload();
}

void HostMachine::include_in_system_nginx() {
  const auto before = files::read_file(settings_.system_include);
  if (!is_included()) {
    try {
      files::write_file(settings_.system_include, include_line());
    } catch (const sdk::Failure& failure) {
      throw sdk::Failure(DAVIT_DENIED, "system-nginx",
                         "the system's nginx does not include davit's configuration: " + failure.message(),
                         "as root, write into " + settings_.system_include + ": " + include_line());
    }
  }
  try {
    reload();
  } catch (const sdk::Failure& failure) {
    take_back_include(before, failure.slug() == "config-refused");
    throw;
  }
}

// The sites of others must not be kept from starting by what is ours. An include that was there already may
// be of a davit that was killed before it had asked nginx: it goes too if nginx takes the rest without it.
void HostMachine::take_back_include(const std::optional<std::string>& before, bool refused) {
  if (before && before != include_line()) return files::write_file(settings_.system_include, *before);
  if (before && !refused) return;
  files::remove_file(settings_.system_include);
  if (!before) return;
  try {
    check_system_nginx();
  } catch (const sdk::Failure&) {
    files::write_file(settings_.system_include, *before);
  }
}

// Our own check knows our files only; here they are among the sites of others.
void HostMachine::check_system_nginx() {
  const auto result = run({settings_.engine.program, "-t", "-q", "-c", settings_.system_config});
  if (result.exit_code == 0) return;
  const bool two_defaults = result.output.find("duplicate default server") != std::string::npos;
  throw sdk::Failure(
      DAVIT_INVALID, "config-refused", "the system's nginx refuses its configuration: " + result.output,
      two_defaults ? "another site is the default on this port: take default_server away there (on Debian: "
                     "/etc/nginx/sites-enabled/default), or set port in [plugins.nginx.settings]"
                   : "the previous configuration is still served; correct the file that is named");
}

void HostMachine::reload() {
  if (settings_.engine.mode == Mode::kPrivate) {
    host_.supervise(call_).signal(kUnit, SIGHUP);
    return;
  }
  check_system_nginx();
  auto argv = settings_.reload_command;
  if (argv.empty()) argv = {settings_.engine.program, "-c", settings_.system_config, "-s", "reload"};
  const auto result = run(argv);
  if (result.exit_code != 0) {
    throw sdk::Failure(
        DAVIT_UNAVAILABLE, "system-nginx", "the system's nginx cannot be reloaded: " + result.output,
        "set reload-command in [plugins.nginx.settings], and start nginx if it is not running");
  }
}

}  // namespace davit::nginx
