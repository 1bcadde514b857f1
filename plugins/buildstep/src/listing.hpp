// An app's list of buildpacks as a value: what buildpacks:add, set and remove do to it. Positions count
// from 1. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "davit/text.hpp"

namespace davit::buildstep {

/// The number of `--index`. @throws sdk::Failure index-invalid unless it is a whole number from 1.
std::optional<std::size_t> parse_index(const std::optional<std::string>& text);

/// Inserted before `index`; at the end without one, or if the list is shorter.
sdk::Strings added(sdk::Strings list, std::string item, std::optional<std::size_t> index);

/// In place of `index` (default: the first); at the end if the list is shorter.
sdk::Strings replaced(sdk::Strings list, std::string item, std::optional<std::size_t> index);

struct Removal {
  sdk::Strings list;
  std::string removed;
};
/// Without the one at `index`, or without `item` (either may be given, not both).
/// @throws sdk::Failure with dokku's texts.
Removal removed(sdk::Strings list, std::string_view app, const std::string& item,
                std::optional<std::size_t> index);

}  // namespace davit::buildstep
