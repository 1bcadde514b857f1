// Port leases.
#include "store/ports.hpp"

#include <fmt/format.h>

#include "store/database.hpp"

namespace davit {
namespace {

std::uint16_t read_port(Row row) {
  return static_cast<std::uint16_t>(row.integer(0));
}

Result<> take(Database& database, std::uint16_t port, std::string_view owner, UnixMs now_ms) {
  DAVIT_TRY(
      database.run("INSERT INTO ports (port, owner, leased_at_ms) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE "
                   "SET owner = excluded.owner, leased_at_ms = excluded.leased_at_ms, released_at_ms = NULL",
                   port, owner, now_ms));
  return {};
}

// A stranger listens there: to the end of the queue with it.
Result<> put_back(Database& database, std::uint16_t port, UnixMs now_ms) {
  DAVIT_TRY(
      database.run("INSERT INTO ports (port, owner, leased_at_ms, released_at_ms) VALUES (?1, NULL, ?2, ?2) "
                   "ON CONFLICT DO UPDATE SET released_at_ms = excluded.released_at_ms",
                   port, now_ms));
  return {};
}

// Ports that were never given out come first, rising; then the longest free. A port just released is asked
// for again as late as can be, because an old connection of a proxy may still point at it.
Result<std::vector<std::uint16_t>> candidates(Database& database, PortRange range) {
  DAVIT_TRY_ASSIGN(const auto highest,
                   database.first(
                       "SELECT coalesce(max(port), ?1 - 1) FROM ports WHERE port BETWEEN ?1 AND ?2",
                       [](Row row) { return row.integer(0); }, range.first, range.last));
  std::vector<std::uint16_t> ports;
  for (std::int64_t port = highest.value_or(0) + 1; port <= range.last; ++port) {
    ports.push_back(static_cast<std::uint16_t>(port));
  }
  DAVIT_TRY(database.each(
      "SELECT port FROM ports WHERE owner IS NULL AND port BETWEEN ?1 AND ?2 "
      "ORDER BY released_at_ms, port",
      [&](Row row) { ports.push_back(read_port(row)); }, range.first, range.last));
  return ports;
}

}  // namespace

Result<std::vector<std::uint16_t>> Ports::lease(PortRange range, std::string_view owner, std::size_t count,
                                                const IsFree& is_free) {
  return database_.transaction([&]() -> Result<std::vector<std::uint16_t>> {
    const UnixMs now_ms = clock_.now_unix_ms();
    DAVIT_TRY_ASSIGN(
        auto leased,
        database_.collect("SELECT port FROM ports WHERE owner = ?1 AND port BETWEEN ?2 AND ?3 ORDER BY port",
                          read_port, owner, range.first, range.last));
    if (leased.size() > count) leased.resize(count);
    if (leased.size() == count) return leased;
    DAVIT_TRY_ASSIGN(const auto possible, candidates(database_, range));
    for (const auto port : possible) {
      if (leased.size() == count) break;
      if (!is_free(port)) {
        DAVIT_TRY(put_back(database_, port, now_ms));
        continue;
      }
      DAVIT_TRY(take(database_, port, owner, now_ms));
      leased.push_back(port);
    }
    if (leased.size() == count) return leased;
    return fail(Code::kUnavailable,
                fmt::format("No free port is left between {} and {}", range.first, range.last),
                "Widen the range of ports, or stop what listens there", "ports-exhausted");
  });
}

Result<std::size_t> Ports::release(std::string_view owner) {
  DAVIT_TRY_ASSIGN(const auto released,
                   database_.run("UPDATE ports SET owner = NULL, released_at_ms = ?2 WHERE owner = ?1", owner,
                                 clock_.now_unix_ms()));
  return static_cast<std::size_t>(released);
}

Result<std::vector<std::uint16_t>> Ports::of_owner(std::string_view owner) {
  return database_.collect("SELECT port FROM ports WHERE owner = ?1 ORDER BY port", read_port, owner);
}

Result<std::vector<std::string>> Ports::owners(std::string_view prefix) {
  // Text is compared by bytes, and no UTF-8 has this one.
  const std::string behind = std::string(prefix) + '\xFF';
  return database_.collect(
      "SELECT DISTINCT owner FROM ports WHERE owner >= ?1 AND owner < ?2 ORDER BY owner",
      [](Row row) { return row.text(0); }, prefix, behind);
}

Result<std::vector<PortLease>> Ports::list() {
  return database_.collect("SELECT port, owner FROM ports WHERE owner IS NOT NULL ORDER BY port",
                           [](Row row) {
                             return PortLease{read_port(row), row.text(1)};
                           });
}

}  // namespace davit
