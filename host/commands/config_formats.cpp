// The forms of config: see the header.
#include "commands/config_formats.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "cli/json.hpp"

namespace davit {
namespace {

/// Double quotes as parse_config() reads them: backslash before `"`, `\`, `$` and a backtick; a newline stays
/// one.
std::string double_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$' || c == '`') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// A value is somebody else's: what would steer a terminal is shown, not sent. Lines and tabs stay.
std::string harmless(std::string_view value) {
  std::string text;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool steers = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
    text += steers ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return text;
}

std::string pretty(const ConfigMap& config) {
  std::size_t width = 0;
  for (const auto& [key, value] : config) width = std::max(width, key.size());
  std::string text;
  for (const auto& [key, value] : config) {
    text += fmt::format("{:<{}}{}\n", key + ":", width + 3, harmless(value.reveal()));
  }
  return text;
}

std::string json_list(const ConfigMap& config) {
  std::vector<std::string> items;
  for (const auto& [key, value] : config) {
    items.push_back(JsonObject().text("name", key).text("value", value.reveal()).str());
  }
  return json_array(items) + "\n";
}

std::string json_object(const ConfigMap& config) {
  JsonObject object;
  for (const auto& [key, value] : config) object.text(key, value.reveal());
  return object.str() + "\n";
}

/// `one(key, value)` for each, with `between` after all but the last, and a newline.
template <typename One>
std::string joined(const ConfigMap& config, std::string_view between, const One& one) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : config) parts.push_back(one(key, value.reveal()));
  return parts.empty() ? std::string() : join(parts, between) + "\n";
}

class EnvFile {
 public:
  explicit EnvFile(std::string_view text) : text_(text) {}

  Result<ConfigMap> read() {
    while (at_ < text_.size()) DAVIT_TRY(line());
    return std::move(config_);
  }

 private:
  tl::unexpected<Error> wrong(std::string_view what) const {
    return fail(Code::kInvalid, fmt::format("Line {}: {}", line_, what),
                "Lines are KEY=value, KEY='value' or # comment");
  }

  char take() {
    if (text_[at_] == '\n') ++line_;
    return text_[at_++];
  }
  bool at_end_of_line() const { return at_ >= text_.size() || text_[at_] == '\n'; }
  void skip_blanks() {
    while (!at_end_of_line() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')) take();
  }
  void skip_line() {
    while (!at_end_of_line()) take();
    if (at_ < text_.size()) take();
  }

  Result<> line() {
    skip_blanks();
    if (at_end_of_line() || text_[at_] == '#') {
      skip_line();
      return {};
    }
    if (text_.substr(at_).starts_with("export ")) at_ += 7;
    skip_blanks();
    const auto equals = text_.find_first_of("=\n", at_);
    if (equals == std::string_view::npos || text_[equals] != '=') return wrong("there is no =");
    const std::string key(trim(text_.substr(at_, equals - at_)));
    if (!is_identifier(key)) return wrong("the key before = is not a name of letters, digits and _");
    at_ = equals + 1;
    DAVIT_TRY_ASSIGN(std::string value, this->value());
    config_[key] = Secret(std::move(value));
    return {};
  }

  Result<std::string> value() {
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return quoted();
    std::string value;
    while (!at_end_of_line()) value += take();
    if (at_ < text_.size()) take();
    if (value.ends_with('\r')) value.pop_back();
    return value;
  }

  /// Quoted pieces that touch each other are one value: 'it'\''s', as a shell writes it.
  Result<std::string> quoted() {
    std::string value;
    while (!at_end_of_line() && text_[at_] != ' ' && text_[at_] != '\t' && text_[at_] != '\r') {
      const char c = take();
      if (c == '\\') {
        if (at_ < text_.size()) value += take();
      } else if (c == '"' || c == '\'') {
        DAVIT_TRY(piece(value, c));
      } else {
        value += c;
      }
    }
    skip_blanks();
    if (!at_end_of_line() && text_[at_] != '#') return wrong("there is text after the closing quote");
    skip_line();
    return value;
  }

  Result<> piece(std::string& value, char quote) {
    while (at_ < text_.size() && text_[at_] != quote) {
      const char c = take();
      const bool escape = quote == '"' && c == '\\' && at_ < text_.size() &&
                          std::string_view("\"\\$`").find(text_[at_]) != std::string_view::npos;
      value += escape ? take() : c;
    }
    if (at_ >= text_.size()) return wrong("a quote is not closed");
    take();
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  ConfigMap config_;
};

}  // namespace

Result<std::string> format_config(const ConfigMap& config, std::string_view format) {
  if (format == "pretty") return pretty(config);
  if (format == "json") return json_object(config);
  if (format == "json-list") return json_list(config);
  if (format == "exports") {
    return joined(config, "\n",
                  [](auto& key, auto& value) { return "export " + key + "=" + shell_quote(value); });
  }
  if (format == "envfile") {
    return joined(config, "\n", [](auto& key, auto& value) { return key + "=" + double_quote(value); });
  }
  if (format == "shell") {
    return joined(config, " ", [](auto& key, auto& value) { return key + "=" + shell_quote(value); });
  }
  if (format == "docker-args") {
    return joined(config, " ",
                  [](auto& key, auto& value) { return "--env=" + key + "=" + shell_quote(value); });
  }
  if (format == "docker-args-keys") {
    return joined(config, " ", [](auto& key, auto&) { return "--env=" + key; });
  }
  if (format == "pack-keys") {
    return joined(config, " ", [](auto& key, auto&) { return "--env " + key; });
  }
  if (format == "keys") {
    return joined(config, "\n", [](auto& key, auto&) { return key; });
  }
  return fail(
      Code::kInvalid, fmt::format("Unknown export format: {}", format),
      "Formats: docker-args, docker-args-keys, envfile, exports, json, json-list, pack-keys, pretty, shell");
}

Result<> check_import_format(std::string_view format) {
  for (const std::string_view known : {"auto", "envfile", "exports", "json"}) {
    if (format == known) return {};
  }
  return fail(Code::kInvalid, fmt::format("Unknown import format: {}", format),
              "Formats: auto, envfile, exports, json");
}

Result<ConfigMap> parse_config(std::string_view text, std::string_view format) {
  DAVIT_TRY(check_import_format(format));
  const bool is_json = format == "json" || (format == "auto" && trim(text).starts_with('{'));
  if (!is_json) return EnvFile(text).read();
  DAVIT_TRY_ASSIGN(const auto members, read_json_object(text));
  ConfigMap config;
  for (const auto& [key, value] : members) config[key] = Secret(value);
  return config;
}

}  // namespace davit
