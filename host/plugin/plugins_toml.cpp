// The operator's plugins.toml, with errors that have a line.
#include "plugin/plugins_toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "plugin/semver.hpp"
#include "plugin/toml_tree.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

using Kind = TomlNode::Kind;
constexpr std::size_t kMaxFileBytes = 1024 * 1024;

class FileReader {
 public:
  explicit FileReader(const std::string& source) : source_(source) {}

  Result<PluginsToml> read(const TomlNode& top) {
    DAVIT_TRY(known_keys(top, "the file", {"host", "plugins"}));
    if (const TomlNode* host = top.find("host")) {
      DAVIT_TRY(is_kind(*host, "[host]", Kind::kTable));
      DAVIT_TRY(read_host(*host));
    }
    if (const TomlNode* plugins = top.find("plugins")) {
      DAVIT_TRY(is_kind(*plugins, "[plugins]", Kind::kTable));
      for (const auto& [id, node] : plugins->members) DAVIT_TRY(read_plugin(id, node));
    }
    // Those with `order` first, by it; the others follow as they stand.
    std::stable_sort(out_.plugins.begin(), out_.plugins.end(),
                     [](const PluginSection& left, const PluginSection& right) {
                       constexpr int kLast = std::numeric_limits<int>::max();
                       return left.order.value_or(kLast) < right.order.value_or(kLast);
                     });
    return std::move(out_);
  }

