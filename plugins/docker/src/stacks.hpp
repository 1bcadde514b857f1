// Stacks: the image under a slug. Made here from Debian packages, or any image that the engine has or can
// pull.
#pragma once

#include <string>
#include <vector>

#include "parts.hpp"

namespace davit::docker_plugin {

struct StackInfo {
  std::string name;
  std::string id;
  std::uint64_t bytes = 0;
  std::int64_t created_unix_s = 0;
};

class Stacks {
 public:
  explicit Stacks(const Base& base) : base_(base) {}

  /// What an app runs on: its own setting, the global one, or the default. A stack's name or an image's.
  std::string wanted(const sdk::Call& call, const std::string& app) const;
  /// The image's id. Builds the default stack if it is not there; pulls an image that is not there. Throws
  /// NOT_FOUND with what to do. `app`: whose logins at registries count; empty: the global ones.
  std::string image_of(const sdk::Call& call, const std::string& wanted, const std::string& app = {});
  /// Without building or pulling anything.
  bool is_there(const sdk::Call& call, const std::string& wanted) { return !known(call, wanted).empty(); }
  /// Makes or replaces a stack of these packages; an empty `suite` is this machine's.
  std::string build(const sdk::Call& call, const std::string& name, const std::string& suite,
                    const std::vector<std::string>& packages);
  std::vector<StackInfo> list(const sdk::Call& call);
  [[nodiscard]] std::string reference(const std::string& name) const;

 private:
  std::string find(const sdk::Call& call, const std::string& reference);
  std::string known(const sdk::Call& call, const std::string& wanted);
  const Base& base_;
};

/// Letters, digits, dots and dashes: may be part of a tag.
bool is_stack_name(const std::string& name);
/// Pure: the command line that writes the root to stdout. `sources` is a file of the machine's apt, or empty.
sdk::Strings debootstrap_argv(const std::string& program, const std::string& suite,
                              const std::string& sources, const std::vector<std::string>& packages);
/// What buildpacks expect to find, and `more`.
std::vector<std::string> packages_of_stack(const std::vector<std::string>& more);

}  // namespace davit::docker_plugin
