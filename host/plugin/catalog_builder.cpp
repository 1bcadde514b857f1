// Builds the catalog of what is installed and what plugins.toml says of it.
#include "plugin/catalog_builder.hpp"

#include <davit/abi.h>
#include <davit/runtime.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "plugin/host_interfaces.hpp"
#include "plugin/semver.hpp"

namespace davit {
namespace {

/// "davit.host.kv" of "davit.host.kv/1".
std::string_view family_of(std::string_view interface_id) {
  return interface_id.substr(0, interface_id.rfind('/'));
}

std::string served_of_family(std::string_view interface_id) {
  for (const std::string_view served : kHostInterfaces)
    if (family_of(served) == family_of(interface_id)) return std::string(served);
  return "none of that kind";
}

Error problem(std::string message, std::string hint, std::string slug) {
  return Error{Code::kInvalid, std::move(message), std::move(hint), std::move(slug), {}};
}

std::string disable_hint(std::string_view id) {
  return fmt::format("Or disable it: `davit plugin:disable {}`", id);
}

SettingValue default_of(const SettingSpec& spec) {
  return {spec.default_value.value_or(""), spec.default_items, true};
}

/// The kinds of TOML value that a setting type takes.
bool is_fit(SettingType type, const GivenSetting& given) {
  using Kind = GivenSetting::Kind;
  switch (type) {
    case SettingType::kUint:
    case SettingType::kInt:
    case SettingType::kPort:
      return given.kind == Kind::kInteger;
    case SettingType::kBool:
      return given.kind == Kind::kBool;
    case SettingType::kDuration:
    case SettingType::kSize:
      return given.kind == Kind::kInteger || given.kind == Kind::kString;
    case SettingType::kStrings:
      return given.kind == Kind::kArray && given.items_are_strings;
    default:
      return given.kind == Kind::kString;
  }
}

std::string_view example_of(SettingType type) {
  switch (type) {
    case SettingType::kUint:
    case SettingType::kInt:
    case SettingType::kPort:
      return "a whole number, without quotes";
    case SettingType::kBool:
      return "true or false, without quotes";
    case SettingType::kDuration:
      return "a text such as \"30s\"";
    case SettingType::kSize:
      return "a text such as \"64m\"";
    case SettingType::kStrings:
      return "an array of texts: [\"a\", \"b\"]";
    default:
      return "a text in quotes";
  }
}

}  // namespace

Error CatalogBuilder::at(unsigned line, const std::string& what, std::string hint) const {
  return problem(fmt::format("{}:{}: {}", source_, line, what), std::move(hint), "plugins-toml-invalid");
}

void CatalogBuilder::scan_folder() {
  const std::vector<std::string> names = plugin_files_in(plugin_dir_);
  candidates_.reserve(names.size());
  for (const std::string& name : names) {
    Candidate candidate;
    candidate.path = fmt::format("{}/{}", plugin_dir_, name);
    candidate.read = cache_.read(candidate.path);
    candidate.id = candidate.read.problem ? name.substr(0, name.rfind('.')) : candidate.read.note.id;
    candidates_.push_back(std::move(candidate));
  }
  for (Candidate& candidate : candidates_) by_id_.emplace(candidate.id, &candidate);
}

void CatalogBuilder::choose_file(const PluginSection& section, CatalogEntry& entry) {
  ReadNote read;
  std::vector<Candidate*> same_id;
  for (auto [at, end] = by_id_.equal_range(section.id); at != end; ++at) same_id.push_back(at->second);
  for (Candidate* candidate : same_id) candidate->taken = true;
  if (!section.path.empty()) {  // a path says which file is meant, whatever else is installed
    entry.path = section.path.native();
    read = cache_.read(entry.path);
    if (!read.problem && read.note.id != section.id)
      read.problem =
          at(section.path_line,
             fmt::format("{} is the plugin {}, not {}", section.path.string(), read.note.id, section.id), "");
    else if (read.problem && read.problem->code == Code::kNotFound)
      read.problem = at(section.path_line, fmt::format("there is no file {}", section.path.string()),
                        disable_hint(section.id));
  } else if (same_id.empty()) {
    std::vector<std::string> ids;
    for (const Candidate& candidate : candidates_) ids.push_back(candidate.id);
    const std::string near = nearest(section.id, ids);
    read.problem = at(section.line, fmt::format("plugin {} is not installed in {}", section.id, plugin_dir_),
                      near.empty() ? disable_hint(section.id) : fmt::format("Did you mean \"{}\"?", near));
  } else {
    entry.path = same_id.front()->path;
    read = std::move(same_id.front()->read);
    if (same_id.size() > 1)
      read.problem = problem(
          fmt::format("plugin {} is in two files: {} and {}", section.id, same_id[0]->path, same_id[1]->path),
          fmt::format("Remove one of them, or set path in [plugins.{}]", section.id), "plugin-duplicate");
  }
  entry.note = std::move(read.note);
  entry.problem = std::move(read.problem);
}

void CatalogBuilder::check_version(const PluginSection& section, CatalogEntry& entry) const {
  if (entry.problem || section.version.empty()) return;
  const auto wanted = VersionRequirement::parse(section.version);
  const auto present = Semver::parse(entry.note.version);
  if (wanted && present && wanted->met_by(*present)) return;
  entry.problem = at(section.version_line,
                     fmt::format("plugin {} {} is installed, but \"{}\" is wanted", section.id,
                                 entry.note.version, section.version),
                     "Install a version that fits, or change `version`. " + disable_hint(section.id));
}

void CatalogBuilder::check_settings(const PluginSection& section, CatalogEntry& entry) const {
  for (const SettingSpec& spec : entry.note.settings)
    if (spec.default_value || !spec.default_items.empty() || spec.type == SettingType::kStrings)
      entry.settings.emplace(spec.key, default_of(spec));
  if (entry.problem || section.settings.empty()) return;
  std::vector<std::string> keys;
  for (const SettingSpec& spec : entry.note.settings) keys.push_back(spec.key);
  for (const auto& [key, given] : section.settings) {
    const std::string where = fmt::format("[plugins.{}.settings]", section.id);
    const SettingSpec* spec = entry.note.setting(key);
    if (spec == nullptr) {
      const std::string near = nearest(key, keys);
      entry.problem =
          at(given.line, fmt::format("unknown key \"{}\" in {}", key, where),
             (near.empty() ? "" : fmt::format("Did you mean \"{}\"? ", near)) +
                 (keys.empty() ? "This plugin has no settings" : "Known keys: " + join(keys, ", ")));
      return;
    }
    if (!is_fit(spec->type, given)) {
      entry.problem = at(given.line, fmt::format("{} in {} has the wrong type", key, where),
                         fmt::format("Write {}", example_of(spec->type)));
      return;
    }
    if (const auto fits = check_value(spec->type, spec->values, given.text); !fits) {
      entry.problem =
          at(given.line, fmt::format("{} in {}: {}", key, where, fits.error().message), fits.error().hint);
      return;
    }
    entry.settings.insert_or_assign(key, SettingValue{given.text, given.items, false});
  }
}

/// "": it is enabled.
std::string CatalogBuilder::disabled_by(const PluginSection& section) const {
  if (!section.enabled) return "plugins.toml";
  if (options_.safe_mode) return "--safe-mode";
  return std::ranges::count(options_.disable, section.id) > 0 ? "DAVIT_PLUGINS_DISABLE" : "";
}

CatalogEntry CatalogBuilder::configured(const PluginSection& section, std::string disabled_by) {
  CatalogEntry entry;
  entry.id = section.id;
  entry.configured = true;
  choose_file(section, entry);
  check_version(section, entry);
  check_settings(section, entry);
  entry.version = entry.note.version;
  entry.summary = entry.note.summary;
  entry.disabled_by = std::move(disabled_by);
  entry.enabled = entry.disabled_by.empty();
  return entry;
}

void CatalogBuilder::check_requires(CatalogEntry& entry) const {
  for (const std::string& id : entry.note.requires_ids) {
    const bool is_host = id.starts_with("davit.host.") || id.starts_with("x.davit.host.");
    const bool provided = is_host ? is_served(id) : !catalog_.providers(id).empty();
    if (provided) continue;
    const std::string has = is_host ? fmt::format("this davit (ABI {}.{}) serves {}", DAVIT_ABI_MAJOR,
                                                  DAVIT_ABI_MINOR, served_of_family(id))
                                    : "no enabled plugin provides it";
    entry.problem =
        problem(fmt::format("plugin {} {} needs {}, and {}", entry.id, entry.version, id, has),
                is_host ? "Install a version of the plugin that fits this davit. " + disable_hint(entry.id)
                        : "Enable a plugin that provides it. " + disable_hint(entry.id),
                "plugin-requires");
    return;
  }
}

/// What can be said only when all are known: one command, one plugin; and what each requires.
void CatalogBuilder::check_enabled() {
  std::map<std::string_view, std::string_view> owners;
  for (CatalogEntry& entry : catalog_.entries_) {
    if (!entry.usable()) continue;
    for (const CommandSpec& command : entry.note.commands) {
      const auto [owner, is_new] = owners.emplace(command.name, entry.id);
      if (is_new) continue;
      entry.problem = problem(
          fmt::format("plugins {} and {} both have the command {}", owner->second, entry.id, command.name),
          "Disable one of them: `davit plugin:disable ID`", "plugin-command-taken");
      break;
    }
  }
  for (CatalogEntry& entry : catalog_.entries_)
    if (entry.usable()) check_requires(entry);
}

void CatalogBuilder::add_unconfigured() {
  std::vector<CatalogEntry> others;
  for (Candidate& candidate : candidates_) {
    if (candidate.taken) continue;
    CatalogEntry entry;
    entry.id = candidate.id;
    entry.path = candidate.path;
    entry.note = std::move(candidate.read.note);
    entry.problem = std::move(candidate.read.problem);
    entry.version = entry.note.version;
    entry.summary = entry.note.summary;
    entry.disabled_by = "plugins.toml";
    for (const CatalogEntry& before : others)
      if (before.id == entry.id && !entry.problem)
        entry.problem =
            problem(fmt::format("plugin {} is in two files: {} and {}", entry.id, before.path, entry.path),
                    "Remove one of them", "plugin-duplicate");
    others.push_back(std::move(entry));
  }
  std::stable_sort(others.begin(), others.end(),
                   [](const CatalogEntry& left, const CatalogEntry& right) { return left.id < right.id; });
  std::move(others.begin(), others.end(), std::back_inserter(catalog_.entries_));
}

PluginCatalog CatalogBuilder::build(PluginsToml file, const std::string& source) {
  source_ = source;
  scan_folder();
  catalog_.host_ = std::move(file.host);
  catalog_.entries_.reserve(file.plugins.size() + candidates_.size());
  for (const bool enabled : {true, false}) {
    for (const PluginSection& section : file.plugins) {
      const std::string off = disabled_by(section);
      if (off.empty() == enabled) catalog_.entries_.push_back(configured(section, off));
    }
  }
  int position = 0;
  for (CatalogEntry& entry : catalog_.entries_)
    if (entry.enabled) entry.position = position++;
  const auto enabled = static_cast<std::ptrdiff_t>(position);
  check_enabled();
  add_unconfigured();
  std::stable_sort(catalog_.entries_.begin() + enabled, catalog_.entries_.end(),
                   [](const CatalogEntry& left, const CatalogEntry& right) { return left.id < right.id; });
  // With a problem they depend on more than on the files that there are; with options they are of this
  // command alone.
  const bool is_plain = options_.disable.empty() && !options_.safe_mode &&
                        std::ranges::none_of(catalog_.entries_, [](const CatalogEntry& entry) {
                          return entry.problem.has_value();
                        });
  if (is_plain && !cache_.knows_groups())
    cache_.set_groups(catalog_.groups());
  else if (!is_plain && (cache_.changed() || catalog_.first_problem() != nullptr))
    cache_.set_groups(std::nullopt);
  cache_.save();
  return std::move(catalog_);
}

Result<PluginCatalog> PluginCatalog::read(const Home& home, const Installation& installation,
                                          const CatalogOptions& options) {
  CatalogCache cache(options.use_cache ? home.run() / "plugins.cache" : std::filesystem::path());
  DAVIT_TRY_ASSIGN(PluginsToml file, cache.read_toml(home.plugins_toml));
  const std::filesystem::path folder = installation.plugins();
  return CatalogBuilder(folder, cache, options).build(std::move(file), home.plugins_toml.string());
}

std::optional<CommandGroups> PluginCatalog::known_groups(const Home& home, const Installation& installation,
                                                         const CatalogOptions& options) {
  if (!options.use_cache || options.safe_mode || !options.disable.empty()) return std::nullopt;
  return CatalogCache(home.run() / "plugins.cache")
      .groups(home.plugins_toml, installation.plugins().native());
}

PluginCatalog PluginCatalog::installed(const Installation& installation,
                                       const std::filesystem::path& cache_file) {
  CatalogCache cache(cache_file);
  const std::filesystem::path folder = installation.plugins();
  const CatalogOptions options;
  return CatalogBuilder(folder, cache, options).build({}, "plugins.toml");
}

PluginCatalog PluginCatalog::all_enabled(const Installation& installation) {
  PluginsToml file;
  const PluginCatalog there = installed(installation);
  for (const CatalogEntry& plugin : there.entries()) {
    if (plugin.problem) continue;
    PluginSection section;
    section.id = plugin.id;
    file.plugins.push_back(std::move(section));
  }
  CatalogCache cache({});
  const std::filesystem::path folder = installation.plugins();
  const CatalogOptions options;
  return CatalogBuilder(folder, cache, options).build(std::move(file), "plugins.toml");
}

std::vector<std::string> parse_disable_list(std::string_view text) {
  std::string blanks(text);
  std::replace(blanks.begin(), blanks.end(), ',', ' ');
  return split_words(blanks);
}

}  // namespace davit
