// StreamDrain: takes what a program writes to a descriptor, in a thread of its own, and knows whether all of
// it arrived. Programs differ in whether they look: pg_dump ends well on a full disk if its last buffer is
// what does not fit.
#pragma once

#include <memory>

#include "base/result.hpp"

namespace davit {

class StreamDrain {
 public:
  /// `target` is borrowed until finish().
  static Result<StreamDrain> open(int target);
  StreamDrain(StreamDrain&&) noexcept;
  StreamDrain(const StreamDrain&) = delete;
  StreamDrain& operator=(const StreamDrain&) = delete;
  ~StreamDrain();

  /// What the program writes to.
  [[nodiscard]] int fd() const;
  /// Once the program has ended: waits until the rest is written. When something could not be, the program
  /// has seen a closed pipe, and the reason is the errno of the writing.
  Result<> finish();

 private:
  struct Copy;
  explicit StreamDrain(std::unique_ptr<Copy> copy);
  std::unique_ptr<Copy> copy_;
};

}  // namespace davit
