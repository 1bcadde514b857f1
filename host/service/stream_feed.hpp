// StreamFeed: a stream on its way into a program, in constant memory: how it begins is known beforehand, how
// it ended and how long it was afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/result.hpp"
#include "process/unique_fd.hpp"

namespace davit {

/// Threads: one, beside the one that it starts.
class StreamFeed {
 public:
  /// Reads the beginning of `source` (borrowed). kInvalid "no-data" if there is nothing.
  static Result<StreamFeed> open(int source);
  StreamFeed(StreamFeed&&) noexcept;
  StreamFeed& operator=(StreamFeed&&) = delete;
  ~StreamFeed();

  [[nodiscard]] const std::string& head() const { return head_; }  ///< at most 512 bytes
  /// From now on the rest is copied; what the program reads as its stdin.
  Result<int> start();
  /// After the program's end. kFailed if `source` could not be read to its end. If the program went first,
  /// what is left of the stream is not waited for.
  Result<> finish();
  [[nodiscard]] std::uint64_t bytes() const;  ///< so far; any thread, from start() on
  /// Whether this stood within the last 4 KiB.
  [[nodiscard]] bool ended_with(const std::string& text) const;

 private:
  struct Copy;
  StreamFeed(int source, std::string head);
  int source_;
  std::string head_;
  UniqueFd reader_;
  std::unique_ptr<Copy> copy_;
};

}  // namespace davit
