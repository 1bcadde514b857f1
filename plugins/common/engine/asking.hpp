// How the engine is asked on behalf of a call: how long to wait, and how to read what it answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "davit/call.hpp"
#include "engine/engine.hpp"
#include "engine/engine_failure.hpp"

namespace davit::docker {

inline constexpr std::uint64_t kAnswerMs = 60'000;   // an engine on a busy machine
inline constexpr std::uint64_t kLongMs = 1'800'000;  // commits and loads of large images

/// A wait that the user may end.
inline Patience patience(const sdk::Call& call, std::uint64_t idle_ms = kAnswerMs) {
  return Patience{[call] { return call.cancelled(); }, idle_ms};
}
/// For undoing and cleaning up: a cancel does not end it.
inline Patience steady(std::uint64_t idle_ms = kAnswerMs) {
  return Patience{{}, idle_ms};
}

/// {"label": ["a=b", ...]} as the filters parameter of the API.
inline std::string label_filter(const std::vector<std::string>& labels) {
  return Json{{"label", labels}}.dump();
}

/// The text of a field, or "".
inline std::string text_in(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_string() ? json[key].get<std::string>()
                                                                         : std::string();
}
inline std::int64_t number_in(const Json& json, const char* key, std::int64_t fallback = 0) {
  return json.is_object() && json.contains(key) && json[key].is_number() ? json[key].get<std::int64_t>()
                                                                         : fallback;
}
/// A field that is an object, or an empty one.
inline const Json& object_in(const Json& json, const char* key) {
  static const Json kNone = Json::object();
  return json.is_object() && json.contains(key) && json[key].is_object() ? json[key] : kNone;
}
/// The texts of a field that is an array of them; none for anything else.
inline std::vector<std::string> words_in(const Json& json, const char* key) {
  std::vector<std::string> words;
  if (!json.is_object() || !json.contains(key) || !json[key].is_array()) return words;
  for (const Json& word : json[key]) words.push_back(word.get<std::string>());
  return words;
}

}  // namespace davit::docker
