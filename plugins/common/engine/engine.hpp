// Client of the Docker Engine's HTTP API on a unix socket: requests, streams, uploads, hijacked connections.
// It knows HTTP and JSON, and nothing of apps. Podman's compatible socket is spoken to in the same way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine_session.hpp"

namespace davit::docker {

using Json = nlohmann::json;
using Query = std::vector<std::pair<std::string, std::string>>;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct ServerVersion {
  std::string engine;  ///< "20.10.24"
  std::string api;     ///< what is spoken: "1.41"
  std::string os_arch;
  bool podman = false;
};

/// The highest version that both know. Throws EngineFailure (unsupported) if there is none. Pure.
std::string negotiate(const std::string& engine_min, const std::string& engine_max);

/// A body that comes in pieces. Threads: one.
class Stream {
 public:
  Stream(std::unique_ptr<EngineSession> session, std::istream& body, std::int64_t length, bool chunked,
         std::string socket);
  /// Appends what is there, waiting for at least a byte. False at the end. Throws if the stream was cut, or
  /// as the Patience says.
  bool read(std::string& buffer);
  /// To poll for input; `ready` says that there is some already.
  [[nodiscard]] int fd() const { return session_->fd(); }
  [[nodiscard]] bool ready() const;

 private:
  std::unique_ptr<EngineSession> session_;
  std::istream* body_;
  std::int64_t left_;  ///< of Content-Length; -1: not known
  bool chunked_;
  std::string socket_;
};

/// A raw connection after an Upgrade. Owns the descriptor. Threads: one.
class Hijacked {
 public:
  Hijacked(int fd, std::string first) : fd_(fd), first_(std::move(first)) {}
  Hijacked(const Hijacked&) = delete;
  Hijacked& operator=(const Hijacked&) = delete;
  ~Hijacked();
  [[nodiscard]] int fd() const { return fd_; }
  /// Bytes that came with the answer already; given once.
  std::string take_first() { return std::move(first_); }

 private:
  int fd_;
  std::string first_;
};

/// Writes a request's body; each call hands on some bytes.
using BodySink = std::function<void(std::string_view)>;
using BodySource = std::function<void(const BodySink&)>;

/// One connection a request: an engine that is restarted meanwhile is no trouble. Threads: one at a time.
class Engine {
 public:
  explicit Engine(std::string socket_path) : socket_(std::move(socket_path)) {}

  [[nodiscard]] const std::string& socket() const { return socket_; }
  /// Asked once, then remembered until the engine is gone, or says that it speaks that no more.
  const ServerVersion& version(const Patience& patience);

  /// The answer's JSON (null for an empty one). Throws EngineFailure for anything but 2xx and 304.
  Json get(const std::string& path, const Query& query, const Patience& patience);
  Json post(const std::string& path, const Query& query, const Json& body, const Patience& patience);
  void remove(const std::string& path, const Query& query, const Patience& patience);
  /// False for a 404.
  bool find(const std::string& path, const Query& query, Json& found, const Patience& patience);

  /// `body` null: none.
  std::unique_ptr<Stream> stream(const std::string& method, const std::string& path, const Query& query,
                                 const Json& body, const Patience& patience, const Headers& headers = {});
  /// A body of unknown length, of the given content type, for which the answer comes as a stream.
  std::unique_ptr<Stream> upload(const std::string& method, const std::string& path, const Query& query,
                                 const std::string& content_type, const BodySource& source,
                                 const Patience& patience, const Headers& headers = {});
  std::unique_ptr<Hijacked> hijack(const std::string& path, const Query& query, const Json& body,
                                   const Patience& patience);

 private:
  struct Question;
  std::unique_ptr<Stream> ask(const Question& question, const Patience& patience);
  /// `work` makes a request of its own with target(). An engine that was replaced by another may speak
  /// another version: then it is done once more.
  template <typename Work>
  auto in_its_version(const Work& work) -> decltype(work());
  std::unique_ptr<Hijacked> hijack_once(const std::string& path, const Query& query, const Json& body,
                                        const Patience& patience);
  std::string target(const std::string& path, const Query& query, const Patience& patience);
  Json whole_json(Stream& stream, const std::string& what) const;

  std::string socket_;
  ServerVersion version_;
};

/// Everything that a stream has left.
std::string read_all(Stream& stream);
/// Reads JSON messages ({"status": ...} and the like, one a line) to the end; throws EngineFailure at an
/// {"error": ...}. `use` may be empty.
void read_messages(Stream& stream, const std::function<void(const Json&)>& use);

std::string percent_encoded(std::string_view text);

}  // namespace davit::docker
