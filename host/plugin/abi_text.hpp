// Between the C ABI's borrowed text and C++'s: no copies. And the cleaning of what a plugin says before
// people see it.
#pragma once

#include <davit/abi.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/model.hpp"
#include "base/result.hpp"

namespace davit {

inline davit_str abi(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view view(davit_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}
inline std::string copy(davit_str text) {
  return std::string(view(text));
}
std::vector<std::string> copy(davit_strs texts);
TextMap copy(davit_kvs pairs);

/// One line for people and logs: bytes that are not UTF-8 become U+FFFD, control characters (NUL, newlines,
/// escapes) blanks.
std::string clean_line(std::string_view text);

davit_status status_of(Code code);
Code code_of(davit_status status);

/// A davit_str_sink, davit_sink and davit_kv_sink that fill a C++ value. Exceptions (memory) become
/// DAVIT_INTERNAL.
davit_sink text_sink(std::string& out);
davit_str_sink items_sink(std::vector<std::string>& out);
davit_kv_sink pairs_sink(TextMap& out);
/// The davit_map of a filter event on `map` (borrowed). Keys and values with a NUL are refused.
davit_map editable(TextMap& map);

inline davit_status put(const davit_sink* sink, std::string_view text) {
  return sink == nullptr || sink->write == nullptr ? DAVIT_INVALID : sink->write(sink->sink_data, abi(text));
}
inline davit_status put(const davit_str_sink* sink, std::string_view text) {
  return sink == nullptr || sink->put == nullptr ? DAVIT_INVALID : sink->put(sink->sink_data, abi(text));
}
inline davit_status put(const davit_kv_sink* sink, std::string_view key, std::string_view value) {
  return sink == nullptr || sink->put == nullptr ? DAVIT_INVALID
                                                 : sink->put(sink->sink_data, abi(key), abi(value));
}

/// Runs `body` (returns davit_status) so that nothing unwinds into C.
template <typename Body>
davit_status no_throw(Body&& body) noexcept {
  try {
    return body();
  } catch (...) {
    return DAVIT_INTERNAL;
  }
}

}  // namespace davit
