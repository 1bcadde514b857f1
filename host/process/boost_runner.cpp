// The real ProcessRunner, on Boost.Process v2 and Asio. The only file of the host that sees Boost.Process: it
// costs seconds to compile. The launcher is our own (exec_child.cpp), since v2's leaves signal masks,
// sessions and rights alone and runs atexit handlers in a child whose exec failed.
#define BOOST_PROCESS_V2_SEPARATE_COMPILATION 1
#include <array>
#include <boost/asio.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/src.hpp>
#include <chrono>
#include <csignal>

#include "process/child_io.hpp"
#include "process/exec_child.hpp"
#include "process/process_runner.hpp"

namespace davit {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using ChildProcess = boost::process::v2::basic_process<asio::io_context::executor_type>;

// A child that closes its stdin early must not kill us by SIGPIPE: blocked for this thread, and eaten
// afterwards.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;
  ~NoSigpipe() {
    const timespec at_once{0, 0};
    if (!was_pending_) ::sigtimedwait(&pipe_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

// One run(): everything that may happen to the child, as handlers on one io_context.
class Session {
 public:
  Session(const Command& command, detail::ChildIo io, pid_t pid)
      : command_(&command),
        pid_(pid),
        process_(io_.get_executor(), pid),
        deadline_(io_),
        linger_(io_),
        cancel_(io_),
        in_(io_),
        out_{Stream(io_, command.out, exit_.out, exit_.truncated),
             Stream(io_, command.err, exit_.err, exit_.truncated)} {
    if (io.in_write.valid()) in_.assign(io.in_write.release());
    if (io.out_read.valid()) out_[0].descriptor.assign(io.out_read.release());
    if (io.err_read.valid()) out_[1].descriptor.assign(io.err_read.release());
  }

  Exit run() {
    process_.async_wait([this](error_code, int) { on_exit(); });
    if (command_->deadline_ms > 0) {
      deadline_.expires_after(std::chrono::milliseconds(command_->deadline_ms));
      deadline_.async_wait([this](error_code error) {
        if (!error) stop(StoppedBy::kDeadline);
      });
    }
    if (command_->cancel) {
      cancel_.assign(::fcntl(command_->cancel->fd(), F_DUPFD_CLOEXEC, 3));
      cancel_.async_wait(asio::posix::descriptor_base::wait_read, [this](error_code error) {
        if (!error) stop(StoppedBy::kCancel);
      });
    }
    feed();
    for (auto& stream : out_) {
      if (stream.descriptor.is_open()) {
        ++open_streams_;
        pump(stream);
      }
    }
    io_.run();
    for (auto& stream : out_) stream.taker.end();
    return std::move(exit_);
  }

 private:
  struct Stream {
    Stream(asio::io_context& io, const Output& output, std::string& captured, bool& truncated)
        : descriptor(io), taker(output, captured, truncated) {}
    asio::posix::stream_descriptor descriptor;
    detail::OutputTaker taker;
    std::array<char, 64 * 1024> buffer;
  };

  void feed() {
    if (!in_.is_open()) return;
    asio::async_write(in_, asio::buffer(std::get<InputBytes>(command_->in).bytes),
                      [this](error_code, std::size_t) { in_.close(); });
  }

  void pump(Stream& stream) {
    stream.descriptor.async_read_some(asio::buffer(stream.buffer),
                                      [this, &stream](error_code error, std::size_t count) {
                                        if (error) {
                                          error_code ignored;
                                          stream.descriptor.close(ignored);
                                          if (--open_streams_ == 0) linger_.cancel();
                                          return;
                                        }
                                        stream.taker.take({stream.buffer.data(), count});
                                        pump(stream);
                                      });
  }

  void to_group(int signal) const {
    ::kill(command_->keep_group && !command_->new_session ? pid_ : -pid_, signal);
  }

  void stop(StoppedBy why) {
    if (exited_ || exit_.stopped_by != StoppedBy::kNobody) return;
    exit_.stopped_by = why;
    to_group(SIGTERM);
    deadline_.expires_after(std::chrono::milliseconds(command_->kill_after_ms));
    deadline_.async_wait([this](error_code error) {
      if (!error && !exited_) to_group(SIGKILL);
    });
  }

  void on_exit() {
    exited_ = true;
    const auto ended = detail::exit_from_status(process_.native_exit_code());
    exit_.code = ended.code;
    exit_.signal = ended.signal;
    if (exit_.stopped_by != StoppedBy::kNobody && !command_->keep_group) ::kill(-pid_, SIGKILL);
    deadline_.cancel();
    error_code ignored;
    cancel_.close(ignored);
    in_.close(ignored);
    if (open_streams_ == 0) return;
    linger_.expires_after(std::chrono::seconds(1));  // a daemon it left behind may hold the pipe for ever
    linger_.async_wait([this](error_code error) {
      if (error) return;
      for (auto& stream : out_) {
        error_code closing;
        stream.descriptor.close(closing);
      }
    });
  }

  const Command* command_;
  pid_t pid_;
  Exit exit_;
  asio::io_context io_{1};
  ChildProcess process_;
  asio::steady_timer deadline_;
  asio::steady_timer linger_;
  asio::posix::stream_descriptor cancel_;
  asio::posix::stream_descriptor in_;
  std::array<Stream, 2> out_;
  int open_streams_ = 0;
  bool exited_ = false;
};

class BoostProcessRunner final : public ProcessRunner {
 public:
  Result<Exit> run(const Command& command) override {
    const NoSigpipe guard;
    DAVIT_TRY_ASSIGN(auto io, detail::ChildIo::open(command));
    DAVIT_TRY_ASSIGN(const pid_t pid, launch(command, io));
    try {
      auto session = std::make_unique<Session>(command, std::move(io), pid);
      return session->run();
    } catch (const std::exception& error) {  // Asio's own resources, or a callback that threw
      return fail(Code::kUnavailable, std::string("cannot follow a child process: ") + error.what());
    }
  }

  Result<std::unique_ptr<Child>> start(const Command& command) override {
    const auto pumped = [](const Output& output) {
      return std::holds_alternative<OutputChunks>(output) || std::holds_alternative<OutputLines>(output) ||
             std::holds_alternative<OutputCapture>(output);
    };
    if (pumped(command.out) || pumped(command.err) || std::holds_alternative<InputBytes>(command.in)) {
      return fail(Code::kInvalid, "start() pumps no output or input: use run(), or give descriptors");
    }
    DAVIT_TRY_ASSIGN(auto io, detail::ChildIo::open(command));
    DAVIT_TRY_ASSIGN(const pid_t pid, launch(command, io));
    return detail::make_child(pid, command);
  }

 private:
  static Result<pid_t> launch(const Command& command, detail::ChildIo& io) {
    DAVIT_TRY_ASSIGN(auto plan, detail::ExecPlan::prepare(command, io.moves));
    auto pid = plan.launch();
    io.child_ends.clear();
    return pid;
  }
};

}  // namespace

std::unique_ptr<ProcessRunner> make_process_runner() {
  return std::make_unique<BoostProcessRunner>();
}

}  // namespace davit
