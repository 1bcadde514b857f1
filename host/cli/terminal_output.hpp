// TerminalOutput: what a command says, on two file descriptors: dokku's forms, a live line on a terminal,
// plain lines into a pipe. Not the log. Writes with write(2) and a buffer of its own: iostreams would cost
// start-up time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/output.hpp"

namespace davit {

struct OutputSettings {
  int out_fd = 1;  ///< borrowed
  int err_fd = 2;
  bool out_is_terminal = false;
  bool quiet = false;                             ///< headers vanish; on without a terminal
  std::uint32_t plain_progress_every_ms = 3'000;  ///< without a terminal: at most a line in this time
  std::uint64_t most_detail_bytes =
      0;  ///< of details together; the rest is left out, and that is said. 0: all
};

/// Threads: one at a time. When nothing can be written any more, what follows is dropped, and gone() says
/// why.
class TerminalOutput final : public UserOutput {
 public:
  TerminalOutput(const OutputSettings& settings, const Clock& clock) : settings_(settings), clock_(clock) {}
  TerminalOutput(const TerminalOutput&) = delete;
  TerminalOutput& operator=(const TerminalOutput&) = delete;
  ~TerminalOutput() override { flush(); }

  void result(std::string_view bytes) override;
  void header(std::string_view line) override;
  void step(std::string_view line) override;
  void detail(std::string_view bytes) override;
  void warning(std::string_view line) override;
  void progress(std::string_view label, std::uint64_t done, std::uint64_t total,
                std::string_view unit) override;

  /// Hands everything to the kernel: before another program writes to the same descriptors.
  void flush();
  void set_quiet(bool quiet) { settings_.quiet = quiet; }
  [[nodiscard]] bool quiet() const { return settings_.quiet; }
  /// The errno by which out_fd was lost: EPIPE is a reader that went away. 0: it was not.
  [[nodiscard]] int gone() const { return gone_; }

 private:
  void put(std::string_view bytes);
  void put_detail(std::string_view bytes);
  void end_live_line();
  void end_detail_line();
  void write_all(int fd, std::string_view bytes);

  OutputSettings settings_;
  const Clock& clock_;
  std::string buffer_;
  bool live_line_ = false;      // the cursor stands on a progress line
  bool inside_detail_ = false;  // the last detail did not end its line
  std::uint64_t detail_bytes_ = 0;
  int gone_ = 0;
  std::string progress_label_;
  MonoMs progress_started_ms_ = 0;
  MonoMs progress_shown_ms_ = 0;
};

/// "12.3 MB", "840 kB", "17 steps": a count with its unit; bytes are scaled.
std::string amount_text(std::uint64_t count, std::string_view unit);

}  // namespace davit
