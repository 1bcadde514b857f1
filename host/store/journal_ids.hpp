// A deployment's id as text ("d17") and as the number that the tables have. Private to host/store.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit {

/// Nothing when it has not the form of an id: no such deployment can exist.
inline std::optional<std::int64_t> deployment_number(std::string_view id) {
  if (!id.starts_with('d')) return std::nullopt;
  std::int64_t number = 0;
  const char* end = id.data() + id.size();
  const auto [stopped, error] = std::from_chars(id.data() + 1, end, number);
  if (error != std::errc() || stopped != end || number <= 0) return std::nullopt;
  return number;
}

inline std::string deployment_id(std::int64_t number) {
  return "d" + std::to_string(number);
}

[[nodiscard]] inline Error deployment_not_found(std::string_view id) {
  return {Code::kNotFound,
          "Deployment " + std::string(id) + " does not exist",
          "See: davit deploys:list",
          "deployment-not-found",
          {}};
}

}  // namespace davit
