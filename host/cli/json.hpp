// JSON, written as text and read where a worker or a user gives us some. Small on purpose: a list of 1,000
// names must cost nothing.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace davit {

/// Builds one object: members in the order they are added.
class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value);
  JsonObject& number(std::string_view key, std::int64_t value);
  JsonObject& boolean(std::string_view key, bool value);
  /// `json` is a value already; it is not checked.
  JsonObject& raw(std::string_view key, std::string_view json);
  [[nodiscard]] std::string str() const { return body_ + "}"; }

 private:
  void key(std::string_view key);
  std::string body_ = "{";
};

/// `["a","b"]` of texts.
std::string json_texts(const std::vector<std::string>& texts);
/// `[a,b]` of values that are JSON already.
std::string json_array(const std::vector<std::string>& values);

/// Reads `{"key": "value", ...}`; numbers, booleans and nested values come as their JSON text, null as "".
/// Invalid "json-invalid", which says where.
Result<std::map<std::string, std::string>> read_json_object(std::string_view json);

}  // namespace davit
