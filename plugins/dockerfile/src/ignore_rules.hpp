// .dockerignore: which files of a tree a build does not get. The patterns are those of Docker: as a shell's,
// with ** for any number of folders; a later line wins; a line that begins with ! brings back. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace davit::dockerfile {

class IgnoreRules {
 public:
  IgnoreRules() = default;
  explicit IgnoreRules(std::string_view text);

  /// `path` is relative to the tree, with single slashes. What is below an ignored folder is ignored, unless
  /// it is brought back.
  [[nodiscard]] bool ignores(std::string_view path) const;
  /// True if nothing can be brought back: an ignored folder need not be looked into.
  [[nodiscard]] bool is_final() const { return !brings_back_; }

 private:
  struct Rule {
    std::string pattern;
    bool ignores = true;
  };
  std::vector<Rule> rules_;
  bool brings_back_ = false;
};

/// One pattern against one whole path.
bool matches_pattern(std::string_view pattern, std::string_view path);

}  // namespace davit::dockerfile
