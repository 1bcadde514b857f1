// The copying thread: it touches two descriptors and nothing else of the process.
#include "service/stream_drain.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

#include "process/unique_fd.hpp"
#include "service/gulps.hpp"

namespace davit {

struct StreamDrain::Copy {
  int target = -1;
  UniqueFd reader, writer;
  int write_errno = 0;
  std::thread thread;

  void run() {
    sigset_t broken_pipe;  // a reader that went away is told by write()
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    const int moment_ms = make_gulps(reader.get());
    std::string buffer(kGulpBytes, '\0');
    while (write_errno == 0) {
      const ssize_t got = ::read(reader.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) write_errno = errno;
      if (got <= 0) break;
      write(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
      pollfd program{reader.get(), 0, 0};  // POLLHUP, as soon as it is done
      (void)::poll(&program, 1, moment_ms);
    }
    reader.reset();
  }

  void write(std::string_view bytes) {
    while (!bytes.empty() && write_errno == 0) {
      const ssize_t put = ::write(target, bytes.data(), bytes.size());
      if (put < 0 && errno != EINTR) write_errno = errno;
      if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
    }
  }
};

StreamDrain::StreamDrain(std::unique_ptr<Copy> copy) : copy_(std::move(copy)) {}

StreamDrain::StreamDrain(StreamDrain&&) noexcept = default;

StreamDrain::~StreamDrain() {
  if (copy_) (void)finish();
}

Result<StreamDrain> StreamDrain::open(int target) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(system_error("pipe", errno));
  auto copy = std::make_unique<Copy>();
  copy->target = target;
  copy->reader = UniqueFd(ends[0]);
  copy->writer = UniqueFd(ends[1]);
  copy->thread = std::thread([copy = copy.get()] { copy->run(); });
  return StreamDrain(std::move(copy));
}

int StreamDrain::fd() const {
  return copy_->writer.get();
}

Result<> StreamDrain::finish() {
  copy_->writer.reset();
  if (copy_->thread.joinable()) copy_->thread.join();
  if (copy_->write_errno == 0) return {};
  return fail(system_error("write what the program gave", copy_->write_errno));
}

}  // namespace davit
