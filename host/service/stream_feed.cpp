// The copying thread: it touches two descriptors and nothing else of the process.
#include "service/stream_feed.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "service/gulps.hpp"

namespace davit {
namespace {

constexpr std::size_t kHeadBytes = 512;
constexpr std::size_t kTailBytes = 4096;

/// 0: the end; -1: errno.
ssize_t read_some(int fd, char* buffer, std::size_t size) {
  ssize_t got = 0;
  do {
    got = ::read(fd, buffer, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

struct StreamFeed::Copy {
  int source = -1;
  UniqueFd writer;
  UniqueFd stop_reader, stop_writer;  // closing the writer ends the copying
  std::atomic<std::uint64_t> bytes = 0;
  int read_errno = 0;
  std::string tail;
  std::thread thread;

  void note(const char* data, std::size_t size) {
    bytes += size;
    if (size >= kTailBytes) {
      tail.assign(data + size - kTailBytes, kTailBytes);
    } else {
      tail.append(data, size);
      if (tail.size() > kTailBytes) tail.erase(0, tail.size() - kTailBytes);
    }
  }

  /// False: it was told to stop, or nobody reads any more.
  bool put(std::string_view rest, int moment_ms) {
    while (!rest.empty()) {
      const ssize_t put = ::write(writer.get(), rest.data(), rest.size());
      if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
      if (put < 0 && errno != EAGAIN && errno != EINTR) return false;
      if (put >= 0) continue;
      const short events = moment_ms > 0 ? 0 : POLLOUT;
      std::array<pollfd, 2> watched{pollfd{stop_reader.get(), POLLIN, 0}, pollfd{writer.get(), events, 0}};
      (void)::poll(watched.data(), watched.size(), moment_ms > 0 ? moment_ms : -1);
      if (watched[0].revents != 0 || (watched[1].revents & POLLERR) != 0) return false;
    }
    return true;
  }

  void run(const std::string& head) {
    sigset_t broken_pipe;  // a program that ends early is told by write()
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    const int moment_ms = make_gulps(writer.get());
    std::string buffer(kGulpBytes, '\0');
    note(head.data(), head.size());
    bool going = put(head, moment_ms);
    while (going) {
      std::array<pollfd, 3> watched{pollfd{source, POLLIN, 0}, pollfd{stop_reader.get(), POLLIN, 0},
                                    pollfd{writer.get(), 0, 0}};  // POLLERR: nobody reads any more
      if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
      if (watched[1].revents != 0 || watched[2].revents != 0) break;
      if (watched[0].revents == 0) continue;
      const ssize_t got = read_some(source, buffer.data(), buffer.size());
      if (got < 0) read_errno = errno;
      if (got <= 0) break;
      note(buffer.data(), static_cast<std::size_t>(got));
      going = put(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)), moment_ms);
    }
    writer.reset();
  }
};

StreamFeed::StreamFeed(int source, std::string head) : source_(source), head_(std::move(head)) {}

StreamFeed::StreamFeed(StreamFeed&&) noexcept = default;

StreamFeed::~StreamFeed() {
  if (copy_) (void)finish();
}

Result<StreamFeed> StreamFeed::open(int source) {
  std::string head(kHeadBytes, '\0');
  std::size_t have = 0;
  while (have < kHeadBytes) {
    const ssize_t got = read_some(source, head.data() + have, kHeadBytes - have);
    if (got < 0) return fail(system_error("read stdin", errno));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  if (have == 0) return fail(Code::kInvalid, "No data provided on stdin", "Redirect a dump to it", "no-data");
  head.resize(have);
  return StreamFeed(source, std::move(head));
}

Result<int> StreamFeed::start() {
  int ends[2], stop[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(system_error("pipe", errno));
  reader_ = UniqueFd(ends[0]);
  copy_ = std::make_unique<Copy>();
  copy_->writer = UniqueFd(ends[1]);
  (void)::fcntl(ends[1], F_SETFL, O_NONBLOCK);  // of this end alone
  copy_->source = source_;
  if (::pipe2(stop, O_CLOEXEC) != 0) {
    copy_.reset();
    return fail(system_error("pipe", errno));
  }
  copy_->stop_reader = UniqueFd(stop[0]);
  copy_->stop_writer = UniqueFd(stop[1]);
  copy_->thread = std::thread([copy = copy_.get(), head = head_] { copy->run(head); });
  return reader_.get();
}

Result<> StreamFeed::finish() {
  reader_.reset();  // a program that ended early leaves the copying without a reader
  if (!copy_ || !copy_->thread.joinable()) return {};
  copy_->stop_writer.reset();
  copy_->thread.join();
  if (copy_->read_errno != 0) return fail(system_error("read the stream", copy_->read_errno));
  return {};
}

std::uint64_t StreamFeed::bytes() const {
  return copy_ ? copy_->bytes.load() : 0;
}

bool StreamFeed::ended_with(const std::string& text) const {
  return text.empty() || (copy_ && copy_->tail.find(text) != std::string::npos);
}

}  // namespace davit
