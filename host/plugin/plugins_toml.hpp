// plugins.toml: the operator's file. Parsing into a value, and edits of the text that keep comments and
// order. It knows the form of the file; what a plugin's settings mean is checked by the catalog against its
// note.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "plugin/note.hpp"

namespace davit {

/// [host]. Empty: not set.
struct HostSettings {
  std::string runtime;         ///< plugin id of the default runtime
  std::string proxy;           ///< plugin id, where several proxies are enabled
  std::string app_user;        ///< account or uid for others' code, where the owner is root
  bool create_on_push = true;  ///< a first push makes the app
  unsigned port_first = 20'000, port_last = 29'999;  ///< ports on loopback that are leased to instances
  unsigned plugin_timeout_s = 120;                   ///< one hook, start or stop of a plugin; 0: no limit
  unsigned first_line = 0;                           ///< of [host], for messages
};

/// A value in [plugins.ID.settings], as text, with its place.
struct GivenSetting {
  enum class Kind { kString, kInteger, kFloat, kBool, kArray, kOther };
  Kind kind = Kind::kString;
  std::string text;
  std::vector<std::string> items;  ///< kArray of strings
  bool items_are_strings = true;
  unsigned line = 0;
};

/// One [plugins.ID].
struct PluginSection {
  std::string id;
  bool enabled = true;
  std::filesystem::path path;  ///< absolute; empty: looked up among the installed ones
  std::string version;         ///< "^1.0"; empty: any
  std::optional<int> order;
  std::vector<std::pair<std::string, GivenSetting>> settings;  ///< in the file's order
  unsigned line = 0;
  unsigned version_line = 0, path_line = 0;
};

struct PluginsToml {
  HostSettings host;
  std::vector<PluginSection> plugins;  ///< in the operator's order: `order`, then place in the file
};

/// `source` is named in errors: kInvalid "plugins-toml-invalid", "FILE:LINE: what", hint with the nearest
/// known key.
Result<PluginsToml> parse_plugins_toml(std::string_view text, const std::string& source);
/// kNotFound "plugins-toml-missing" says `davit init`.
Result<PluginsToml> read_plugins_toml(const std::filesystem::path& file);

// Edits. Each returns the new text; everything else in it stays byte for byte. The result is parsed again
// before it is returned.
Result<std::string> with_plugin_enabled(std::string_view text, std::string_view id, bool enabled,
                                        const std::string& source);
/// `key` of [host] (id "") or of [plugins.ID.settings]; `toml_value` is TOML: `"x"`, `8080`, `true`.
Result<std::string> with_value(std::string_view text, std::string_view id, std::string_view key,
                               std::string_view toml_value, const std::string& source);

/// The same on the file, atomically, keeping its mode.
Result<> set_plugin_enabled(const std::filesystem::path& file, std::string_view id, bool enabled);
Result<> set_plugins_toml_value(const std::filesystem::path& file, std::string_view id, std::string_view key,
                                std::string_view toml_value);

/// A TOML basic string with its quotes.
std::string toml_quote(std::string_view text);

/// What `davit init` writes.
struct TemplatePlugin {
  PluginNote note;
  bool enabled = true;
  std::vector<std::pair<std::string, std::string>> settings;  ///< key, TOML value: written uncommented
};
struct TemplateChoices {
  std::string runtime;
  std::string app_user;  ///< "": commented out
};
/// Every plugin with a comment that says what it does, and each of its settings commented out with its
/// default.
std::string plugins_toml_template(const TemplateChoices& choices, const std::vector<TemplatePlugin>& plugins);

}  // namespace davit
