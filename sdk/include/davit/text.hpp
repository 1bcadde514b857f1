/* Text, lists and maps of the C ABI as C++ types. Header-only part of the C++ wrapper of davit's SDK; the
 * umbrella is davit/plugin.hpp. Nothing here talks to the host by itself.
 *
 * Views (std::string_view, Map) borrow and live as long as the call that brought them; std::string copies.
 */
#ifndef DAVIT_TEXT_HPP
#define DAVIT_TEXT_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "davit/abi.h"

/* Reads a field of an OPEN struct, or the type's zero if its writer did not know the field. */
#define DAVIT_SDK_READ(pointer, type, field) \
  (DAVIT_HAS(pointer, type, field) ? (pointer)->field : decltype(type::field){})

namespace davit::sdk {

using Strings = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

inline std::string_view view(const davit_str& text) noexcept {
  return text.data == nullptr ? std::string_view()
                              : std::string_view(text.data, static_cast<std::size_t>(text.size));
}

inline std::string copy(const davit_str& text) {
  return std::string(view(text));
}

/* Borrows: the text must outlive the use of the result. */
inline davit_str str(std::string_view text) noexcept {
  return davit_str{text.data(), text.size()};
}

inline Strings copy(const davit_strs& items) {
  Strings out;
  out.reserve(static_cast<std::size_t>(items.size));
  for (uint64_t i = 0; i < items.size; ++i) out.push_back(copy(items.data[i]));
  return out;
}

inline Pairs copy(const davit_kvs& items) {
  Pairs out;
  out.reserve(static_cast<std::size_t>(items.size));
  for (uint64_t i = 0; i < items.size; ++i)
    out.emplace_back(copy(items.data[i].key), copy(items.data[i].value));
  return out;
}

/* Calls `use(const T&)` for each element of a davit_list of OPEN structs, by the writer's stride. */
template <class T, class Function>
void for_each(const davit_list& list, Function&& use) {
  for (uint64_t i = 0; i < list.size; ++i) use(*DAVIT_AT(list, T, i));
}

/* A davit_strs over strings that outlive it. */
class StrArray {
 public:
  explicit StrArray(const Strings& items) {
    items_.reserve(items.size());
    for (const std::string& item : items) items_.push_back(str(item));
  }
  davit_strs get() const noexcept { return davit_strs{items_.data(), items_.size()}; }

 private:
  std::vector<davit_str> items_;
};

/* A davit_kvs over pairs that outlive it. */
class KvArray {
 public:
  explicit KvArray(const Pairs& items) {
    items_.reserve(items.size());
    for (const auto& item : items) items_.push_back(davit_kv{str(item.first), str(item.second)});
  }
  davit_kvs get() const noexcept { return davit_kvs{items_.data(), items_.size()}; }

 private:
  std::vector<davit_kv> items_;
};

/* A davit_list over OPEN structs that outlive it. */
template <class T>
davit_list list_of(const std::vector<T>& items) noexcept {
  return davit_list{items.data(), items.size(), sizeof(T)};
}

}  // namespace davit::sdk
#endif
