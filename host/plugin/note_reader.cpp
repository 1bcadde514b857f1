// From a file to a PluginNote: ELF, then TOML.
#include "plugin/note_reader.hpp"

#include <davit/abi.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "plugin/elf_note.hpp"
#include "plugin/semver.hpp"
#include "plugin/toml_tree.hpp"

namespace davit {
namespace {

using Kind = TomlNode::Kind;

/// One table of the note. Its getters remember the first mistake, so that a reader is one line a key.
class Reader {
 public:
  Reader(const TomlNode& table, std::string where, std::optional<Error>& error)
      : table_(table), where_(std::move(where)), error_(error) {}

  const TomlNode* get(std::string_view key, Kind kind) {
    const TomlNode* node = table_.find(key);
    if (node == nullptr) return nullptr;
    if (node->kind == kind) return node;
    complain(fmt::format("{} is {}, not {}", key, name_of(node->kind), name_of(kind)));
    return nullptr;
  }
  void text(std::string_view key, std::string& out) {
    if (const TomlNode* node = get(key, Kind::kString)) out = node->text;
  }
  void needed_text(std::string_view key, std::string& out) {
    text(key, out);
    if (out.empty()) complain(fmt::format("{} is missing", key));
  }
  void flag(std::string_view key, bool& out) {
    if (const TomlNode* node = get(key, Kind::kBool)) out = node->boolean;
  }
  template <typename Integer>
  void number(std::string_view key, Integer& out, std::int64_t low) {
    const TomlNode* node = get(key, Kind::kInteger);
    if (node == nullptr) return;
    if (node->integer < low || node->integer > std::numeric_limits<int>::max())
      complain(fmt::format("{} is out of range", key));
    else
      out = static_cast<Integer>(node->integer);
  }
  void texts(std::string_view key, std::vector<std::string>& out) {
    const TomlNode* node = get(key, Kind::kArray);
    if (node == nullptr) return;
    for (const TomlNode& item : node->items) {
      if (item.kind != Kind::kString) return complain(fmt::format("{} is not an array of strings", key));
      out.push_back(item.text);
    }
  }
  /// A default may be a string or a bare scalar; an array for kStrings.
  void default_of(std::optional<std::string>& value, std::vector<std::string>* items) {
    const TomlNode* node = table_.find("default");
    if (node == nullptr) return;
    if (node->kind == Kind::kArray && items != nullptr) return texts("default", *items);
    if (node->kind == Kind::kArray || node->kind == Kind::kTable || node->kind == Kind::kDate)
      return complain("default is " + std::string(name_of(node->kind)));
    value = node->text;
  }
  template <typename Each>
  void tables(std::string_view key, Each&& each) {
    const TomlNode* node = get(key, Kind::kArray);
    if (node == nullptr) return;
    std::size_t index = 0;
    for (const TomlNode& item : node->items) {
      const std::string where = fmt::format("{}[{}]", key, index++);
      if (item.kind != Kind::kTable) return complain(where + " is not a table");
      Reader reader(item, where_.empty() ? where : where_ + "." + where, error_);
      each(reader);
    }
  }
  void complain(const std::string& what) {
    if (!error_)
      error_ =
          Error{Code::kInvalid, where_.empty() ? what : where_ + ": " + what, {}, "plugin-note-invalid", {}};
  }

 private:
  const TomlNode& table_;
  std::string where_;
  std::optional<Error>& error_;
};

bool is_word(std::string_view text, std::string_view extra) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || extra.find(static_cast<char>(c)) != extra.npos;
  });
}

SettingType read_type(Reader& reader) {
  std::string name = "string";
  reader.text("type", name);
  const auto type = setting_type(name);
  if (!type) reader.complain(fmt::format("type \"{}\" is not known", name));
  return type.value_or(SettingType::kString);
}

/// Shared by settings and properties: type, default, summary, values, and that the default fits.
template <typename Spec>
void read_schema(Reader& reader, Spec& spec, std::vector<std::string>* default_items) {
  spec.type = read_type(reader);
  reader.text("summary", spec.summary);
  reader.texts("values", spec.values);
  reader.default_of(spec.default_value, default_items);
  if (spec.type == SettingType::kEnum && spec.values.empty()) reader.complain("an enum needs values");
  if (spec.default_value && !spec.default_value->empty())
    if (const auto fits = check_value(spec.type, spec.values, *spec.default_value); !fits)
      reader.complain("default " + fits.error().message);
}

