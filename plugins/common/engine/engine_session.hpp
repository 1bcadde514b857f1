// One HTTP connection to the engine's unix socket: Poco's client session over a socket whose waits can be
// cancelled and are bounded. Poco swallows what its streams throw, so the socket remembers its failure.
#pragma once

#include <Poco/AutoPtr.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/StreamSocketImpl.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <string>

namespace davit::docker {

/// How long to wait for the other side, and who may end the wait.
struct Patience {
  std::function<bool()> stopped;   ///< looked at a few times a second; empty: never
  std::uint64_t idle_ms = 60'000;  ///< the longest silence; 0: no bound
};

class EngineSocket : public Poco::Net::StreamSocketImpl {
 public:
  /// Takes the descriptor.
  EngineSocket(int fd, std::string path, Patience patience);

  int receiveBytes(void* buffer, int length, int flags = 0) override;
  int sendBytes(const void* buffer, int length, int flags = 0) override;

  [[nodiscard]] bool saw_end() const { return saw_end_; }
  /// Throws again what a read or write threw (an EngineFailure, or the cancel).
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void wait(short events);

  std::string path_;
  Patience patience_;
  std::exception_ptr failure_;
  bool saw_end_ = false;
};

/// Threads: one.
class EngineSession : public Poco::Net::HTTPClientSession {
 public:
  EngineSession(std::string socket_path, Patience patience);

  /// Null before the first request.
  [[nodiscard]] const EngineSocket* engine_socket() const { return socket_.get(); }
  [[nodiscard]] int fd() const;
  [[nodiscard]] bool has_buffered() const { return buffered() > 0; }
  void rethrow() const {
    if (socket_) socket_->rethrow();
  }

 protected:
  void connect(const Poco::Net::SocketAddress& address) override;

 private:
  std::string path_;
  Patience patience_;
  Poco::AutoPtr<EngineSocket> socket_;
};

}  // namespace davit::docker
