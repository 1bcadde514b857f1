// PluginNote: what a plugin says about itself in its ELF note, as a value. Read without loading the plugin:
// note_reader.hpp. The text's form is documented in sdk/include/davit/note.h. This header knows nothing of
// TOML or ELF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace davit {

enum class SettingType : std::uint8_t {
  kUint,
  kInt,
  kBool,
  kString,
  kPath,      ///< absolute
  kDuration,  ///< "500ms", "30s", "5m", "2h", "1d"; a bare number is seconds
  kSize,      ///< "10k", "64MiB", "2G"; a bare number is bytes
  kStrings,   ///< an array of strings
  kEnum,
  kPort,  ///< a TCP port, 1 to 65535
};
std::string_view name_of(SettingType type);  ///< "uint", "int", ... as in the note
std::optional<SettingType> setting_type(std::string_view name);

/// One [[settings]] entry: what may stand in [plugins.ID.settings].
struct SettingSpec {
  std::string key;
  SettingType type = SettingType::kString;
  std::optional<std::string> default_value;  ///< as text; of kStrings: see default_items
  std::vector<std::string> default_items;
  std::string summary;
  std::vector<std::string> values;    ///< of kEnum
  std::vector<std::string> places{};  ///< of kPath: where `davit init` looks for it; see note.h
};

/// Checks a value's text against a type (kStrings is checked item by item as any text). The error says what
/// is wanted.
Result<> check_value(SettingType type, const std::vector<std::string>& values, std::string_view text);
/// Milliseconds of a kDuration; bytes of a kSize. kInvalid if it is none.
Result<std::uint64_t> parse_duration_ms(std::string_view text);
Result<std::uint64_t> parse_size_bytes(std::string_view text);

/// One [[properties]] entry: what GROUP:set takes.
struct PropertySpec {
  std::string group, key;
  SettingType type = SettingType::kString;
  std::optional<std::string> default_value;
  std::string summary;
  std::vector<std::string> values;
  bool global = false;  ///< may be set with --global
};

struct HookSpec {
  std::string event;
  int order = 100;  ///< lower is earlier
};

struct FlagSpec {
  std::string name;   ///< without dashes
  std::string value;  ///< what to show for its value; "": a switch
  std::string summary;
  [[nodiscard]] bool is_switch() const { return value.empty(); }
};

struct CommandSpec {
  std::string name;  ///< "GROUP:VERB" or "GROUP"
  std::string summary, usage;
  std::vector<FlagSpec> flags;
  unsigned minimum_args = 0;
  int maximum_args = -1;  ///< -1: any number
  bool app = false;       ///< the first argument is an existing app
};

struct PluginNote {
  std::string id, version, abi, summary;
  std::vector<std::string> requires_ids, uses_ids, provides;
  std::vector<HookSpec> hooks;
  std::vector<CommandSpec> commands;
  std::vector<SettingSpec> settings;
  std::vector<PropertySpec> properties;
  std::vector<std::pair<std::string, std::string>> groups;  ///< command group, first help line; sorted

  [[nodiscard]] bool provides_interface(std::string_view interface_id) const;
  [[nodiscard]] const SettingSpec* setting(std::string_view key) const;
  [[nodiscard]] const CommandSpec* command(std::string_view name) const;
  /// Whether the plugin may get this host interface: listed under requires or uses.
  [[nodiscard]] bool may_use(std::string_view interface_id) const;
};

}  // namespace davit
