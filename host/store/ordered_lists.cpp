// Ordered lists: short ones, so a change writes the list anew, in one transaction.
#include "store/ordered_lists.hpp"

#include "store/database.hpp"

namespace davit {
namespace {

Result<> write(Database& database, const ListKey& list, const std::vector<std::string>& values) {
  DAVIT_TRY(database.run("DELETE FROM list_items WHERE scope = ?1 AND grp = ?2 AND key = ?3", list.scope,
                         list.group, list.key));
  for (std::size_t i = 0; i < values.size(); ++i) {
    DAVIT_TRY(
        database.run("INSERT INTO list_items (scope, grp, key, position, value) VALUES (?1, ?2, ?3, ?4, ?5)",
                     list.scope, list.group, list.key, i + 1, values[i]));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> OrderedLists::items(const ListKey& list) {
  return database_.collect(
      "SELECT value FROM list_items WHERE scope = ?1 AND grp = ?2 AND key = ?3 ORDER BY position",
      [](Row row) { return row.text(0); }, list.scope, list.group, list.key);
}

Result<> OrderedLists::assign(const ListKey& list, const std::vector<std::string>& values) {
  return database_.transaction([&] { return write(database_, list, values); });
}

}  // namespace davit
