/* The call object as C++: who asked, for which app, and where words go. Valid until the invoked function
 * returns; only on its thread, but for cancelled(). A plugin never writes to fd 1 or 2 itself.
 */
#ifndef DAVIT_CALL_HPP
#define DAVIT_CALL_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "davit/call.h"
#include "davit/failure.hpp"
#include "davit/sinks.hpp"

namespace davit::sdk {

class Call {
 public:
  explicit Call(const davit_call* raw) noexcept : raw_(raw) {}
  const davit_call* raw() const noexcept { return raw_; }

  /* "local:ada", "ssh:ada-laptop" */
  std::string_view actor() const { return view(DAVIT_SDK_READ(raw_, davit_call, actor)); }
  std::string_view app() const { return view(DAVIT_SDK_READ(raw_, davit_call, app)); } /* or empty */
  std::string_view deployment() const {
    return view(DAVIT_SDK_READ(raw_, davit_call, deployment));
  } /* or empty */
  int64_t deadline_mono_ms() const {
    return DAVIT_SDK_READ(raw_, davit_call, deadline_mono_ms);
  } /* 0: none */
  bool quiet() const { return has_flag(DAVIT_CALL_QUIET); }
  bool force() const { return has_flag(DAVIT_CALL_FORCE); }
  bool trace() const { return has_flag(DAVIT_CALL_TRACE); }
  bool tty() const { return has_flag(DAVIT_CALL_TTY); } /* the result ends on a terminal */

  /* Stdout of a command, bytes as they are. Throws HostFailure if the reader is gone. */
  void result(std::string_view bytes) const { output(DAVIT_STREAM_RESULT, bytes); }
  void result_line(std::string_view text) const { output(DAVIT_STREAM_RESULT, std::string(text) + "\n"); }
  void step(std::string_view text) const { output(DAVIT_STREAM_STEP, text); }       /* -----> text */
  void header(std::string_view text) const { output(DAVIT_STREAM_HEADER, text); }   /* =====> text */
  void warning(std::string_view text) const { output(DAVIT_STREAM_WARNING, text); } /*  !     text */
  void detail(std::string_view bytes) const {
    output(DAVIT_STREAM_DETAIL, bytes);
  } /* indented; see DetailLines */
  void output(uint32_t stream, std::string_view bytes) const {
    if (DAVIT_HAS(raw_, davit_call, output)) detail::check(raw_, raw_->output(raw_, stream, str(bytes)));
  }

  /* A live line; cheap. `total` 0: unknown. */
  void progress(std::string_view label, uint64_t done, uint64_t total, std::string_view unit) const {
    if (DAVIT_HAS(raw_, davit_call, progress)) raw_->progress(raw_, str(label), done, total, str(unit));
  }

  /* One line in davit's own log; never a secret. */
  void log(int32_t level, std::string_view text) const {
    if (DAVIT_HAS(raw_, davit_call, log)) raw_->log(raw_, level, str(text));
  }
  void log_debug(std::string_view text) const { log(DAVIT_LOG_DEBUG, text); }
  void log_info(std::string_view text) const { log(DAVIT_LOG_INFO, text); }
  void log_warn(std::string_view text) const { log(DAVIT_LOG_WARN, text); }
  void log_error(std::string_view text) const { log(DAVIT_LOG_ERROR, text); }

  /* True once somebody wants this to stop. From any thread. */
  bool cancelled() const { return DAVIT_HAS(raw_, davit_call, cancelled) && raw_->cancelled(raw_) != 0; }
  void throw_if_cancelled() const {
    if (cancelled()) throw Failure(DAVIT_CANCELLED, "cancelled", "cancelled");
  }

  [[noreturn]] void fail(davit_status status, std::string_view slug, std::string_view message,
                         std::string_view hint = {}) const {
    throw Failure(status, std::string(slug), std::string(message), std::string(hint));
  }
  /* A gate's veto. */
  [[noreturn]] void veto(std::string_view slug, std::string_view reason, std::string_view hint = {}) const {
    fail(DAVIT_DENIED, slug, reason, hint);
  }
  /* What the error slot holds. */
  std::string error() const { return detail::error_text(raw_); }

 private:
  bool has_flag(uint32_t flag) const { return (DAVIT_SDK_READ(raw_, davit_call, flags) & flag) != 0; }

  const davit_call* raw_;
};

/* Cuts a tool's output into whole lines and gives each to Call::detail; the unfinished rest goes out with
 * flush() or at the end. Give sink() to a Process or Task as its `out`; this object must outlive that call.
 */
class DetailLines {
 public:
  explicit DetailLines(const Call& call) noexcept : call_(call) {}
  DetailLines(const DetailLines&) = delete;
  DetailLines& operator=(const DetailLines&) = delete;
  ~DetailLines() {
    try {
      flush();
    } catch (...) {  // the reader is gone; whoever wrote last has been told
    }
  }

  void write(std::string_view chunk) {
    rest_.append(chunk);
    const std::size_t end = rest_.rfind('\n');
    if (end == std::string::npos && rest_.size() < kLongestLine) return;
    const std::size_t whole = end == std::string::npos ? rest_.size() : end + 1;
    const std::string lines = rest_.substr(0, whole);
    rest_.erase(0, whole);
    call_.detail(lines);
  }
  void flush() {
    if (rest_.empty()) return;
    const std::string last = std::exchange(rest_, std::string());
    call_.detail(last + "\n");
  }
  Output sink() {
    return [this](std::string_view chunk) { write(chunk); };
  }

 private:
  static constexpr std::size_t kLongestLine =
      64 * 1024;  // a bound, so that output without newlines cannot pile up

  Call call_;
  std::string rest_;
};

}  // namespace davit::sdk
#endif
