// Edits of plugins.toml as text: a person wrote it, so their comments, order and blanks stay. Where a value
// stands in a form that one line cannot hold, the edit is refused rather than guessed.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "plugin/plugins_toml.hpp"
#include "plugin/toml_tree.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

using Path = std::vector<std::string>;

tl::unexpected<Error> by_hand(const std::string& source, unsigned line, std::string_view what) {
  return fail(Code::kConflict, fmt::format("{}:{}: {}", source, line, what), "Change it with an editor",
              "plugins-toml-form");
}

/// Lines with their ends, so that joining them gives the text back.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    lines.emplace_back(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string_view line_end(const std::string& line) {
  return line.ends_with("\r\n") ? "\r\n" : "\n";
}

/// The keys of a "[a.b.c]" line; empty if it is none.
Path header_of(std::string_view line) {
  line = trim(line);
  const auto close = line.rfind(']');
  if (!line.starts_with('[') || line.starts_with("[[") || close == std::string_view::npos) return {};
  Path path;
  for (const std::string& part : split(line.substr(1, close - 1), '.')) {
    std::string_view key = trim(part);
    if (key.size() >= 2 && (key.front() == '"' || key.front() == '\'') && key.back() == key.front())
      key = key.substr(1, key.size() - 2);
    path.emplace_back(key);
  }
  return path;
}

/// Where the value of `key = value` begins and ends in its line; nothing if it is not whole there.
std::optional<std::pair<std::size_t, std::size_t>> value_span(std::string_view line, std::string_view key) {
  std::size_t at = line.find_first_not_of(" \t");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string quoted = fmt::format("\"{}\"", key);
  if (line.substr(at).starts_with(quoted))
    at += quoted.size();
  else if (line.substr(at).starts_with(key))
    at += key.size();
  else
    return std::nullopt;
  at = line.find_first_not_of(" \t", at);
  if (at == std::string_view::npos || line[at] != '=') return std::nullopt;
  at = line.find_first_not_of(" \t", at + 1);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t begin = at;
  if (line.substr(begin, 3) == "\"\"\"" || line.substr(begin, 3) == "'''") return std::nullopt;
  int depth = 0;
  char quote = '\0';
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (quote != '\0') {
      if (quote == '"' && c == '\\') ++at;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == '#' || c == '\n' || c == '\r') {
      break;
    }
  }
  if (depth != 0 || quote != '\0') return std::nullopt;
  while (at > begin && (line[at - 1] == ' ' || line[at - 1] == '\t')) --at;
  return std::pair(begin, at);
}

struct Edit {
  const Path& path;  // of the table
  std::string_view key, value;
  const std::string& source;
};

/// The table stands in the tree, but has no such key yet.
Result<> insert_key(std::vector<std::string>& lines, const TomlNode& table, const Edit& edit) {
  const std::size_t index = table.line - 1;
  if (table.line == 0 || index >= lines.size())
    return by_hand(edit.source, table.line,
                   fmt::format("[{}] is not found in the text", join(edit.path, ".")));
  std::string& header = lines[index];
  const std::string entry = fmt::format("{} = {}", edit.key, edit.value);
  const Path present = header_of(header);
  if (present == edit.path) {
    const std::string end(line_end(header));
    if (!header.ends_with('\n')) header += end;
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(index) + 1, entry + end);
    return {};
  }
  // Only a sub-table stands there, such as [plugins.x.settings]: the table itself gets a header before it.
  if (present.size() > edit.path.size() && std::equal(edit.path.begin(), edit.path.end(), present.begin())) {
    const std::string end(line_end(header));
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(index),
                 fmt::format("[{}]{}{}{}{}", join(edit.path, "."), end, entry, end, end));
    return {};
  }
  return by_hand(edit.source, table.line,
                 fmt::format("[{}] is written within another table", join(edit.path, ".")));
}

