// PluginKv: a plugin's own small state, per app or for the whole home. Behind davit.host.kv of the ABI.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

/// Keys: 1 to 512 bytes without NUL (Invalid "kv-key-invalid"). Values: any bytes, at most 16 MiB (Invalid
/// "kv-value-too-large"). With an app as scope the rows go when the app goes.
/// Threads: those of its Store. Writing for an app that is gone: NotFound "app-not-found".
class PluginKv {
 public:
  explicit PluginKv(Database& database) : database_(database) {}

  Result<std::optional<std::string>> get(std::string_view plugin, AppId scope, std::string_view key);
  Result<> set(std::string_view plugin, AppId scope, std::string_view key, std::string_view value);
  /// Returns whether there was a value.
  Result<bool> remove(std::string_view plugin, AppId scope, std::string_view key);
  /// Every key that begins with `prefix`, sorted by bytes.
  Result<std::map<std::string, std::string>> list(std::string_view plugin, AppId scope,
                                                  std::string_view prefix = {});
  /// Puts `desired` (nothing: removes) if the value is still `expected` (nothing: absent). Returns whether it
  /// was.
  Result<bool> compare_and_swap(std::string_view plugin, AppId scope, std::string_view key,
                                const std::optional<std::string>& expected,
                                const std::optional<std::string>& desired);

 private:
  Database& database_;
};

}  // namespace davit
