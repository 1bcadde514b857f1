// CallBridge: one invocation of a plugin as the plugin sees it: the davit_call made from the host's
// CallContext. It keeps the error slot and cuts tools' output at lines. Lives on the caller's stack; making
// one allocates nothing.
#pragma once

#include <davit/call.h>

#include <string>
#include <string_view>

#include "base/call_context.hpp"
#include "base/result.hpp"

namespace spdlog {
class logger;
}

namespace davit {

class CallBridge {
 public:
  /// All borrowed. `log` may be null.
  CallBridge(const CallContext& context, std::string_view plugin, spdlog::logger* log);
  /// Gives out what is left of an unfinished line.
  ~CallBridge();
  CallBridge(const CallBridge&) = delete;
  CallBridge& operator=(const CallBridge&) = delete;

  [[nodiscard]] const davit_call* call() const { return &call_; }
  [[nodiscard]] const CallContext& context() const { return context_; }
  /// The bridge behind a call that a plugin handed back.
  static CallBridge& of(const davit_call* call) { return *static_cast<CallBridge*>(call->host_data); }

  /// Puts a host function's error into the slot; returns its status.
  davit_status set_error(Error error);
  /// What a plugin's answer means: nothing, or the slot's error with the status's code. `function` names what
  /// was called, for plugins that fail without a word.
  Result<> finish(davit_status status, std::string_view function);
  void flush_detail();

 private:
  static void on_fail(const davit_call* call, davit_str slug, davit_str message, davit_str hint);
  static void on_get_error(const davit_call* call, const davit_sink* message);
  static davit_status on_output(const davit_call* call, uint32_t stream, davit_str bytes);
  static void on_progress(const davit_call* call, davit_str label, uint64_t done, uint64_t total,
                          davit_str unit);
  static void on_log(const davit_call* call, int32_t level, davit_str message);
  static int32_t on_cancelled(const davit_call* call);
  davit_status output(uint32_t stream, std::string_view bytes);
  void detail(std::string_view bytes);

  const CallContext& context_;
  std::string_view plugin_;
  spdlog::logger* log_;
  davit_call call_;
  Error error_;  // the slot; empty message: nothing in it
  std::string detail_;
};

/// A line of a plugin in davit's log.
void log_line(spdlog::logger* log, std::string_view plugin, int32_t level, std::string_view message);

}  // namespace davit
