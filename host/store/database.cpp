// Prepared statements, their arguments and transactions.
#include "store/database.hpp"

#include <sys/stat.h>

#include <array>

namespace davit {
namespace {

// Savepoints need names; the text must be a literal because the statement cache goes by address. Deeper
// nesting than this is a mistake: one command is one transaction that calls repositories, which open one of
// their own.
constexpr std::array<const char*, 3> kSavepoint = {"SAVEPOINT s1", "SAVEPOINT s2", "SAVEPOINT s3"};
constexpr std::array<const char*, 3> kRelease = {"RELEASE s1", "RELEASE s2", "RELEASE s3"};
constexpr std::array<const char*, 3> kRollbackTo = {"ROLLBACK TO s1", "ROLLBACK TO s2", "ROLLBACK TO s3"};

constexpr off_t kLongJournalBytes = 256 * 1024;

// Whoever is the first to open the store reads all of the journal beside it, so that a long one slows every
// command. SQLite itself empties it when the last connection closes, unless that one is a reader, as it is
// with most commands. This waits for nobody: whoever uses the journal now will do it.
void empty_long_journal(sqlite3* connection, const std::filesystem::path& file) {
  struct stat status {};
  if (connection == nullptr || sqlite3_db_readonly(connection, "main") != 0) return;
  if (::stat((file.string() + "-wal").c_str(), &status) != 0 || status.st_size < kLongJournalBytes) return;
  sqlite3_busy_timeout(connection, 0);
  sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

}  // namespace

std::string Row::text(int column) const {
  // Order matters: the pointer first, then its length (sqlite.org/c3ref/column_blob.html).
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  empty_long_journal(connection_, file_);
  sqlite3_close(connection_);
}

Database::Running::~Running() {
  if (statement == nullptr) return;
  if (!cached) {
    sqlite3_finalize(statement);
    return;
  }
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);  // the arguments were borrowed
}

Result<bool> Database::Running::step() const {
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(database->error(code));
}

Result<Database::Running> Database::prepare(const char* sql) {
  // After a full disk SQLite takes the whole transaction back by itself; what follows must not be kept alone.
  if (depth_ > 0 && sqlite3_get_autocommit(connection_) != 0) {
    return fail(Code::kUnavailable, "The store has taken the transaction back after an error", {},
                "store-error");
  }
  const auto found = statements_.find(sql);
  // A statement that is in the middle of its rows (a callback asks the same again) is left to its user.
  const bool shared = found == statements_.end() || sqlite3_stmt_busy(found->second) == 0;
  if (shared && found != statements_.end()) return Running(this, found->second, true);
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_, sql, -1, &statement, nullptr);
  if (code != SQLITE_OK) return fail(error(code));
  if (shared) statements_.emplace(sql, statement);
  return Running(this, statement, shared);
}

int Database::bind(sqlite3_stmt* statement, int index, std::string_view text) {
  // A null pointer would bind NULL; an empty view is an empty text.
  const char* bytes = text.data() == nullptr ? "" : text.data();
  return sqlite3_bind_text64(statement, index, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

int Database::bind(sqlite3_stmt* statement, int index, Blob blob) {
  const char* bytes = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  return sqlite3_bind_blob64(statement, index, bytes, blob.bytes.size(), SQLITE_STATIC);
}

Result<> Database::begin() {
  if (depth_ > static_cast<int>(kSavepoint.size())) {
    return fail(Code::kInternal, "Store transactions are nested too deep", {}, "store-error");
  }
  // IMMEDIATE: a read that turns into a write later could fail with no way to wait.
  DAVIT_TRY(run(depth_ == 0 ? "BEGIN IMMEDIATE" : kSavepoint[static_cast<std::size_t>(depth_ - 1)]));
  ++depth_;
  return {};
}

Result<> Database::commit() {
  auto done = run(depth_ == 1 ? "COMMIT" : kRelease[static_cast<std::size_t>(depth_ - 2)]);
  if (!done) {
    rollback();
    return fail(std::move(done).error());
  }
  --depth_;
  return {};
}

void Database::rollback() noexcept {
  if (sqlite3_get_autocommit(connection_) == 0) {
    if (depth_ <= 1) {
      (void)run("ROLLBACK");
    } else {
      (void)run(kRollbackTo[static_cast<std::size_t>(depth_ - 2)]);
      (void)run(kRelease[static_cast<std::size_t>(depth_ - 2)]);
    }
  }
  --depth_;
}

Result<> Database::script(const char* sql) {
  const int code = sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error(code));
  return {};
}

}  // namespace davit
