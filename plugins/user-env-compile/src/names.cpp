// See names.hpp. The list holds what Heroku's buildpacks keep out of their environment, git's own variables
// of a repository (git rev-parse --local-env-vars), and what a build is told by davit (STACK).
#include "names.hpp"

#include <algorithm>
#include <cctype>

namespace davit::build_env {

bool is_variable(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

bool matches(std::string_view pattern, std::string_view name) {
  // Back to the last star when the text after it does not fit where it was tried.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t tried = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      tried = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++tried;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool matches_any(const sdk::Strings& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [name](const std::string& pattern) { return matches(pattern, name); });
}

const sdk::Strings& always_blocked() {
  static const sdk::Strings names{"APP_DIR",
                                  "BASHOPTS",
                                  "BASH_ENV",
                                  "BUILD_DIR",
                                  "CACHE_DIR",
                                  "CDPATH",
                                  "COMPILER_PATH",
                                  "CPATH",
                                  "CPLUS_INCLUDE_PATH",
                                  "CPPATH",
                                  "C_INCLUDE_PATH",
                                  "DAVIT_*",
                                  "ENV",
                                  "ENV_DIR",
                                  "GCC_EXEC_PREFIX",
                                  "GCONV_PATH",
                                  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                  "GIT_COMMON_DIR",
                                  "GIT_DIR",
                                  "GIT_EXEC_PATH",
                                  "GIT_GRAFT_FILE",
                                  "GIT_INDEX_FILE",
                                  "GIT_NAMESPACE",
                                  "GIT_OBJECT_DIRECTORY",
                                  "GIT_PREFIX",
                                  "GIT_QUARANTINE_PATH",
                                  "GIT_REPLACE_REF_BASE",
                                  "GIT_SHALLOW_FILE",
                                  "GIT_WORK_TREE",
                                  "GLOBIGNORE",
                                  "HOME",
                                  "IFS",
                                  "LD_AUDIT",
                                  "LD_LIBRARY_PATH",
                                  "LD_PRELOAD",
                                  "LIBRARY_PATH",
                                  "OBJC_INCLUDE_PATH",
                                  "PATH",
                                  "PROMPT_COMMAND",
                                  "PS4",
                                  "PYTHONHOME",
                                  "REQUEST_ID",
                                  "SHELLOPTS",
                                  "SOURCE_VERSION",
                                  "STACK"};
  return names;
}

bool NameRules::allows(std::string_view name) const {
  return matches_any(allow_, name) || (!matches_any(always_blocked(), name) && !matches_any(block_, name));
}

sdk::Strings NameRules::blocked() const {
  sdk::Strings all = always_blocked();
  all.insert(all.end(), block_.begin(), block_.end());
  std::ranges::sort(all);
  return all;
}

}  // namespace davit::build_env
