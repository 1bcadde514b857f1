// What every part of the plugin needs at hand, and the engine's calls in the words of this plugin.
#pragma once

#include <cstdint>
#include <string>

#include "config.hpp"
#include "davit/host.hpp"
#include "engine.hpp"
#include "engine_failure.hpp"

namespace davit::docker_plugin {

/// Borrowed by all parts; lives from start to stop. Threads: one at a time.
struct Base {
  const sdk::Host& host;
  const Config& config;
  Engine& engine;
};

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

/// Removes a container with its anonymous volumes; one that is gone is fine.
void remove_container(Engine& engine, const std::string& id);
/// Milliseconds since 1970 of "2026-11-23T04:35:01.123456789Z"; 0 if it is no time or the zero time.
std::int64_t unix_ms_of(const std::string& rfc3339);
std::int64_t unix_ns_of(const std::string& rfc3339);

}  // namespace davit::docker_plugin