 private:
  [[nodiscard]] tl::unexpected<Error> bad(unsigned line, const std::string& what, std::string hint) const {
    return fail(Code::kInvalid, fmt::format("{}:{}: {}", source_, line, what), std::move(hint),
                "plugins-toml-invalid");
  }
  Result<> is_kind(const TomlNode& node, std::string_view name, Kind kind) const {
    if (node.kind == kind) return {};
    return bad(node.line, fmt::format("{} is {}, not {}", name, name_of(node.kind), name_of(kind)), "");
  }
  Result<> known_keys(const TomlNode& table, std::string_view where,
                      const std::vector<std::string>& known) const {
    for (const auto& [key, node] : table.members) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const std::string near = nearest(key, known);
      return bad(node.line, fmt::format("unknown key \"{}\" in {}", key, where),
                 (near.empty() ? "" : fmt::format("Did you mean \"{}\"? ", near)) +
                     "Known keys: " + join(known, ", "));
    }
    return {};
  }
  Result<> take(const TomlNode& table, std::string_view key, std::string& out) const {
    const TomlNode* node = table.find(key);
    if (node == nullptr) return {};
    DAVIT_TRY(is_kind(*node, key, Kind::kString));
    out = node->text;
    return {};
  }
  Result<> take(const TomlNode& table, std::string_view key, bool& out) const {
    const TomlNode* node = table.find(key);
    if (node == nullptr) return {};
    DAVIT_TRY(is_kind(*node, key, Kind::kBool));
    out = node->boolean;
    return {};
  }
  Result<> take(const TomlNode& table, std::string_view key, unsigned& out, std::int64_t low,
                std::int64_t high) const {
    const TomlNode* node = table.find(key);
    if (node == nullptr) return {};
    DAVIT_TRY(is_kind(*node, key, Kind::kInteger));
    if (node->integer < low || node->integer > high)
      return bad(node->line, fmt::format("{} is {}, outside {} to {}", key, node->integer, low, high), "");
    out = static_cast<unsigned>(node->integer);
    return {};
  }

  Result<> read_host(const TomlNode& table) {
    DAVIT_TRY(known_keys(table, "[host]",
                         {"runtime", "proxy", "app_user", "create_on_push", "port_first", "port_last",
                          "plugin_timeout_seconds"}));
    HostSettings& host = out_.host;
    host.first_line = table.line;
    DAVIT_TRY(take(table, "runtime", host.runtime));
    DAVIT_TRY(take(table, "proxy", host.proxy));
    if (const TomlNode* user = table.find("app_user"); user != nullptr && user->kind == Kind::kInteger)
      host.app_user = user->text;
    else
      DAVIT_TRY(take(table, "app_user", host.app_user));
    DAVIT_TRY(take(table, "create_on_push", host.create_on_push));
    DAVIT_TRY(take(table, "port_first", host.port_first, 1024, 65'535));
    DAVIT_TRY(take(table, "port_last", host.port_last, 1024, 65'535));
    DAVIT_TRY(take(table, "plugin_timeout_seconds", host.plugin_timeout_s, 0, 86'400));
    if (host.port_first > host.port_last)
      return bad(table.line,
                 fmt::format("port_first {} is above port_last {}", host.port_first, host.port_last), "");
    return {};
  }

  Result<> read_plugin(const std::string& id, const TomlNode& table) {
    const std::string where = fmt::format("[plugins.{}]", id);
    DAVIT_TRY(is_kind(table, where, Kind::kTable));
    if (const auto valid = check_plugin_id(id); !valid)
      return bad(table.line, fmt::format("\"{}\" is not a plugin's id", id),
                 "Ids are lower-case letters, digits and -");
    DAVIT_TRY(known_keys(table, where, {"enabled", "path", "version", "order", "settings"}));
    PluginSection section;
    section.id = id;
    section.line = table.line;
    std::string path;
    DAVIT_TRY(take(table, "enabled", section.enabled));
    DAVIT_TRY(take(table, "path", path));
    DAVIT_TRY(take(table, "version", section.version));
    DAVIT_TRY(read_place(table, section, path));
    if (const TomlNode* settings = table.find("settings")) {
      DAVIT_TRY(is_kind(*settings, fmt::format("[plugins.{}.settings]", id), Kind::kTable));
      for (const auto& [key, node] : settings->members) section.settings.emplace_back(key, given(node));
    }
    out_.plugins.push_back(std::move(section));
    return {};
  }
  /// path, version and order: what needs more than its type.
  Result<> read_place(const TomlNode& table, PluginSection& section, const std::string& path) const {
    section.path_line = section.version_line = section.line;
    if (const TomlNode* node = table.find("path")) {
      section.path_line = node->line;
      if (!path.starts_with('/') || path.find('\0') != std::string::npos)
        return bad(node->line, fmt::format("path \"{}\" is not absolute", path), "Begin it with /");
      section.path = path;
    }
    if (const TomlNode* node = table.find("version")) {
      section.version_line = node->line;
      if (const auto valid = VersionRequirement::parse(section.version); !valid)
        return bad(node->line, valid.error().message, valid.error().hint);
    }
    if (const TomlNode* node = table.find("order")) {
      DAVIT_TRY(is_kind(*node, "order", Kind::kInteger));
      if (node->integer < -1'000'000 || node->integer > 1'000'000)
        return bad(node->line, fmt::format("order {} is out of range", node->integer),
                   "Take a number below a million");
      section.order = static_cast<int>(node->integer);
    }
    return {};
  }
  static GivenSetting given(const TomlNode& node) {
    GivenSetting setting;
    setting.line = node.line;
    setting.text = node.text;
    switch (node.kind) {
      case Kind::kString:
        setting.kind = GivenSetting::Kind::kString;
        break;
      case Kind::kInteger:
        setting.kind = GivenSetting::Kind::kInteger;
        break;
      case Kind::kFloat:
        setting.kind = GivenSetting::Kind::kFloat;
        break;
      case Kind::kBool:
        setting.kind = GivenSetting::Kind::kBool;
        break;
      case Kind::kArray:
        setting.kind = GivenSetting::Kind::kArray;
        for (const TomlNode& item : node.items) {
          setting.items_are_strings = setting.items_are_strings && item.kind == Kind::kString;
          setting.items.push_back(item.text);
        }
        break;
      default:
        setting.kind = GivenSetting::Kind::kOther;
    }
    return setting;
  }

  const std::string& source_;
  PluginsToml out_;
};

}  // namespace

Result<PluginsToml> parse_plugins_toml(std::string_view text, const std::string& source) {
  auto tree = parse_toml(text, source);
  if (!tree) {
    tree.error().slug = "plugins-toml-invalid";
    return fail(std::move(tree).error());
  }
  return FileReader(source).read(*tree);
}

Result<PluginsToml> read_plugins_toml(const std::filesystem::path& file) {
  auto text = read_file(file, kMaxFileBytes);
  if (!text && text.error().code == Code::kNotFound)
    return fail(Code::kNotFound, fmt::format("There is no {}", file.string()),
                "Run `davit init` to make a home, or set DAVIT_HOME to an existing one",
                "plugins-toml-missing");
  if (!text) return fail(std::move(text).error(), "reading plugins.toml");
  return parse_plugins_toml(*text, file.string());
}

}  // namespace davit
