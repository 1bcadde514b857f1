// Which names of variables builds may have. Pure.
#pragma once

#include <string_view>

#include "davit/text.hpp"

namespace davit::build_env {

/// A letter or _, then letters, digits and _.
bool is_variable(std::string_view name);

/// `*` stands for any text, everything else for itself.
bool matches(std::string_view pattern, std::string_view name);
bool matches_any(const sdk::Strings& patterns, std::string_view name);

/// What is blocked whatever the settings say: variables by which programs, the loader, shells and git find
/// their way. A buildpack that exports its ENV_DIR would break its own build with them.
const sdk::Strings& always_blocked();

class NameRules {
 public:
  NameRules(sdk::Strings block, sdk::Strings allow) : block_(std::move(block)), allow_(std::move(allow)) {}
  [[nodiscard]] bool allows(std::string_view name) const;
  /// All patterns that block, sorted.
  [[nodiscard]] sdk::Strings blocked() const;

 private:
  sdk::Strings block_;
  sdk::Strings allow_;
};

}  // namespace davit::build_env
