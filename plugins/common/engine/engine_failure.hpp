// What the engine answered when it was no success, as a Failure that says what to do. Pure.
#pragma once

#include <string>
#include <string_view>

#include "davit/failure.hpp"

namespace davit::docker {

/// `http_status` is 0 where no answer came at all.
class EngineFailure : public sdk::Failure {
 public:
  EngineFailure(davit_status status, int http_status, std::string slug, std::string message,
                std::string hint = {}, std::string words = {})
      : sdk::Failure(status, std::move(slug), std::move(message), std::move(hint)),
        http_status_(http_status),
        words_(std::move(words)) {}
  [[nodiscard]] int http_status() const noexcept { return http_status_; }
  /// The engine's own words, without ours; empty where it said none.
  [[nodiscard]] const std::string& words() const noexcept { return words_; }

 private:
  int http_status_;
  std::string words_;
};

/// connect() to `socket` failed with `error` (an errno).
EngineFailure cannot_connect(const std::string& socket, int error);
/// The engine was silent for longer than `idle_ms`.
EngineFailure engine_silent(const std::string& socket, std::uint64_t idle_ms);
/// What came is not HTTP, not JSON, or breaks off.
EngineFailure engine_garbled(const std::string& socket, const std::string& what);
/// An HTTP error; `body` is the engine's {"message": ...} or anything. `what` names the request.
EngineFailure engine_refused(int http_status, std::string_view body, const std::string& what);

}  // namespace davit::docker
