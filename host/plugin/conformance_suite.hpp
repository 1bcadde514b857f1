// The suite itself, as it runs in the child: what is checked, in which order. It reports as it goes, so that
// the parent knows where a plugin crashed or hung.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "davit/plugin.h"
#include "plugin/conformance.hpp"
#include "plugin/conformance_host.hpp"
#include "plugin/conformance_state.hpp"

namespace davit {

/// Where the suite's words go. Threads: one.
class ConformanceReporter {
 public:
  virtual ~ConformanceReporter() = default;
  virtual void begin(std::string_view what) = 0;  ///< "start()", "davit.hooks/1 handle()"
  virtual void add(ConformanceFinding::Level level, std::string_view check, std::string_view text) = 0;
  void problem(std::string_view check, std::string_view text) {
    add(ConformanceFinding::Level::kProblem, check, text);
  }
  void warning(std::string_view check, std::string_view text) {
    add(ConformanceFinding::Level::kWarning, check, text);
  }
  void ok(std::string_view check, std::string_view text) { add(ConformanceFinding::Level::kOk, check, text); }
};

/// One plugin under check.
class ConformanceSuite {
 public:
  /// `stray_output_fd`: where fds 1 and 2 of this process lead, so that a plugin's own writes are seen; -1:
  /// unchecked.
  ConformanceSuite(const PluginNote& note, const std::string& scratch, ConformanceReporter& reporter,
                   int stray_output_fd);

  /// Loads the file and runs everything.
  void run(const std::filesystem::path& file);

 private:
  using Entry = const davit_plugin_descriptor* (*)();
  using Body = std::function<davit_status(const davit_call*)>;

  Entry load(const std::filesystem::path& file);
  bool check_descriptor(const davit_plugin_descriptor* descriptor);
  void live_once(const davit_plugin_descriptor& descriptor);
  /// One invocation: a call around `body`, then the rules that hold for each (an error that is said, silence,
  /// no misuse of the host).
  davit_status invoke(const std::string& what, const Body& body);
  /// As invoke; anything but OK is a problem, UNAVAILABLE (no real host) a warning.
  void expect_ok(const std::string& what, const Body& body);
  void check_silence(const std::string& what);
  void check_interfaces(const davit_plugin_descriptor& descriptor, davit_plugin* plugin);
  const void* table_of(const davit_plugin_descriptor& descriptor, davit_plugin* plugin, std::string_view id);

  // conformance_interfaces.cpp
  void check_table(std::string_view id, davit_plugin* plugin, const void* table);
  void check_functions(std::string_view id, const void* table, std::size_t functions);
  void check_hooks(davit_plugin* plugin, const void* table);
  void check_builder(davit_plugin* plugin, const void* table);
  void check_runtime(davit_plugin* plugin, const void* table);
  void check_proxy(davit_plugin* plugin, const void* table);
  void check_doctor(davit_plugin* plugin, const void* table);
  void check_service(davit_plugin* plugin, const void* table);

  const PluginNote& note_;
  std::string scratch_;
  ConformanceReporter& report_;
  ConformanceHost host_;
  int stray_output_fd_;
  std::int64_t stray_seen_bytes_ = 0;
};

}  // namespace davit
