// See ignore_rules.hpp.
#include "ignore_rules.hpp"

#include <filesystem>

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

/// Goes through both side by side. What has failed once is not tried again, so that a pattern of many stars
/// takes no longer than the product of the lengths.
class Match {
 public:
  Match(std::string_view pattern, std::string_view path)
      : pattern_(pattern), path_(path), failed_((pattern.size() + 1) * (path.size() + 1)) {}

  bool from(std::size_t at, std::size_t here) {
    const std::size_t place = at * (path_.size() + 1) + here;
    if (failed_[place]) return false;
    const bool found = try_from(at, here);
    failed_[place] = !found;
    return found;
  }

 private:
  bool try_from(std::size_t at, std::size_t here) {
    if (at == pattern_.size()) return here == path_.size();
    if (pattern_.substr(at).starts_with("**")) return folders(at + 2, here);
    if (pattern_[at] == '*')
      return from(at + 1, here) || (here < path_.size() && path_[here] != '/' && from(at, here + 1));
    if (here == path_.size()) return false;
    const char c = path_[here];
    if (pattern_[at] == '[') return matches_class(pattern_, ++at, c) && from(at, here + 1);
    if (pattern_[at] == '?') return c != '/' && from(at + 1, here + 1);
    if (pattern_[at] == '\\' && at + 1 < pattern_.size()) ++at;
    return pattern_[at] == c && from(at + 1, here + 1);
  }
  /// Behind "**": any number of folders, none too.
  bool folders(std::size_t at, std::size_t here) {
    if (at == pattern_.size()) return true;
    const bool whole_names = pattern_[at] == '/';
    if (whole_names) ++at;
    for (std::size_t skip = here; skip <= path_.size(); ++skip) {
      const bool may_begin = !whole_names || skip == here || path_[skip - 1] == '/';
      if (may_begin && from(at, skip)) return true;
    }
    return false;
  }

  std::string_view pattern_;
  std::string_view path_;
  std::vector<bool> failed_;
};

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path) {
  return Match(pattern, path).from(0, 0);
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
    for (std::string_view part = path; !part.empty();) {
      if (matches_pattern(rule.pattern, part)) {
        ignored = rule.ignores;
        break;
      }
      const std::size_t slash = part.rfind('/');
      part = slash == std::string_view::npos ? std::string_view() : part.substr(0, slash);
    }
  }
  return ignored;
}

}  // namespace davit::dockerfile
