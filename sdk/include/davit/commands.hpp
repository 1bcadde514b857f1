/* davit.commands/1 and davit.doctor/1 in C++: derive from Commands and Doctor beside Plugin. Names, summaries
 * and flags of commands are declared in the note (plugin.toml). */
#ifndef DAVIT_COMMANDS_HPP
#define DAVIT_COMMANDS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "davit/call.hpp"
#include "davit/commands.h"
#include "davit/values.hpp"

namespace davit::sdk {

struct Command {
  std::string name; /* "nginx:show-config" */
  Strings args;     /* positionals in order */
  Pairs flags;      /* declared flags as given; a switch has the value "" */
  Fds fds = kNoFds; /* stdin, stdout, stderr of the user, for streams and terminals only */

  std::optional<std::string> flag(std::string_view wanted) const {
    for (const auto& given : flags) {
      if (given.first == wanted) return given.second;
    }
    return std::nullopt;
  }
  bool has(std::string_view wanted) const { return flag(wanted).has_value(); }
  /* The argument, or "" if there are fewer. */
  std::string arg(std::size_t index) const { return index < args.size() ? args[index] : std::string(); }
};

inline Command copy(const davit_command& raw) {
  Command out;
  out.name = copy(DAVIT_SDK_READ(&raw, davit_command, name));
  out.args = copy(DAVIT_SDK_READ(&raw, davit_command, args));
  out.flags = copy(DAVIT_SDK_READ(&raw, davit_command, flags));
  if (DAVIT_HAS(&raw, davit_command, fds)) out.fds = Fds{raw.fds[0], raw.fds[1], raw.fds[2]};
  return out;
}

class Commands {
 public:
  virtual ~Commands() = default;
  /* Returns the exit code. Answers go to call.result(); a Failure is shown and exits as the host decides. */
  virtual int32_t run_command(const Call& call, const Command& command) = 0;
};

/* Where examine() reports. */
class Findings {
 public:
  explicit Findings(const davit_finding_sink* raw) noexcept : raw_(raw) {}
  void ok(std::string_view what) const { put(DAVIT_FINDING_OK, what, {}); }
  void warning(std::string_view what, std::string_view hint) const { put(DAVIT_FINDING_WARNING, what, hint); }
  void problem(std::string_view what, std::string_view hint) const { put(DAVIT_FINDING_PROBLEM, what, hint); }

 private:
  void put(uint32_t level, std::string_view what, std::string_view hint) const {
    detail::check_sink(raw_->put(raw_->sink_data, level, str(what), str(hint)));
  }
  const davit_finding_sink* raw_;
};

class Doctor {
 public:
  virtual ~Doctor() = default;
  virtual void examine(const Call& call, const Findings& findings) = 0;
};

namespace detail {

template <class P>
struct CommandsTable {
  static Commands& self(davit_plugin* plugin) noexcept { return *reinterpret_cast<P*>(plugin); }
  static davit_status run(davit_plugin* plugin, const davit_call* call, const davit_command* command,
                          int32_t* exit_code) noexcept {
    return guard(call, [&] { *exit_code = self(plugin).run_command(Call(call), copy(*command)); });
  }
  static const void* get() noexcept {
    static constexpr davit_commands table{sizeof(davit_commands), 0, &run};
    return &table;
  }
};

template <class P>
struct DoctorTable {
  static Doctor& self(davit_plugin* plugin) noexcept { return *reinterpret_cast<P*>(plugin); }
  static davit_status examine(davit_plugin* plugin, const davit_call* call,
                              const davit_finding_sink* sink) noexcept {
    return guard(call, [&] { self(plugin).examine(Call(call), Findings(sink)); });
  }
  static const void* get() noexcept {
    static constexpr davit_doctor table{sizeof(davit_doctor), 0, &examine};
    return &table;
  }
};

}  // namespace detail
}  // namespace davit::sdk
#endif
