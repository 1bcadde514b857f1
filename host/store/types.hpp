// Words that every repository of the store shares.
#pragma once

#include <cstdint>

namespace davit {

/// The integer key of an app: stable through renames, never used twice. AppId::kGlobal is the scope of
/// settings, config and domains that hold for every app; functions that need a real app say so.
enum class AppId : std::int64_t { kGlobal = 0 };

}  // namespace davit
