// CancelToken: "somebody asked us to stop", as something that can be polled. Not a reason, and not a
// deadline.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "process/unique_fd.hpp"

namespace davit {

/// Copies share one state. Once cancelled it stays so.
/// Threads: any; cancel() is async-signal-safe.
class CancelToken {
 public:
  static Result<CancelToken> create();

  void cancel() const;
  [[nodiscard]] bool cancelled() const;
  /// Readable as soon as the token is cancelled; for poll(). Owned by the token: do not close or read it.
  [[nodiscard]] int fd() const { return event_->get(); }

 private:
  explicit CancelToken(std::shared_ptr<UniqueFd> event) : event_(std::move(event)) {}
  std::shared_ptr<UniqueFd> event_;  // an eventfd
};

}  // namespace davit
