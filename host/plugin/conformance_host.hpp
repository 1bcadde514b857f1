// ConformanceHost: the host as a plugin under check sees it. It keeps values in memory, runs no program,
// serves only the interfaces that the note lists, and writes down every misuse: a host call without a call,
// from another thread, or after stop(). Used by conformance_suite.cpp only; one at a time in a process.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "davit/host.h"
#include "plugin/note.hpp"

namespace davit {

inline std::string_view conformance_view(davit_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}
inline davit_str conformance_str(std::string_view text) {
  return davit_str{text.data(), text.size()};
}

class ConformanceHost {
 public:
  /// `scratch` is an existing directory for davit.host.paths/1.
  ConformanceHost(const PluginNote& note, std::string scratch);
  ConformanceHost(const ConformanceHost&) = delete;
  ConformanceHost& operator=(const ConformanceHost&) = delete;

  [[nodiscard]] const davit_host* raw() const { return &host_; }

  /// Opens a call; `what` names it in complaints. The call object is larger than the plugin knows and has
  /// unknown flags set, as a newer host's would.
  const davit_call* begin(std::string what);
  /// Ends it; true if the error slot was set.
  bool end();
  /// Of the last call.
  [[nodiscard]] const std::string& error() const { return message_; }
  /// From now on every host call is a misuse.
  void set_stopped(bool stopped) { stopped_ = stopped; }
  /// Rules that the plugin broke towards the host, each once; emptied by this.
  std::vector<std::string> take_complaints();

  // For the tables' functions only.
  static ConformanceHost& of(const davit_host* host) {
    return *static_cast<ConformanceHost*>(host->host_data);
  }
  void use(const davit_call* call, const char* function);  ///< [call] functions
  void use_anywhere(const char* function);                 ///< [any] functions
  davit_status refuse(davit_status status, std::string message);
  const PluginNote& note;
  const std::string scratch;
  std::map<std::pair<std::string, std::string>, std::string> key_values;  ///< by scope and key
  std::map<std::string, std::string> properties;
  std::map<std::string, std::vector<std::string>> lists;
  std::map<std::string, std::uint64_t> leases;  ///< ports leased and not released, by owner
  void complain(const std::string& complaint);

 private:
  /// What a newer host's davit_call looks like to an older plugin.
  struct NewerCall {
    davit_call call;
    std::array<unsigned char, 64> unknown;
  };
  static void fail(const davit_call* call, davit_str slug, davit_str message, davit_str hint);
  static const void* get_interface(const davit_host* host, davit_str id);

  davit_host host_{};
  NewerCall call_{};
  bool in_call_ = false;
  bool stopped_ = false;
  bool error_set_ = false;
  pid_t caller_ = 0;
  std::string what_;
  std::string message_;
  std::mutex mutex_;  ///< of complaints_: a plugin's stray thread may complain too
  std::vector<std::string> complaints_;
};

/// The table of a davit.host.* id that this davit knows, or nullptr. [pure]
const void* conformance_state_table(std::string_view id);
const void* conformance_run_table(std::string_view id);

}  // namespace davit