Result<std::string> with_table_value(std::string_view text, const Edit& edit) {
  DAVIT_TRY_ASSIGN(const TomlNode tree, parse_toml(text, edit.source));
  const TomlNode* table = &tree;
  for (const std::string& part : edit.path) table = table == nullptr ? nullptr : table->find(part);
  std::vector<std::string> lines = lines_of(text);
  if (table == nullptr) {
    if (!lines.empty() && !lines.back().ends_with('\n')) lines.back() += '\n';
    lines.push_back(fmt::format("{}[{}]\n{} = {}\n", lines.empty() ? "" : "\n", join(edit.path, "."),
                                edit.key, edit.value));
  } else if (const TomlNode* present = table->find(edit.key)) {
    const std::size_t index = present->line - 1;
    const auto span = index < lines.size() ? value_span(lines[index], edit.key) : std::nullopt;
    if (!span)
      return by_hand(edit.source, present->line,
                     fmt::format("{} is not written as one line of its own", edit.key));
    lines[index].replace(span->first, span->second - span->first, edit.value);
  } else {
    DAVIT_TRY(insert_key(lines, *table, edit));
  }
  return join(lines, "");
}

/// The edit did what it should, and nothing else: the same sections, in the same order.
Result<PluginsToml> reparsed(std::string_view before, const std::string& after, const std::string& source,
                             std::string_view new_id) {
  DAVIT_TRY_ASSIGN(const PluginsToml old, parse_plugins_toml(before, source));
  DAVIT_TRY_ASSIGN(PluginsToml edited, parse_plugins_toml(after, source));
  const auto ids = [&](const PluginsToml& file) {
    std::vector<std::string> names;
    for (const PluginSection& section : file.plugins)
      if (section.id != new_id) names.push_back(section.id);
    return names;
  };
  if (ids(old) != ids(edited))
    return fail(Code::kInternal, "The edit of plugins.toml would have changed other plugins",
                "Change it with an editor");
  return edited;
}

const PluginSection* section_of(const PluginsToml& file, std::string_view id) {
  const auto found = std::find_if(file.plugins.begin(), file.plugins.end(),
                                  [&](const PluginSection& section) { return section.id == id; });
  return found == file.plugins.end() ? nullptr : &*found;
}

template <typename Change>
Result<> edit_file(const std::filesystem::path& file, Change&& change) {
  DAVIT_TRY(read_plugins_toml(file));  // its errors are better than ours
  DAVIT_TRY_ASSIGN(const std::string text, read_file(file));
  DAVIT_TRY_ASSIGN(const std::string edited, change(text, file.string()));
  if (edited == text) return {};
  struct stat status {};
  const mode_t mode = ::stat(file.c_str(), &status) == 0 ? status.st_mode & 0777 : 0600;
  return write_file_atomic(file, edited, mode);
}

}  // namespace

Result<std::string> with_plugin_enabled(std::string_view text, std::string_view id, bool enabled,
                                        const std::string& source) {
  const Path path{"plugins", std::string(id)};
  DAVIT_TRY_ASSIGN(std::string edited,
                   with_table_value(text, {path, "enabled", enabled ? "true" : "false", source}));
  DAVIT_TRY_ASSIGN(const PluginsToml file, reparsed(text, edited, source, id));
  const PluginSection* section = section_of(file, id);
  if (section == nullptr || section->enabled != enabled)
    return fail(Code::kInternal, "The edit of plugins.toml did not work", "Change it with an editor");
  return edited;
}

Result<std::string> with_value(std::string_view text, std::string_view id, std::string_view key,
                               std::string_view toml_value, const std::string& source) {
  const bool plain_key = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (!plain_key) return fail(Code::kInvalid, fmt::format("\"{}\" is not a key", key));
  if (toml_value.find_first_of("\r\n") != std::string_view::npos)
    return fail(Code::kInvalid, "The value has more than one line");
  const Path path = id.empty() ? Path{"host"} : Path{"plugins", std::string(id), "settings"};
  DAVIT_TRY_ASSIGN(std::string edited, with_table_value(text, {path, key, toml_value, source}));
  DAVIT_TRY(reparsed(text, edited, source, id));
  return edited;
}

Result<> set_plugin_enabled(const std::filesystem::path& file, std::string_view id, bool enabled) {
  return edit_file(file, [&](std::string_view text, const std::string& source) {
    return with_plugin_enabled(text, id, enabled, source);
  });
}

Result<> set_plugins_toml_value(const std::filesystem::path& file, std::string_view id, std::string_view key,
                                std::string_view toml_value) {
  return edit_file(file, [&](std::string_view text, const std::string& source) {
    return with_value(text, id, key, toml_value, source);
  });
}

}  // namespace davit
