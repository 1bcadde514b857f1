// From a stored word back to its enumerator. Private to host/store.
#pragma once

#include <string_view>

namespace davit {

/// The enumerator between the first (0) and `last` whose name_of() is `word`. The schema's CHECK lets no
/// other word in.
template <typename Enum>
Enum from_name(std::string_view word, Enum last) {
  for (int value = 0; value <= static_cast<int>(last); ++value) {
    if (name_of(static_cast<Enum>(value)) == word) return static_cast<Enum>(value);
  }
  return last;
}

}  // namespace davit
