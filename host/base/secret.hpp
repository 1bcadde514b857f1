// Secret: a string that prints as ***. Config values travel in it, so that no log line can show one by
// accident.
#pragma once

#include <fmt/core.h>

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace davit {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  /// The bytes themselves; every call of this is a place to look at in a review.
  [[nodiscard]] const std::string& reveal() const { return bytes_; }
  friend bool operator==(const Secret&, const Secret&) = default;
  /// Streams see only this, and so do the messages of failing tests.
  friend std::ostream& operator<<(std::ostream& stream, const Secret&) { return stream << "***"; }

 private:
  std::string bytes_;
};

}  // namespace davit

/// fmt sees only this, and so does the log.
template <>
struct fmt::formatter<davit::Secret> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const davit::Secret&, Context& context) const {
    return fmt::formatter<std::string_view>::format("***", context);
  }
};
