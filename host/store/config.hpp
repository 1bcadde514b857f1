// Config: the environment variables that users set for an app or for all.
// Values are secrets: they keep every byte and travel as Secret. Variables that come from links are not here.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

/// Key to value, sorted by bytes.
using ConfigMap = std::map<std::string, Secret, std::less<>>;

/// Threads: those of its Store. Writing for an app that is gone: NotFound "app-not-found".
class Config {
 public:
  explicit Config(Database& database) : database_(database) {}

  /// The value in just this scope.
  Result<std::optional<Secret>> get(AppId scope, std::string_view key);
  Result<ConfigMap> all(AppId scope);
  /// The global variables overlaid with the app's.
  Result<ConfigMap> merged(AppId app);
  /// All or none. Invalid "config-key-invalid"; Invalid "config-value-nul" (an environment cannot hold a NUL
  /// byte); the error names the key, never the value.
  Result<> set_many(AppId scope, const ConfigMap& values);
  /// All or none; returns how many existed. Missing keys are no error.
  Result<std::size_t> unset_many(AppId scope, const std::vector<std::string>& keys);
  /// Sets the scope to just these, as a rollback or an import with --replace does.
  Result<> replace(AppId scope, const ConfigMap& values);
  Result<> clear(AppId scope);

 private:
  Database& database_;
};

}  // namespace davit
