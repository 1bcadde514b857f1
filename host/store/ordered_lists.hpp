// OrderedLists: lists of text under (scope, group, key) whose order matters: an app's buildpacks, its docker
// options.
#pragma once

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

/// Duplicates are the caller's to refuse. Threads: those of its Store. Writing for an app that is
/// gone: NotFound "app-not-found".
class OrderedLists {
 public:
  explicit OrderedLists(Database& database) : database_(database) {}

  Result<std::vector<std::string>> items(const ListKey& list);
  /// The whole list at once.
  Result<> assign(const ListKey& list, const std::vector<std::string>& values);

 private:
  Database& database_;
};

}  // namespace davit
