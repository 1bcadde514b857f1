// Ordered lists: short ones, so every change reads the list and writes it anew in one transaction.
#include "store/ordered_lists.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "store/database.hpp"

namespace davit {
namespace {

Result<> index_invalid(std::size_t position, std::size_t size) {
  const std::string hint =
      size == 0 ? "The list is empty" : fmt::format("The list has the positions 1 to {}", size);
  return fail(Code::kInvalid, fmt::format("Invalid index {}", position), hint, "index-invalid");
}

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

Result<> OrderedLists::add(const ListKey& list, std::string_view value, std::optional<std::size_t> position) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY_ASSIGN(auto values, items(list));
    if (position == std::size_t{0}) return index_invalid(0, values.size());
    const auto before = std::min(position.value_or(values.size() + 1) - 1, values.size());
    values.emplace(values.begin() + static_cast<std::ptrdiff_t>(before), value);
    return write(database_, list, values);
  });
}

Result<> OrderedLists::replace(const ListKey& list, std::size_t position, std::string_view value) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY_ASSIGN(auto values, items(list));
    if (position == 0 || position > values.size() + 1) return index_invalid(position, values.size());
    if (position > values.size()) values.emplace_back();
    values[position - 1] = value;
    return write(database_, list, values);
  });
}

Result<bool> OrderedLists::remove(const ListKey& list, std::string_view value) {
  return database_.transaction([&]() -> Result<bool> {
    DAVIT_TRY_ASSIGN(auto values, items(list));
    if (std::erase(values, value) == 0) return false;
    DAVIT_TRY(write(database_, list, values));
    return true;
  });
}

Result<> OrderedLists::remove_at(const ListKey& list, std::size_t position) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY_ASSIGN(auto values, items(list));
    if (position == 0 || position > values.size()) return index_invalid(position, values.size());
    values.erase(values.begin() + static_cast<std::ptrdiff_t>(position - 1));
    return write(database_, list, values);
  });
}

Result<> OrderedLists::assign(const ListKey& list, const std::vector<std::string>& values) {
  return database_.transaction([&] { return write(database_, list, values); });
}

Result<> OrderedLists::clear(const ListKey& list) {
  return assign(list, {});
}

}  // namespace davit
