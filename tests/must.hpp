// What tests take for granted of a Result.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace davit {

/// Its value; throws the error's text otherwise.
template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}
inline void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().text());
}

template <typename T>
std::string slug_of(const Result<T>& result) {
  return result ? "no error" : result.error().slug;
}

}  // namespace davit
