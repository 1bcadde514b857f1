// See engine_session.hpp.
#include "engine/engine_session.hpp"

#include <Poco/Net/NetException.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "engine/engine_failure.hpp"

namespace davit::docker {
namespace {

constexpr int kSliceMs = 100;         // between two looks whether somebody wants the wait to end
constexpr int kConnectTimeoutS = 10;  // an engine whose queue is full

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

int dial(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw EngineFailure(DAVIT_INVALID, 0, "socket-path",
                        "The path of the engine's socket is too long: " + path,
                        "a unix socket's path has at most 107 characters");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw cannot_connect(path, errno);
  const timeval limit{kConnectTimeoutS, 0};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd);
    if (error == EAGAIN) throw engine_silent(path, kConnectTimeoutS * 1000);
    throw cannot_connect(path, error);
  }
  return fd;
}

}  // namespace

EngineSocket::EngineSocket(int fd, std::string path, Patience patience)
    : StreamSocketImpl(fd), path_(std::move(path)), patience_(std::move(patience)) {}

void EngineSocket::wait(short events) {
  const std::int64_t begun = now_ms();
  pollfd watched{sockfd(), events, 0};
  for (;;) {
    if (patience_.stopped && patience_.stopped())
      throw sdk::Failure(DAVIT_CANCELLED, "cancelled", "cancelled");
    if (::poll(&watched, 1, kSliceMs) > 0) return;
    if (patience_.idle_ms != 0 && now_ms() - begun >= static_cast<std::int64_t>(patience_.idle_ms))
      throw engine_silent(path_, patience_.idle_ms);
  }
}

int EngineSocket::receiveBytes(void* buffer, int length, int flags) {
  try {
    for (;;) {
      wait(POLLIN);
      const ssize_t got = ::recv(sockfd(), buffer, static_cast<std::size_t>(length), flags | MSG_DONTWAIT);
      if (got > 0) return static_cast<int>(got);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      saw_end_ = true;  // a reset too: what was read so far decides whether that is a failure
      return 0;
    }
  } catch (...) {
    failure_ = std::current_exception();
    throw;
  }
}

int EngineSocket::sendBytes(const void* buffer, int length, int flags) {
  const char* at = static_cast<const char*>(buffer);
  int left = length;
  try {
    while (left > 0) {
      wait(POLLOUT);
      const ssize_t sent =
          ::send(sockfd(), at, static_cast<std::size_t>(left), flags | MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      // Not remembered: the engine may have answered early, and its answer says more than this.
      if (sent < 0) throw Poco::Net::ConnectionResetException("the engine stopped listening");
      at += sent;
      left -= static_cast<int>(sent);
    }
  } catch (const Poco::Exception&) {
    throw;
  } catch (...) {
    failure_ = std::current_exception();
    throw;
  }
  return length;
}

EngineSession::EngineSession(std::string socket_path, Patience patience)
    : HTTPClientSession("127.0.0.1", 80),  // never looked up or connected to: connect() is ours
      path_(std::move(socket_path)),
      patience_(std::move(patience)) {}

int EngineSession::fd() const {
  return socket_ ? socket_->sockfd() : -1;
}

void EngineSession::connect(const Poco::Net::SocketAddress& address) {
  (void)address;
  socket_ = new EngineSocket(dial(path_), path_, patience_);
  socket_->duplicate();  // one count for the StreamSocket, one for us
  attachSocket(Poco::Net::StreamSocket(socket_.get()));
}

}  // namespace davit::docker
