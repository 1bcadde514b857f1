// The text that `davit init` writes: made from the notes of what is installed.
#include <fmt/format.h>

#include <algorithm>

#include "plugin/plugins_toml.hpp"

namespace davit {
namespace {

std::string value_text(const SettingSpec& spec) {
  switch (spec.type) {
    case SettingType::kUint:
    case SettingType::kInt:
    case SettingType::kPort:
      return spec.default_value.value_or("0");
    case SettingType::kBool:
      return spec.default_value.value_or("false");
    case SettingType::kStrings: {
      std::string items;
      for (const std::string& item : spec.default_items)
        items += (items.empty() ? "" : ", ") + toml_quote(item);
      return "[" + items + "]";
    }
    default:
      return toml_quote(spec.default_value.value_or(""));
  }
}

std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

void write_setting(std::string& out, const SettingSpec& spec, const TemplatePlugin& plugin) {
  const auto chosen = std::find_if(plugin.settings.begin(), plugin.settings.end(),
                                   [&](const auto& setting) { return setting.first == spec.key; });
  const bool is_chosen = chosen != plugin.settings.end();
  std::string comment = one_line(spec.summary);
  for (const std::string& value : spec.values)
    comment += (&value == &spec.values.front() ? ": " : ", ") + one_line(value);
  out += fmt::format("{}{} = {}", is_chosen ? "" : "# ", spec.key,
                     is_chosen ? chosen->second : value_text(spec));
  if (!comment.empty()) out += "  # " + comment;
  out += '\n';
}

void write_plugin(std::string& out, const TemplatePlugin& plugin) {
  const PluginNote& note = plugin.note;
  out += fmt::format("\n# {}: {}\n", note.id, one_line(note.summary));
  for (const std::string& id : note.provides) out += fmt::format("# provides {}\n", one_line(id));
  const std::string major_part = note.version.substr(0, note.version.find('.'));
  const std::string minor_part = note.version.substr(0, note.version.rfind('.'));
  out += fmt::format("[plugins.{}]\nenabled = {}\nversion = {}\n", note.id, plugin.enabled,
                     toml_quote("^" + (major_part == "0" ? minor_part : major_part + ".0")));
  if (note.settings.empty()) return;
  out += fmt::format("\n[plugins.{}.settings]\n", note.id);
  for (const SettingSpec& spec : note.settings) write_setting(out, spec, plugin);
}

std::string host_line(std::string_view key, const std::string& value, std::string_view instead,
                      std::string_view what) {
  const std::string text = toml_quote(value.empty() ? instead : value);
  return fmt::format("{}{} = {}  # {}\n", value.empty() ? "# " : "", key, text, what);
}

}  // namespace

std::string toml_quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      quoted += fmt::format("\\{}", c);
    else if (c == '\n')
      quoted += "\\n";
    else if (c == '\t')
      quoted += "\\t";
    else if (byte < 0x20 || byte == 0x7f)
      quoted += fmt::format("\\u{:04x}", byte);
    else
      quoted += c;
  }
  return quoted + '"';
}

std::string plugins_toml_template(const TemplateChoices& choices,
                                  const std::vector<TemplatePlugin>& plugins) {
  std::string out =
      "# plugins.toml: which plugins this davit uses, in which order, and their settings.\n"
      "# `davit plugin:list` shows what is installed; `davit plugin:enable ID` and `plugin:disable ID` edit "
      "this file\n"
      "# and keep your comments. After an edit by hand, `davit plugin:doctor` checks it.\n"
      "\n[host]\n";
  out += host_line("runtime", choices.runtime, "ID", "runs apps that have not chosen a runtime");
  out += "# Apps answer at APP.DOMAIN. The domain is not set here: davit domains:set-global DOMAIN\n";
  out += host_line("app_user", choices.app_user, "nobody",
                   "others' code runs as this account; only where root owns davit");
  out += "# create_on_push = true  # a first push makes the app\n";
  out += "# port_first = 20000  # ports on loopback for instances\n# port_last = 29999\n";
  out += "# plugin_timeout_seconds = 120  # limit of one hook of a plugin; 0: none\n";
  for (const TemplatePlugin& plugin : plugins) write_plugin(out, plugin);
  return out;
}

}  // namespace davit
