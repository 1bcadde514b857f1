// TerminalOutput: see the header.
#include "cli/terminal_output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace davit {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr std::string_view kIndent = "       ";  // 7: the width of "-----> "
constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr MonoMs kLiveEveryMs = 100;

}  // namespace

std::string amount_text(std::uint64_t count, std::string_view unit) {
  if (unit != "bytes") return unit.empty() ? fmt::format("{}", count) : fmt::format("{} {}", count, unit);
  constexpr std::array<std::string_view, 5> kNames{"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(count);
  std::size_t name = 0;
  while (value >= 1000 && name + 1 < kNames.size()) {
    value /= 1000;
    ++name;
  }
  return name == 0 ? fmt::format("{} B", count) : fmt::format("{:.1f} {}", value, kNames[name]);
}

void TerminalOutput::write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      if (fd == settings_.out_fd) gone_ = errno;
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void TerminalOutput::flush() {
  if (buffer_.empty()) return;
  if (gone_ == 0) write_all(settings_.out_fd, buffer_);
  buffer_.clear();
}

void TerminalOutput::put(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
}

void TerminalOutput::end_live_line() {
  if (!live_line_) return;
  put(kEraseLine);
  live_line_ = false;
}

void TerminalOutput::end_detail_line() {
  end_live_line();
  if (inside_detail_) put("\n");
  inside_detail_ = false;
}

void TerminalOutput::result(std::string_view bytes) {
  end_detail_line();
  put(bytes);
}

void TerminalOutput::header(std::string_view line) {
  if (settings_.quiet) return;
  end_detail_line();
  put("=====> ");
  put(line);
  put("\n");
  flush();
}

void TerminalOutput::step(std::string_view line) {
  end_detail_line();
  put("-----> ");
  put(line);
  put("\n");
  flush();
}

void TerminalOutput::detail(std::string_view bytes) {
  const std::uint64_t most = settings_.most_detail_bytes;
  if (most == 0) return put_detail(bytes);
  if (detail_bytes_ > most) return;
  const std::uint64_t left = most - detail_bytes_;
  detail_bytes_ += bytes.size();
  put_detail(bytes.substr(0, left));
  if (detail_bytes_ <= most) return;
  end_detail_line();
  put_detail("(this is too long: what follows of it is left out)\n");
}

void TerminalOutput::put_detail(std::string_view bytes) {
  end_live_line();
  while (!bytes.empty()) {
    if (!inside_detail_) put(kIndent);
    const std::size_t end = bytes.find('\n');
    const std::size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
    put(bytes.substr(0, taken));
    inside_detail_ = end == std::string_view::npos;
    bytes.remove_prefix(taken);
  }
  flush();
}

void TerminalOutput::warning(std::string_view line) {
  end_detail_line();
  flush();  // so that the two streams keep their order on a terminal
  write_all(settings_.err_fd, fmt::format(" !     {}\n", line));
}

void TerminalOutput::progress(std::string_view label, std::uint64_t done, std::uint64_t total,
                              std::string_view unit) {
  const MonoMs now = clock_.now_mono_ms();
  const bool fresh = label != progress_label_;
  if (fresh) {
    progress_label_ = label;
    progress_started_ms_ = now;
    progress_shown_ms_ = now;
    // Into a pipe, what is over in a moment needs no line.
    if (!settings_.out_is_terminal) return;
  }
  const MonoMs every = settings_.out_is_terminal ? kLiveEveryMs : settings_.plain_progress_every_ms;
  const bool is_last = settings_.out_is_terminal && total != 0 && done >= total;
  if (!fresh && !is_last && now - progress_shown_ms_ < every) return;
  progress_shown_ms_ = now;

  std::string text(label);
  if (total != 0) {
    const std::string so_far = unit == "bytes" ? amount_text(done, unit) : std::to_string(done);
    text += fmt::format("  {} of {}", so_far, amount_text(total, unit));
  } else if (done != 0) {
    text += fmt::format("  {}", amount_text(done, unit));
  }
  if (const auto elapsed = now - progress_started_ms_; elapsed >= 1000) {
    text += fmt::format("  {}", duration_text(elapsed));
  }
  if (settings_.out_is_terminal) {
    if (inside_detail_) end_detail_line();
    put(kEraseLine);
    put(kIndent);
    put(text);
    live_line_ = true;
    flush();
    return;
  }
  detail(text + "\n");
}

}  // namespace davit
