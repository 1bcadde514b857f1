// Property groups: `GROUP:set` and the settings in `GROUP:report`, declared as data. The core's groups and
// those of plugins (from their notes) go through the same functions.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/layout.hpp"
#include "store/properties.hpp"

namespace davit {

struct CliProperty {
  std::string key;                                                  ///< "restart-policy"
  std::string default_value;                                        ///< what holds when nobody set it
  bool global = true;                                               ///< may be set with --global
  bool per_app = true;                                              ///< may be set for an app
  std::function<Result<>(std::string_view value)> check = nullptr;  ///< empty: any text
  std::string summary = {};                                         ///< for the help of GROUP:set
};

struct PropertyGroup {
  std::string name;  ///< "ps": the word before the colon and the group in the store
  std::string type;  ///< in reports: "ps"; "app" for apps
  std::vector<CliProperty> properties;
};

/// One `GROUP:set`. Checks key, scope and value; writes nothing. Errors: dokku's texts.
Result<const CliProperty*> check_property(const PropertyGroup& group, bool global_scope, std::string_view key,
                                          std::string_view value);

/// Adds `key`, `global-key` and `computed-key` for what can be global, else `key` alone, each with the group
/// in front. `scope` AppId::kGlobal: the global report.
Result<> report_properties(Report& report, const PropertyGroup& group, Properties& properties, AppId scope);

// Checks that several groups use.
Result<> check_boolean(std::string_view value);         ///< true or false
Result<> check_count(std::string_view value);           ///< 0 to 4294967295
Result<> check_bytes(std::string_view value);           ///< 0 to 2^50
Result<> check_seconds(std::string_view value);         ///< 0 to 86400
Result<> check_relative_path(std::string_view value);   ///< no leading /, no ..
Result<> check_restart_policy(std::string_view value);  ///< always, no, unless-stopped, on-failure[:N]
Result<> check_branch(std::string_view value);          ///< a git branch name

}  // namespace davit
