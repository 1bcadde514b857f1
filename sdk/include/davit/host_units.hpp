/* davit.host.supervise/1 in C++: units of the home's one supervision tree. Every failure is a HostFailure. */
#ifndef DAVIT_HOST_UNITS_HPP
#define DAVIT_HOST_UNITS_HPP

#include <optional>
#include <string>
#include <string_view>

#include "davit/host_table.hpp"
#include "davit/runtime.h"
#include "davit/values.hpp"

namespace davit::sdk {

struct Unit {
  uint32_t flags = 0; /* DAVIT_UNIT_* */
  std::string name;
  Strings argv;
  Pairs env;
  std::string cwd;
  std::string user;
  std::optional<Limits> limits;
  std::string log_dir;
  uint64_t log_file_bytes = 0;
  uint32_t log_files = 0;
  uint32_t restart = DAVIT_RESTART_ALWAYS;
  uint32_t max_retries = 0;
  int32_t stop_signal = 0;
  uint64_t stop_timeout_ms = 10000;
  int32_t notify_fd = 0; /* 3 and up: the program writes a newline there when it is ready */
  std::string log_user;
};

class Supervise : public detail::HostTable<davit_host_supervise> {
 public:
  using HostTable::HostTable;
  void ensure(const Unit& unit) const {
    const StrArray argv(unit.argv);
    const KvArray env(unit.env);
    const davit_limits limits = to_c(unit.limits.value_or(Limits()));
    davit_unit raw{};
    raw.struct_size = sizeof(raw);
    raw.flags = unit.flags;
    raw.name = str(unit.name);
    raw.argv = argv.get();
    raw.env = env.get();
    raw.cwd = str(unit.cwd);
    raw.user = str(unit.user);
    raw.limits = unit.limits ? &limits : nullptr;
    raw.log_dir = str(unit.log_dir);
    raw.log_file_bytes = unit.log_file_bytes;
    raw.log_files = unit.log_files;
    raw.restart = unit.restart;
    raw.max_retries = unit.max_retries;
    raw.stop_signal = unit.stop_signal;
    raw.stop_timeout_ms = unit.stop_timeout_ms;
    raw.notify_fd = unit.notify_fd;
    raw.log_user = str(unit.log_user);
    const davit_unit* const argument = &raw;
    must(&davit_host_supervise::ensure, argument);
  }
  /* nullopt: no such unit. */
  std::optional<davit_unit_status> status(std::string_view name) const {
    davit_unit_status out{};
    out.struct_size = sizeof(out);
    const davit_status status = invoke(&davit_host_supervise::status, str(name), &out);
    if (status == DAVIT_NOT_FOUND) return std::nullopt;
    detail::check(call_, status);
    return out;
  }
  void signal(std::string_view name, int32_t number) const {
    must(&davit_host_supervise::signal, str(name), number);
  }
  void stop(std::string_view name) const { must(&davit_host_supervise::stop, str(name)); }
  void down(std::string_view name) const { must(&davit_host_supervise::down, str(name)); }
  void start(std::string_view name) const { must(&davit_host_supervise::start, str(name)); }
  void remove(std::string_view name) const { must(&davit_host_supervise::remove, str(name)); }
  Strings names(std::string_view prefix = {}) const {
    return strings(&davit_host_supervise::each, str(prefix));
  }
  /* `what` is a DAVIT_UNIT_WAIT_*. False when timeout_ms passed first. */
  bool wait(const Strings& names, uint32_t what, uint64_t timeout_ms) const {
    const StrArray array(names);
    const davit_status status = invoke(&davit_host_supervise::wait, array.get(), what, timeout_ms);
    if (status == DAVIT_TIMEOUT) return false;
    detail::check(call_, status);
    return true;
  }
};

}  // namespace davit::sdk
#endif
