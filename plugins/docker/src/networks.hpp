// One user-defined bridge network for each app: its containers find each other by name, and no others find
// them.
#pragma once

#include <string>

#include "parts.hpp"

namespace davit::docker_plugin {

class Networks {
 public:
  explicit Networks(const Base& base) : base_(base) {}
  /// Makes it if it is not there; its name.
  std::string ensure(const sdk::Call& call, std::uint32_t owner_kind, const std::string& owner);
  /// Idempotent; leaves one that a container still uses.
  void remove(std::uint32_t owner_kind, const std::string& owner);

 private:
  [[nodiscard]] std::string name_of(std::uint32_t owner_kind, const std::string& owner) const;
  void create(const sdk::Call& call, Json request);
  const Base& base_;
};

/// The n-th /24 of "10.88.0.0/16", or "" past its end. Throws sdk::Failure if the text is no such pool. Pure.
std::string subnet_of(const std::string& pool, unsigned n);

}  // namespace davit::docker_plugin
