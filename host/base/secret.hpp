// Secret: a string that prints as ***. Config values travel in it, so that no log line can show one by
// accident.
#pragma once

#include <string>
#include <utility>

namespace davit {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  /// The bytes themselves; every call of this is a place to look at in a review.
  [[nodiscard]] const std::string& reveal() const { return bytes_; }
  friend bool operator==(const Secret&, const Secret&) = default;
  /// fmt and streams see only this.
  friend std::string format_as(const Secret&) { return "***"; }

 private:
  std::string bytes_;
};

}  // namespace davit
