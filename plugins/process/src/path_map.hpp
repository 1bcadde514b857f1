// For machines without namespaces: paths that would be inside a sandbox, replaced by where the things really
// are. Whole path components only; nothing is read from disk.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "davit/text.hpp"

namespace davit::process_plugin {

class PathMap {
 public:
  /// The longest target wins.
  void add(std::string inside, std::string outside);

  /// "/app/bin" -> "/home/.../bin" when /app is known; text that is no such path stays.
  [[nodiscard]] std::string path(std::string_view text) const;
  /// Each item of a list separated by ':', as in PATH.
  [[nodiscard]] std::string list(std::string_view text) const;
  [[nodiscard]] sdk::Strings words(const sdk::Strings& words) const;
  [[nodiscard]] sdk::Pairs values(const sdk::Pairs& env) const;

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

}  // namespace davit::process_plugin
