// Runs the missing steps.
#include "store/migrations.hpp"

#include <fmt/format.h>

#include <array>

#include "store/database.hpp"

namespace davit {
namespace {

// PRAGMA takes no arguments, so the text is made here; the number is ours.
Result<> write_schema_version(Database& database, std::uint32_t version) {
  return database.script(fmt::format("PRAGMA user_version = {}", version).c_str());
}

Result<> refuse_foreign_file(Database& database) {
  DAVIT_TRY_ASSIGN(const auto tables, database.first("SELECT count(*) FROM sqlite_schema",
                                                     [](Row row) { return row.integer(0); }));
  if (tables.value_or(0) == 0) return {};
  return fail(Code::kInternal,
              fmt::format("{} is a database, but not one of davit's", database.file().string()),
              "Move it away, or choose another home with DAVIT_HOME", "store-corrupt");
}

Result<> check_foreign_keys(Database& database) {
  DAVIT_TRY_ASSIGN(const auto broken,
                   database.first("PRAGMA foreign_key_check", [](Row row) { return row.text(0); }));
  if (!broken) return {};
  return fail(Code::kInternal, fmt::format("The store's table {} has rows that belong to nothing", *broken),
              "The store was left as it was; keep a copy of davit.db and report this", "store-corrupt");
}

}  // namespace

std::span<const Migration> known_migrations() {
  static const std::array<Migration, 4> migrations = {
      {{1, kSchemaV1}, {2, kSchemaV2}, {3, kSchemaV3}, {4, kSchemaV4}}};
  return migrations;
}

Result<std::uint32_t> read_schema_version(Database& database) {
  DAVIT_TRY_ASSIGN(const auto version,
                   database.first("PRAGMA user_version", [](Row row) { return row.integer(0); }));
  return static_cast<std::uint32_t>(version.value_or(0));
}

Result<> migrate(Database& database, std::span<const Migration> migrations) {
  const std::uint32_t newest = migrations.back().to_version;
  return database.transaction([&]() -> Result<> {
    // Read again under the write lock: another process may have migrated meanwhile.
    DAVIT_TRY_ASSIGN(const auto version, read_schema_version(database));
    if (version == newest) return {};
    if (version > newest) {
      return fail(Code::kUnavailable,
                  fmt::format("The store {} has schema {}, and this davit knows {} at most",
                              database.file().string(), version, newest),
                  "Install the davit that wrote it, or a newer one: schemas only go forward",
                  "store-too-new");
    }
    if (version == 0) DAVIT_TRY(refuse_foreign_file(database));
    for (const auto& migration : migrations) {
      if (migration.to_version <= version) continue;
      auto done = database.script(migration.sql);
      if (!done)
        return fail(std::move(done).error(),
                    fmt::format("bringing the store to schema {}", migration.to_version));
    }
    DAVIT_TRY(check_foreign_keys(database));
    return write_schema_version(database, newest);
  });
}

}  // namespace davit
