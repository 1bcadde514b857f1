// The texts of errors are dokku's, so that scripts which look for them go on working.
#include "listing.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "davit/failure.hpp"
#include "spec.hpp"

namespace davit::buildstep {
namespace {

/// Two entries are the same if they are written alike once names are resolved, or look alike to people.
bool same(const std::string& one, const std::string& other) {
  if (one == other) return true;
  try {
    const BuildpackSpec a = parse_spec(one);
    const BuildpackSpec b = parse_spec(other);
    return a.canonical() == b.canonical() || a.label() == other;
  } catch (const sdk::Failure&) {
    return false;
  }
}

}  // namespace

std::optional<std::size_t> parse_index(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number == 0) {
    throw sdk::Failure(DAVIT_INVALID, "index-invalid", fmt::format("{} is not a position", *text),
                       "Positions are whole numbers from 1: --index 1");
  }
  return number;
}

sdk::Strings added(sdk::Strings list, std::string item, std::optional<std::size_t> index) {
  const std::size_t at = std::min(index.value_or(list.size() + 1) - 1, list.size());
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), std::move(item));
  return list;
}

sdk::Strings replaced(sdk::Strings list, std::string item, std::optional<std::size_t> index) {
  const std::size_t at = index.value_or(1) - 1;
  if (at >= list.size()) {
    list.push_back(std::move(item));
  } else {
    list[at] = std::move(item);
  }
  return list;
}

Removal removed(sdk::Strings list, std::string_view app, const std::string& item,
                std::optional<std::size_t> index) {
  const auto refuse = [](davit_status status, std::string message) {
    throw sdk::Failure(status, "buildpack-not-removed", std::move(message));
  };
  if (index && !item.empty()) refuse(DAVIT_INVALID, "Please choose either index or Buildpack, but not both");
  if (!index && item.empty())
    refuse(DAVIT_INVALID, "Must specify a buildpack to remove, either by index or URL");
  if (list.empty()) {
    refuse(DAVIT_NOT_FOUND,
           fmt::format("No buildpacks were found, next release on {} will detect buildpack normally", app));
  }
  auto found = list.end();
  if (index) {
    if (*index > list.size()) refuse(DAVIT_NOT_FOUND, "Index not found");
    found = list.begin() + static_cast<std::ptrdiff_t>(*index - 1);
  } else {
    found = std::ranges::find_if(list, [&item](const std::string& known) { return same(known, item); });
    if (found == list.end()) refuse(DAVIT_NOT_FOUND, "Value not found");
  }
  Removal removal{{}, *found};
  list.erase(found);
  removal.list = std::move(list);
  return removal;
}

}  // namespace davit::buildstep
