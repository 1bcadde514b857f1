// See ignore_rules.hpp.
#include "ignore_rules.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

namespace davit::dockerfile {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

/// As Go's filepath.Clean and without a leading slash; empty for the tree itself.
std::string cleaned(std::string_view pattern) {
  std::string path = std::filesystem::path(pattern).lexically_normal().string();
  while (path.starts_with('/')) path.erase(0, 1);
  while (path.ends_with('/')) path.pop_back();
  return path == "." ? std::string() : path;
}

/// A class such as [a-z] or [^x]; `at` is behind the bracket, and behind the class at the end. False: no
/// match, or no class.
bool matches_class(std::string_view pattern, std::size_t& at, char c) {
  const bool negated = at < pattern.size() && (pattern[at] == '^' || pattern[at] == '!');
  if (negated) ++at;
  bool found = false;
  for (bool first = true; at < pattern.size() && (first || pattern[at] != ']'); first = false) {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    const char low = pattern[at++];
    char high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      high = pattern[at + 1];
      at += 2;
    }
    found = found || (low <= c && c <= high);
  }
  if (at >= pattern.size()) return false;
  ++at;
  return found != negated && c != '/';
}

/// Which beginnings of `path` the whole pattern matches, by length. All at once, one piece of the pattern
/// after the other: it takes no longer than the product of the lengths, whatever is written.
std::vector<bool> matched_lengths(std::string_view pattern, std::string_view path) {
  const std::size_t size = path.size();
  std::vector<bool> reached(size + 1);
  reached[0] = true;
  for (std::size_t at = 0; at < pattern.size();) {
    std::vector<bool> next(size + 1);
    if (pattern.substr(at, 2) == "**") {  // any number of folders, none too
      const bool whole_names = at + 2 < pattern.size() && pattern[at + 2] == '/';
      at += whole_names ? 3 : 2;
      bool any = false;
      for (std::size_t here = 0; here <= size; ++here) {
        const bool begins = any && (!whole_names || path[here - 1] == '/');
        any = any || reached[here];
        next[here] = reached[here] || begins;
      }
    } else if (pattern[at] == '*') {
      ++at;
      for (std::size_t here = 0; here <= size; ++here)
        next[here] = reached[here] || (here > 0 && next[here - 1] && path[here - 1] != '/');
    } else {
      const bool is_class = pattern[at] == '[';
      const bool is_any = pattern[at] == '?';
      if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
      const std::size_t begin = at;
      std::size_t behind = at + 1;
      for (std::size_t here = 0; here < size; ++here) {
        if (!reached[here]) continue;
        const char c = path[here];
        if (is_class) {
          behind = begin + 1;
          next[here + 1] = matches_class(pattern, behind, c);
        } else {
          next[here + 1] = is_any ? c != '/' : pattern[begin] == c;
        }
      }
      at = behind;
    }
    reached = std::move(next);
    if (std::ranges::find(reached, true) == reached.end()) break;
  }
  return reached;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path) {
  return matched_lengths(pattern, path).back();
}

IgnoreRules::IgnoreRules(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    const bool brings_back = line.front() == '!';
    if (brings_back) line = trim(line.substr(1));
    const std::string pattern = cleaned(line);
    if (pattern.empty()) continue;
    rules_.push_back({pattern, !brings_back});
    brings_back_ = brings_back_ || brings_back;
  }
}

bool IgnoreRules::ignores(std::string_view path) const {
  bool ignored = false;
  for (const Rule& rule : rules_) {
    if (rule.ignores == ignored) continue;
    const std::vector<bool> matched = matched_lengths(rule.pattern, path);
    for (std::size_t length = 1; length <= path.size(); ++length) {  // it, and the folders that it is in
      if (matched[length] && (length == path.size() || path[length] == '/')) ignored = rule.ignores;
    }
  }
  return ignored;
}

}  // namespace davit::dockerfile
