// Properties: settings as text under (scope, group, key), such as (app shop, "nginx",
// "client-max-body-size"). Which keys exist, their defaults and checks belong to the commands; the store
// keeps what it is given.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

struct Property {
  AppId scope{};
  std::string group;  ///< "ps", "git", "checks", "nginx", ...
  std::string key;
  std::string value;
};

/// Key to value, sorted by bytes.
using PropertyMap = std::map<std::string, std::string, std::less<>>;

/// Threads: those of its Store. A scope whose app is gone: NotFound "app-not-found" when writing, empty when
/// reading.
class Properties {
 public:
  explicit Properties(Database& database) : database_(database) {}

  /// The value set in just this scope.
  Result<std::optional<std::string>> get(AppId scope, std::string_view group, std::string_view key);
  /// The app's value, else the global one.
  Result<std::optional<std::string>> effective(AppId app, std::string_view group, std::string_view key);
  /// The effective value; `otherwise` if there is none, or none that is a whole number or can be read.
  std::uint64_t number(AppId app, std::string_view group, std::string_view key, std::uint64_t otherwise);
  Result<> set(AppId scope, std::string_view group, std::string_view key, std::string_view value);
  /// Returns whether there was a value.
  Result<bool> unset(AppId scope, std::string_view group, std::string_view key);

  Result<PropertyMap> group(AppId scope, std::string_view group);
  /// All of a scope, sorted by group and key.
  Result<std::vector<Property>> list(AppId scope);
  /// One key over all scopes that set it, sorted by scope: which apps chose a runtime, a builder, a deploy
  /// branch.
  Result<std::vector<Property>> everywhere(std::string_view group, std::string_view key);

 private:
  Database& database_;
};

}  // namespace davit
