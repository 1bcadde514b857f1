// Packed: a list of byte strings as one blob, each with its length before it. Private to host/store.
// For what is recorded and read back whole, and never searched.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace davit {

inline std::string pack(const std::vector<std::string>& parts) {
  std::string bytes;
  for (const auto& part : parts) bytes += std::to_string(part.size()) + ":" + part;
  return bytes;
}

inline std::vector<std::string> unpack(std::string_view bytes) {
  std::vector<std::string> parts;
  while (!bytes.empty()) {
    const auto colon = bytes.find(':');
    if (colon == std::string_view::npos) break;
    std::size_t size = 0;
    for (const char digit : bytes.substr(0, colon)) size = size * 10 + static_cast<std::size_t>(digit - '0');
    parts.emplace_back(bytes.substr(colon + 1, size));
    bytes.remove_prefix(std::min(bytes.size(), colon + 1 + size));
  }
  return parts;
}

}  // namespace davit
