// PluginCatalog: which plugins are installed, which of them plugins.toml enables, and what their notes say:
// commands, hooks, settings, properties. It loads no plugin and writes nothing but its cache; the `davit`
// front program needs no more than this.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/model.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "plugin/note.hpp"
#include "plugin/plugins_toml.hpp"

namespace davit {

struct CatalogOptions {
  std::vector<std::string> disable;  ///< ids of DAVIT_PLUGINS_DISABLE
  bool safe_mode = false;            ///< --safe-mode: no plugin is enabled
  bool use_cache = true;
};

/// The effective value of one setting.
struct SettingValue {
  std::string text;                ///< scalar kinds
  std::vector<std::string> items;  ///< kStrings
  bool is_default = false;
};
using SettingValues = std::map<std::string, SettingValue, std::less<>>;

struct CatalogEntry {
  std::string id;       ///< of the note; of plugins.toml or the file's name if there is no note
  std::string version;  ///< "" without a note
  std::string summary;
  std::string path;         ///< absolute; empty: no such file
  bool configured = false;  ///< plugins.toml has a [plugins.ID]
  bool enabled = false;     ///< wanted; whether it is usable: `problem`
  std::string disabled_by;  ///< "plugins.toml", "DAVIT_PLUGINS_DISABLE", "--safe-mode"; "" if enabled
  int position = 0;         ///< among the enabled ones, from 0
  std::optional<Error> problem;
  PluginNote note;
  SettingValues settings;  ///< defaults included

  [[nodiscard]] bool usable() const { return enabled && !problem; }
};

/// Group of commands -> first line of its help.
using CommandGroups = std::vector<std::pair<std::string, std::string>>;

/// Value type. Pointers that it returns live as long as it does and is not moved from. Threads: any (const).
class PluginCatalog {
 public:
  struct CommandRef {
    const CatalogEntry* plugin = nullptr;
    const CommandSpec* spec = nullptr;
  };
  struct PropertyRef {
    const CatalogEntry* plugin = nullptr;
    const PropertySpec* spec = nullptr;
  };
  struct Subscriber {
    const CatalogEntry* plugin = nullptr;
    int order = 0;
  };

  /// A problem of one plugin (file, version, setting) is in its entry; an error here is about plugins.toml as
  /// a whole: missing (kNotFound "plugins-toml-missing", says `davit init`) or broken (kInvalid
  /// "plugins-toml-invalid", with file:line).
  static Result<PluginCatalog> read(const Home& home, const Installation& installation,
                                    const CatalogOptions& options = {});
  /// As read(), without a home: every installed plugin, none enabled (help, version, plugin:new, init).
  static PluginCatalog installed(const Installation& installation,
                                 const std::filesystem::path& cache_file = {});
  /// As installed(), but with every plugin that has no problem enabled (the man page).
  static PluginCatalog all_enabled(const Installation& installation);

  /// Enabled ones first, in the operator's order; then the others by id.
  [[nodiscard]] const std::vector<CatalogEntry>& entries() const { return entries_; }
  [[nodiscard]] const CatalogEntry* find(std::string_view id) const;
  /// Enabled without a problem, in order.
  [[nodiscard]] std::vector<const CatalogEntry*> usable() const;
  /// Of the enabled ones; nullptr: all is well. While there is one, the worker refuses to change anything (a
  /// gate that is silently missing would be worse).
  [[nodiscard]] const CatalogEntry* first_problem() const;

  // Lookups see usable plugins only.
  [[nodiscard]] std::optional<CommandRef> command(std::string_view name) const;
  [[nodiscard]] std::vector<CommandRef> commands() const;     ///< sorted by name
  [[nodiscard]] std::vector<PropertyRef> properties() const;  ///< sorted by group, key
  [[nodiscard]] std::optional<PropertyRef> property(std::string_view group, std::string_view key) const;
  /// Groups that usable plugins bring: by their notes' words, else with the plugin's summary. The first of a
  /// name is it.
  [[nodiscard]] CommandGroups groups() const;
  /// As read() and groups(), without decoding a note; nullopt: not known without read().
  static std::optional<CommandGroups> known_groups(const Home& home, const Installation& installation,
                                                   const CatalogOptions& options);
  [[nodiscard]] std::vector<Subscriber> subscribers(std::string_view event) const;  ///< in calling order
  /// Plugins that provide an interface ("davit.builder/1"), in the operator's order.
  [[nodiscard]] std::vector<const CatalogEntry*> providers(std::string_view interface_id) const;
  /// [host] runtime; without it the first runtime in order; "" if there is none.
  [[nodiscard]] std::string default_runtime() const;
  [[nodiscard]] const HostSettings& host() const { return host_; }

 private:
  friend class CatalogBuilder;
  std::vector<CatalogEntry> entries_;
  HostSettings host_;
};

/// DAVIT_PLUGINS_DISABLE's form: ids separated by commas or blanks.
std::vector<std::string> parse_disable_list(std::string_view text);

}  // namespace davit