CommandSpec read_command(Reader& reader) {
  CommandSpec spec;
  reader.needed_text("name", spec.name);
  reader.text("summary", spec.summary);
  reader.text("usage", spec.usage);
  reader.number("minimum_args", spec.minimum_args, 0);
  reader.number("maximum_args", spec.maximum_args, -1);
  reader.flag("app", spec.app);
  if (!is_word(spec.name, "-:")) reader.complain(fmt::format("\"{}\" is not a command's name", spec.name));
  if (spec.app && spec.minimum_args == 0) spec.minimum_args = 1;
  reader.tables("flags", [&](Reader& flag) {
    FlagSpec one;
    flag.needed_text("name", one.name);
    flag.text("value", one.value);
    flag.text("summary", one.summary);
    while (one.name.starts_with('-')) one.name.erase(0, 1);
    spec.flags.push_back(std::move(one));
  });
  return spec;
}

void read_lists(Reader& top, PluginNote& note) {
  top.tables("hooks", [&](Reader& reader) {
    HookSpec hook;
    reader.needed_text("event", hook.event);
    reader.number("order", hook.order, std::numeric_limits<int>::min());
    note.hooks.push_back(std::move(hook));
  });
  top.tables("commands", [&](Reader& reader) { note.commands.push_back(read_command(reader)); });
  top.tables("settings", [&](Reader& reader) {
    SettingSpec setting;
    reader.needed_text("key", setting.key);
    read_schema(reader, setting, &setting.default_items);
    reader.texts("places", setting.places);
    if (!setting.places.empty() && setting.type != SettingType::kPath)
      reader.complain("places are for a path only");
    for (const std::string& place : setting.places)
      if (!place.starts_with('/') && !place.starts_with('$'))
        reader.complain(fmt::format("place \"{}\" begins with neither / nor $", place));
    note.settings.push_back(std::move(setting));
  });
  top.tables("properties", [&](Reader& reader) {
    PropertySpec property;
    reader.needed_text("group", property.group);
    reader.needed_text("key", property.key);
    read_schema(reader, property, nullptr);
    reader.flag("global", property.global);
    note.properties.push_back(std::move(property));
  });
  if (const TomlNode* groups = top.get("groups", Kind::kTable))
    for (const auto& [name, line] : groups->members) {
      if (line.kind != Kind::kString) return top.complain("groups." + name + " is not a string");
      note.groups.emplace_back(name, line.text);
    }
  std::sort(note.groups.begin(), note.groups.end());
}

void check_unique(Reader& top, std::vector<std::string> names, std::string_view what) {
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) top.complain(fmt::format("{} {} stands there twice", what, *twice));
}

void check_names(Reader& top, const PluginNote& note) {
  std::vector<std::string> commands, settings, properties, hooks;
  for (const auto& one : note.commands) commands.push_back(one.name);
  for (const auto& one : note.settings) settings.push_back(one.key);
  for (const auto& one : note.properties) properties.push_back(one.group + " " + one.key);
  for (const auto& one : note.hooks) hooks.push_back(one.event);
  check_unique(top, std::move(commands), "command");
  check_unique(top, std::move(settings), "setting");
  check_unique(top, std::move(properties), "property");
  check_unique(top, std::move(hooks), "hook");
}

Result<> check_abi(const PluginNote& note, const std::string& source) {
  const std::string major_text = split(note.abi, '.').front();
  if (major_text == std::to_string(DAVIT_ABI_MAJOR)) return {};
  return fail(Code::kInvalid,
              fmt::format("{}: plugin {} {} was built for ABI {}, this davit has ABI {}.{}", source, note.id,
                          note.version, note.abi, DAVIT_ABI_MAJOR, DAVIT_ABI_MINOR),
              "Build it with this davit's SDK, or install a davit that fits it", "plugin-abi");
}

}  // namespace

Result<PluginNote> parse_note(std::string_view text, const std::string& source) {
  auto tree = parse_toml(text, source + ": its note");
  if (!tree) {
    tree.error().slug = "plugin-note-invalid";
    return fail(std::move(tree).error());
  }
  std::optional<Error> error;
  Reader top(*tree, {}, error);
  PluginNote note;
  top.needed_text("id", note.id);
  top.needed_text("version", note.version);
  top.needed_text("abi", note.abi);
  top.text("summary", note.summary);
  top.texts("requires", note.requires_ids);
  top.texts("uses", note.uses_ids);
  top.texts("provides", note.provides);
  if (!error && !check_plugin_id(note.id)) top.complain(fmt::format("\"{}\" is not a plugin's id", note.id));
  if (!error && !Semver::parse(note.version))
    top.complain(fmt::format("\"{}\" is not a version", note.version));
  // Before the rest: a plugin of another ABI may write the rest in another form.
  if (!error) DAVIT_TRY(check_abi(note, source));
  if (!error) read_lists(top, note);
  if (!error) check_names(top, note);
  if (error) {
    error->message = source + ": its note: " + error->message;
    return fail(std::move(*error));
  }
  return note;
}

Result<PluginNote> read_note(const std::filesystem::path& file) {
  DAVIT_TRY_ASSIGN(const std::string text, davit_note_of_file(file));
  return parse_note(text, file.string());
}

}  // namespace davit
