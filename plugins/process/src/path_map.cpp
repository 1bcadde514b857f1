// See path_map.hpp.
#include "path_map.hpp"

#include <algorithm>

namespace davit::process_plugin {

void PathMap::add(std::string inside, std::string outside) {
  entries_.emplace_back(std::move(inside), std::move(outside));
  std::ranges::stable_sort(entries_,
                           [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

std::string PathMap::path(std::string_view text) const {
  for (const auto& [inside, outside] : entries_) {
    if (!text.starts_with(inside)) continue;
    const std::string_view rest = text.substr(inside.size());
    if (rest.empty() || rest.front() == '/') return outside + std::string(rest);
  }
  return std::string(text);
}

std::string PathMap::list(std::string_view text) const {
  std::string mapped;
  for (;;) {
    const std::size_t colon = text.find(':');
    mapped += path(text.substr(0, colon));
    if (colon == std::string_view::npos) return mapped;
    mapped += ':';
    text.remove_prefix(colon + 1);
  }
}

sdk::Strings PathMap::words(const sdk::Strings& words) const {
  sdk::Strings mapped;
  for (const std::string& word : words) {
    const std::size_t equals = word.starts_with("--") ? word.find("=/") : std::string::npos;
    const std::size_t begin = equals == std::string::npos ? 0 : equals + 1;
    mapped.push_back(word.substr(0, begin) + path(std::string_view(word).substr(begin)));
  }
  return mapped;
}

sdk::Pairs PathMap::values(const sdk::Pairs& env) const {
  sdk::Pairs mapped;
  for (const auto& [key, value] : env) mapped.emplace_back(key, list(value));
  return mapped;
}

}  // namespace davit::process_plugin
