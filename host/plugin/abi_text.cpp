// Text across the ABI: borrowed bytes in, checked text out.
#include "plugin/abi_text.hpp"

#include "base/text.hpp"

namespace davit {
namespace {

/// Length of the valid UTF-8 sequence at the beginning, or 0.
std::size_t sequence_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size > text.size() || !is_valid_utf8(text.substr(0, size))) return 0;
  return size;
}

bool has_nul(davit_str text) {
  return view(text).find('\0') != std::string_view::npos;
}

TextMap& map_of(void* data) {
  return *static_cast<TextMap*>(data);
}

davit_status map_get(void* data, davit_str key, const davit_sink* value) {
  return no_throw([&] {
    const TextMap& map = map_of(data);
    const auto found = map.find(view(key));
    return found == map.end() ? DAVIT_NOT_FOUND : put(value, found->second);
  });
}

davit_status map_set(void* data, davit_str key, davit_str value) {
  return no_throw([&] {
    if (key.size == 0 || has_nul(key) || has_nul(value)) return DAVIT_INVALID;
    map_of(data).insert_or_assign(copy(key), copy(value));
    return DAVIT_OK;
  });
}

davit_status map_unset(void* data, davit_str key) {
  return no_throw([&] {
    TextMap& map = map_of(data);
    if (const auto found = map.find(view(key)); found != map.end()) map.erase(found);
    return DAVIT_OK;
  });
}

davit_status map_each(void* data, const davit_kv_sink* sink) {
  return no_throw([&] {
    const TextMap as_it_is = map_of(data);  // the sink may edit the map
    for (const auto& [key, value] : as_it_is)
      if (const davit_status status = put(sink, key, value); status != DAVIT_OK) return status;
    return DAVIT_OK;
  });
}

}  // namespace

std::vector<std::string> copy(davit_strs texts) {
  std::vector<std::string> out;
  if (texts.data == nullptr) return out;
  out.reserve(texts.size);
  for (std::uint64_t i = 0; i < texts.size; ++i) out.push_back(copy(texts.data[i]));
  return out;
}

TextMap copy(davit_kvs pairs) {
  TextMap out;
  if (pairs.data == nullptr) return out;
  for (std::uint64_t i = 0; i < pairs.size; ++i)
    out.insert_or_assign(copy(pairs.data[i].key), copy(pairs.data[i].value));
  return out;
}

std::string clean_line(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = sequence_size(text);
    const auto lead = static_cast<unsigned char>(text.front());
    if (size == 0)
      clean += "\xEF\xBF\xBD";
    else if (size == 1 && (lead < 0x20 || lead == 0x7f))
      clean += ' ';
    else
      clean += text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return std::string(trim(clean));
}

davit_status status_of(Code code) {
  switch (code) {
    case Code::kInvalid:
      return DAVIT_INVALID;
    case Code::kNotFound:
      return DAVIT_NOT_FOUND;
    case Code::kConflict:
      return DAVIT_CONFLICT;
    case Code::kDenied:
      return DAVIT_DENIED;
    case Code::kFailed:
      return DAVIT_FAILED;
    case Code::kUnavailable:
      return DAVIT_UNAVAILABLE;
    case Code::kTimeout:
      return DAVIT_TIMEOUT;
    case Code::kCancelled:
      return DAVIT_CANCELLED;
    case Code::kInternal:
      return DAVIT_INTERNAL;
  }
  return DAVIT_INTERNAL;
}

Code code_of(davit_status status) {
  switch (status) {
    case DAVIT_INVALID:
      return Code::kInvalid;
    case DAVIT_NOT_FOUND:
      return Code::kNotFound;
    case DAVIT_CONFLICT:
      return Code::kConflict;
    case DAVIT_DENIED:
      return Code::kDenied;
    case DAVIT_FAILED:
      return Code::kFailed;
    case DAVIT_UNAVAILABLE:
    case DAVIT_UNSUPPORTED:
      return Code::kUnavailable;
    case DAVIT_TIMEOUT:
      return Code::kTimeout;
    case DAVIT_CANCELLED:
      return Code::kCancelled;
    default:
      return Code::kInternal;
  }
}

davit_sink text_sink(std::string& out) {
  return {&out, [](void* data, davit_str chunk) -> davit_status {
            return no_throw([&] {
              static_cast<std::string*>(data)->append(view(chunk));
              return DAVIT_OK;
            });
          }};
}

davit_str_sink items_sink(std::vector<std::string>& out) {
  return {&out, [](void* data, davit_str item) -> davit_status {
            return no_throw([&] {
              static_cast<std::vector<std::string>*>(data)->push_back(copy(item));
              return DAVIT_OK;
            });
          }};
}

davit_kv_sink pairs_sink(TextMap& out) {
  return {&out, [](void* data, davit_str key, davit_str value) -> davit_status {
            return no_throw([&] {
              map_of(data).insert_or_assign(copy(key), copy(value));
              return DAVIT_OK;
            });
          }};
}

davit_map editable(TextMap& map) {
  return {&map, map_get, map_set, map_unset, map_each};
}

}  // namespace davit
