// EndpointProbe: how the host itself asks an instance whether it is there. A seam; http_probe.cpp is the real
// one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/model.hpp"
#include "base/result.hpp"

namespace davit {

struct HttpAnswer {
  int status = 0;
  std::string body;  ///< at most 64 KiB of it, if it was wanted
};

struct HttpRequest {
  std::string path = "/";
  std::string host = "localhost";  ///< Host header
  std::map<std::string, std::string> headers;
  std::uint64_t timeout_ms = 5'000;  ///< for all of it: connection, head and body
  bool wants_body = true;
  std::function<bool()> cancelled = [] { return false; };
};

/// What is between us and whoever listens. A relay (a container engine's) takes every connection, and closes
/// it at once if nobody listens behind it.
enum class Way : std::uint8_t { kDirect, kPerhapsRelayed };

/// Threads: any. Errors: kUnavailable (refused, reset), kTimeout, kCancelled.
class EndpointProbe {
 public:
  virtual ~EndpointProbe() = default;
  /// A TCP (or unix) connection can be made. Where there may be a relay, it is looked at for 40 ms.
  virtual Result<> connect(const Endpoint& endpoint, std::uint64_t timeout_ms, Way way) = 0;
  virtual Result<HttpAnswer> get(const Endpoint& endpoint, const HttpRequest& request) = 0;
};

std::unique_ptr<EndpointProbe> make_poco_probe();

}  // namespace davit
