// JSON: see the header. Reading is nlohmann's; it is header-only and so costs no shared library.
#include "cli/json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace davit {

void JsonObject::key(std::string_view key) {
  if (body_.size() > 1) body_ += ',';
  body_ += json_quote(key);
  body_ += ':';
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
  key(name);
  body_ += json_quote(value);
  return *this;
}

JsonObject& JsonObject::number(std::string_view name, std::int64_t value) {
  key(name);
  body_ += std::to_string(value);
  return *this;
}

JsonObject& JsonObject::boolean(std::string_view name, bool value) {
  key(name);
  body_ += value ? "true" : "false";
  return *this;
}

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
  key(name);
  body_ += json;
  return *this;
}

std::string json_texts(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const std::string& text : texts) {
    if (json.size() > 1) json += ',';
    json += json_quote(text);
  }
  return json + "]";
}

std::string json_array(const std::vector<std::string>& values) {
  std::string json = "[";
  for (const std::string& value : values) {
    if (json.size() > 1) json += ',';
    json += value;
  }
  return json + "]";
}

Result<std::map<std::string, std::string>> read_json_object(std::string_view json) {
  try {
    const nlohmann::json value = nlohmann::json::parse(json.begin(), json.end());
    if (!value.is_object()) return fail(Code::kInvalid, "The JSON is not an object", {}, "json-invalid");
    std::map<std::string, std::string> members;
    for (const auto& [key, member] : value.items()) {
      members[key] = member.is_string() ? member.get<std::string>() : member.is_null() ? "" : member.dump();
    }
    return members;
  } catch (const nlohmann::json::exception& error) {
    // The library's text may quote the input, which can be a secret: only the place is passed on.
    const auto* parse = dynamic_cast<const nlohmann::json::parse_error*>(&error);
    return fail(
        Code::kInvalid,
        parse != nullptr ? fmt::format("The JSON is broken at byte {}", parse->byte) : "The JSON is broken",
        {}, "json-invalid");
  }
}

}  // namespace davit
