// OrderedLists: lists of text under (scope, group, key) whose order matters: an app's buildpacks, its docker
// options.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

/// Names one list. Borrowed views: use it within the call.
struct ListKey {
  AppId scope{};
  std::string_view group;  ///< e.g. "buildpacks"
  std::string_view key;    ///< e.g. "urls"
};

/// Positions count from 1, as in `buildpacks:add --index 1`. Duplicates are the caller's to refuse.
/// Threads: those of its Store. Writing for an app that is gone: NotFound "app-not-found".
class OrderedLists {
 public:
  explicit OrderedLists(Database& database) : database_(database) {}

  Result<std::vector<std::string>> items(const ListKey& list);
  /// Inserts before the item at `position`; without one, or beyond the end, at the end.
  /// Position 0: Invalid "index-invalid".
  Result<> add(const ListKey& list, std::string_view value, std::optional<std::size_t> position = {});
  /// Replaces the item at `position`; one beyond the end appends. Further or 0: Invalid "index-invalid".
  Result<> replace(const ListKey& list, std::size_t position, std::string_view value);
  /// Removes every item equal to `value`; returns whether there was one.
  Result<bool> remove(const ListKey& list, std::string_view value);
  /// Invalid "index-invalid" when there is no such item.
  Result<> remove_at(const ListKey& list, std::size_t position);
  /// The whole list at once.
  Result<> assign(const ListKey& list, const std::vector<std::string>& values);
  Result<> clear(const ListKey& list);

 private:
  Database& database_;
};

}  // namespace davit
