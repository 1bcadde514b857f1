// Migrations: the schema as a list of forward steps, from the first release on. Private to host/store.
// A step that was released is never edited; a change is a new step.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace davit {

class Database;

struct Migration {
  std::uint32_t to_version;  ///< from 1, without gaps
  const char* sql;
};

extern const char* const kSchemaV1;
extern const char* const kSchemaV2;
extern const char* const kSchemaV3;
extern const char* const kSchemaV4;

std::span<const Migration> known_migrations();
/// The schema version of the file (its user_version).
Result<std::uint32_t> read_schema_version(Database& database);
/// Brings the file up to the last of `migrations`, in one transaction; two processes at once are harmless.
/// Unavailable "store-too-new" for a newer file; Internal "store-corrupt" for a file that is not ours.
/// Foreign keys must be off: a step may rebuild a table. They are checked at the end.
Result<> migrate(Database& database, std::span<const Migration> migrations);

}  // namespace davit
