// See pump.hpp.
#include "pump.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace davit::docker_plugin {
namespace {

constexpr int kSliceMs = 100;
constexpr std::size_t kChunk = 64 * 1024;

/// False if nobody reads what is written there.
bool write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      poll(&room, 1, kSliceMs);
      continue;
    }
    if (done < 0 && (errno == EPIPE || errno == EIO)) return false;  // a closed pipe, a terminal hung up
    if (done <= 0) return true;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

}  // namespace

Pump::Pump(docker::Hijacked& connection, PumpSpec spec)
    : connection_(connection), spec_(std::move(spec)), input_open_(spec_.fds[0] >= 0) {
  if (!input_open_) shutdown(connection_.fd(), SHUT_WR);
}

void Pump::deliver(int stream, std::string_view payload) {
  const bool to_err = stream == kStderr && !spec_.tty;
  const int fd = spec_.fds[to_err ? 2 : 1];
  if (fd >= 0) {
    if (!reader_gone_) reader_gone_ = !write_whole(fd, payload);
    return;
  }
  if (to_err && spec_.err) return spec_.err(payload);
  if (spec_.out) spec_.out(payload);
}

void Pump::take(std::string_view bytes) {
  if (spec_.tty) return deliver(kStdout, bytes);
  frames_.feed(bytes, [this](int stream, std::string_view payload) { deliver(stream, payload); });
}

void Pump::pass_input() {
  if (pending_.empty()) {
    char buffer[kChunk];
    const ssize_t got = read(spec_.fds[0], buffer, sizeof buffer);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {  // its end, or a terminal that was hung up
      input_open_ = false;
      shutdown(connection_.fd(), SHUT_WR);
      return;
    }
    pending_.assign(buffer, static_cast<std::size_t>(got));
  }
  const ssize_t sent = send(connection_.fd(), pending_.data(), pending_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) {
    pending_.erase(0, static_cast<std::size_t>(sent));
  } else if (errno != EAGAIN && errno != EINTR) {
    input_open_ = false;  // the program reads no more
    pending_.clear();
  }
}

void Pump::look_at_size() {
  if (!spec_.tty || !spec_.resized || spec_.fds[0] < 0) return;
  const auto size = window_size(spec_.fds[0]);
  if (!size || size == size_) return;
  const bool first = !size_;
  size_ = size;
  if (!first) spec_.resized(*size);
}

bool Pump::run_until(const std::function<bool()>& stopped) {
  if (!first_given_) {
    first_given_ = true;
    const std::string first = connection_.take_first();
    if (!first.empty()) take(first);
  }
  for (;;) {
    if (stopped()) return false;
    look_at_size();
    pollfd watched[2] = {{connection_.fd(), POLLIN, 0}, {-1, POLLIN, 0}};
    if (input_open_ && pending_.empty()) watched[1].fd = spec_.fds[0];
    if (!pending_.empty()) watched[0].events |= POLLOUT;
    if (poll(watched, 2, kSliceMs) <= 0) continue;
    if ((watched[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      char buffer[kChunk];
      const ssize_t got = recv(connection_.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return true;
      if (got > 0) take(std::string_view(buffer, static_cast<std::size_t>(got)));
    }
    if ((watched[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0 || (watched[0].revents & POLLOUT) != 0)
      pass_input();
  }
}

}  // namespace davit::docker_plugin
