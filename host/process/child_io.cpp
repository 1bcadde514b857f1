// Pipes of a child, lines, and a child that nobody pumps.
#include "process/child_io.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

namespace davit {

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::string Exit::text() const {
  if (stopped_by == StoppedBy::kDeadline) return "stopped at its deadline";
  if (stopped_by == StoppedBy::kCancel) return "stopped on request";
  if (signal != 0) return fmt::format("signal {} ({})", signal, signal_name(signal));
  return fmt::format("exit code {}", code);
}

}  // namespace davit

namespace davit::detail {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

class IoOpener {
 public:
  explicit IoOpener(ChildIo& io) : io_(&io) {}

  Result<int> null(int flags) {
    UniqueFd fd(::open("/dev/null", flags | O_CLOEXEC));
    if (!fd.valid()) return fail(system_error("open /dev/null", errno));
    return keep(std::move(fd));
  }

  // Returns the child's end; ours goes to `ours`, non-blocking.
  Result<int> pipe(UniqueFd& ours, bool child_reads) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(system_error("pipe", errno));
    UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    ours = child_reads ? std::move(writing) : std::move(reading);
    ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    return keep(child_reads ? std::move(reading) : std::move(writing));
  }

  Result<int> output(const Output& output, int number, UniqueFd& ours, int out_fd) {
    return std::visit(Overloaded{[&](const OutputNone&) { return null(O_WRONLY); },
                                 [&](const OutputInherit&) { return Result<int>(number); },
                                 [&](const OutputSame&) -> Result<int> {
                                   if (number == 2) return out_fd;
                                   return fail(Code::kInternal, "OutputSame is for stderr only");
                                 },
                                 [&](const OutputFd& given) { return Result<int>(given.fd); },
                                 [&](const auto&) { return pipe(ours, false); }},
                      output);
  }

 private:
  int keep(UniqueFd fd) {
    const int number = fd.get();
    io_->child_ends.push_back(std::move(fd));
    return number;
  }
  ChildIo* io_;
};

}  // namespace

Result<ChildIo> ChildIo::open(const Command& command) {
  ChildIo io;
  IoOpener opener(io);
  DAVIT_TRY_ASSIGN(const int in,
                   std::visit(Overloaded{[&](const InputNone&) { return opener.null(O_RDONLY); },
                                         [&](const InputBytes&) { return opener.pipe(io.in_write, true); },
                                         [&](const InputFd& given) { return Result<int>(given.fd); }},
                              command.in));
  DAVIT_TRY_ASSIGN(const int out, opener.output(command.out, 1, io.out_read, -1));
  DAVIT_TRY_ASSIGN(const int err, opener.output(command.err, 2, io.err_read, out));
  io.moves = {{in, 0}, {out, 1}, {err, 2}};
  return io;
}

void OutputTaker::take(std::string_view bytes) {
  std::visit(Overloaded{[&](const OutputChunks& chunks) { chunks.on_chunk(bytes); },
                        [&](const OutputLines& lines) { take_lines(lines, bytes); },
                        [&](const OutputCapture& capture) {
                          const auto room =
                              capture.max_bytes - std::min(capture.max_bytes, captured_->size());
                          if (bytes.size() > room) *truncated_ = true;
                          captured_->append(bytes.substr(0, room));
                        },
                        [](const auto&) {}},
             *output_);
}

void OutputTaker::take_lines(const OutputLines& lines, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto room = lines.max_line_bytes - std::min(lines.max_line_bytes, line_.size());
    const auto count = std::min({end, bytes.size(), room});
    line_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    if (!bytes.empty() && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      emit_line(lines);
    } else if (!bytes.empty()) {  // full
      lines.on_line(line_);
      line_.clear();
      in_long_line_ = true;
    }
  }
}

void OutputTaker::emit_line(const OutputLines& lines) {
  if (line_.ends_with('\r')) line_.pop_back();
  if (!(line_.empty() && in_long_line_)) lines.on_line(line_);
  line_.clear();
  in_long_line_ = false;
}

void OutputTaker::end() {
  if (const auto* lines = std::get_if<OutputLines>(output_); lines != nullptr && !line_.empty())
    emit_line(*lines);
}

Exit exit_from_status(int status) {
  Exit exit;
  if (WIFSIGNALED(status)) {
    exit.signal = WTERMSIG(status);
  } else {
    exit.code = WEXITSTATUS(status);
  }
  return exit;
}

namespace {

class PlainChild final : public Child {
 public:
  PlainChild(pid_t pid, const Command& command)
      : pid_(pid),
        pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
        grouped_(!command.keep_group || command.new_session),
        deadline_ms_(command.deadline_ms),
        kill_after_ms_(command.kill_after_ms),
        cancel_(command.cancel),
        started_(Steady::now()) {}
  ~PlainChild() override {
    if (reaped_) return;
    signal(SIGKILL);
    reap();
  }

  pid_t pid() const override { return pid_; }
  int pidfd() const override { return pidfd_.get(); }
  void signal(int signal) override {
    if (!reaped_) ::kill(grouped_ ? -pid_ : pid_, signal);
  }

  Result<Exit> wait() override {
    if (reaped_) return fail(Code::kInternal, "waited twice for a child");
    StoppedBy why = wait_until_deadline();
    if (why != StoppedBy::kNobody) {
      signal(SIGTERM);
      if (!ended_within(kill_after_ms_)) signal(SIGKILL);
    }
    Exit exit = exit_from_status(reap());
    exit.stopped_by = why;
    if (why != StoppedBy::kNobody && grouped_) ::kill(-pid_, SIGKILL);  // what ignored SIGTERM in its group
    return exit;
  }

 private:
  using Steady = std::chrono::steady_clock;

  int remaining_ms() const {
    if (deadline_ms_ <= 0) return -1;
    const auto spent =
        std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - started_).count();
    return static_cast<int>(std::max<std::int64_t>(0, deadline_ms_ - spent));
  }

  StoppedBy wait_until_deadline() {
    while (true) {
      pollfd watched[2] = {{pidfd_.get(), POLLIN, 0}, {cancel_ ? cancel_->fd() : -1, POLLIN, 0}};
      const int ready = ::poll(watched, 2, remaining_ms());
      if (ready < 0 && errno == EINTR) continue;
      if (watched[0].revents != 0) return StoppedBy::kNobody;
      if (watched[1].revents != 0) return StoppedBy::kCancel;
      if (ready == 0) return StoppedBy::kDeadline;
    }
  }

  bool ended_within(std::int64_t limit_ms) const {
    const auto until = Steady::now() + std::chrono::milliseconds(limit_ms);
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Steady::now()).count();
      pollfd watched{pidfd_.get(), POLLIN, 0};
      const int ready = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(0, left)));
      if (ready > 0) return true;
      if (ready == 0) return false;
    }
  }

  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return status;
  }

  pid_t pid_;
  UniqueFd pidfd_;
  bool grouped_;
  std::int64_t deadline_ms_;
  std::int64_t kill_after_ms_;
  std::optional<CancelToken> cancel_;
  Steady::time_point started_;
  bool reaped_ = false;
};

}  // namespace

std::unique_ptr<Child> make_child(pid_t pid, const Command& command) {
  return std::make_unique<PlainChild>(pid, command);
}

}  // namespace davit::detail
