// The davit_call of one invocation: error slot, output, progress, cancel.
#include "plugin/call_bridge.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>

#include "base/text.hpp"
#include "plugin/abi_text.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxHeldBytes = 8 * 1024;  // of a line without an end
constexpr std::size_t kMaxMessageBytes = 16 * 1024;

uint32_t flags_of(const CallContext& context) {
  return (context.quiet ? DAVIT_CALL_QUIET : 0U) | (context.force ? DAVIT_CALL_FORCE : 0U) |
         (context.trace ? DAVIT_CALL_TRACE : 0U) | (context.tty ? DAVIT_CALL_TTY : 0U);
}

}  // namespace

CallBridge::CallBridge(const CallContext& context, std::string_view plugin, spdlog::logger* log)
    : context_(context),
      plugin_(plugin),
      log_(log),
      call_{sizeof(davit_call),
            flags_of(context),
            this,
            abi(context.actor),
            abi(context.app),
            abi(context.deployment),
            context.deadline_mono_ms,
            on_fail,
            on_get_error,
            on_output,
            on_progress,
            on_log,
            on_cancelled} {}

CallBridge::~CallBridge() {
  if (!detail_.empty()) flush_detail();
}

davit_status CallBridge::set_error(Error error) {
  const davit_status status = status_of(error.code);
  error_ = std::move(error);
  return status;
}

Result<> CallBridge::finish(davit_status status, std::string_view function) {
  if (status == DAVIT_OK) return {};
  Error error = std::move(error_);
  error_ = {};
  error.code = code_of(status);
  if (error.message.empty()) {
    error.message =
        fmt::format("plugin {} failed in {} (status {}) and did not say why", plugin_, function, status);
    error.hint = fmt::format("Look into davit's log; or disable it: `davit plugin:disable {}`", plugin_);
    error.slug = "plugin-silent";
  }
  return fail(std::move(error));
}

void CallBridge::on_fail(const davit_call* call, davit_str slug, davit_str message, davit_str hint) {
  (void)no_throw([&] {
    Error error;
    error.message = clean_line(view(message).substr(0, kMaxMessageBytes));
    error.hint = clean_line(view(hint).substr(0, kMaxMessageBytes));
    error.slug = clean_line(view(slug).substr(0, 64));
    of(call).error_ = std::move(error);
    return DAVIT_OK;
  });
}

void CallBridge::on_get_error(const davit_call* call, const davit_sink* message) {
  (void)no_throw([&] { return put(message, of(call).error_.text()); });
}

davit_status CallBridge::on_output(const davit_call* call, uint32_t stream, davit_str bytes) {
  return no_throw([&] { return of(call).output(stream, view(bytes)); });
}

davit_status CallBridge::output(uint32_t stream, std::string_view bytes) {
  if (stream == DAVIT_STREAM_DETAIL) {
    detail(bytes);
    return DAVIT_OK;
  }
  flush_detail();
  UserOutput& out = context_.out;
  if (stream == DAVIT_STREAM_RESULT) {
    out.result(bytes);
    return DAVIT_OK;
  }
  if (bytes.ends_with('\n')) bytes.remove_suffix(1);
  for (const std::string& part : split_lines(bytes)) {
    const std::string line = clean_line(part);
    if (stream == DAVIT_STREAM_STEP)
      out.step(line);
    else if (stream == DAVIT_STREAM_HEADER)
      out.header(line);
    else
      out.warning(line);
  }
  return DAVIT_OK;
}

void CallBridge::detail(std::string_view bytes) {
  const std::size_t last_line_end = bytes.rfind('\n');
  if (last_line_end == std::string_view::npos) {
    detail_ += bytes;
    if (detail_.size() > kMaxHeldBytes) flush_detail();
    return;
  }
  detail_ += bytes.substr(0, last_line_end + 1);
  flush_detail();
  detail_ = bytes.substr(last_line_end + 1);
}

void CallBridge::flush_detail() {
  if (detail_.empty()) return;
  context_.out.detail(detail_);
  detail_.clear();
}

void CallBridge::on_progress(const davit_call* call, davit_str label, uint64_t done, uint64_t total,
                             davit_str unit) {
  (void)no_throw([&] {
    of(call).context_.out.progress(view(label), done, total, view(unit));
    return DAVIT_OK;
  });
}

void CallBridge::on_log(const davit_call* call, int32_t level, davit_str message) {
  (void)no_throw([&] {
    log_line(of(call).log_, of(call).plugin_, level, view(message));
    return DAVIT_OK;
  });
}

int32_t CallBridge::on_cancelled(const davit_call* call) {
  return no_throw([&]() -> davit_status { return of(call).context_.cancelled() ? 1 : 0; });
}

void log_line(spdlog::logger* log, std::string_view plugin, int32_t level, std::string_view message) {
  if (log == nullptr) return;
  const auto at = level <= DAVIT_LOG_DEBUG  ? spdlog::level::debug
                  : level == DAVIT_LOG_INFO ? spdlog::level::info
                  : level == DAVIT_LOG_WARN ? spdlog::level::warn
                                            : spdlog::level::err;
  if (!log->should_log(at)) return;
  log->log(at, "[{}] {}", plugin, clean_line(message.substr(0, kMaxMessageBytes)));
}

}  // namespace davit
