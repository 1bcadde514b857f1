// Database: a thin owner of one SQLite connection and its prepared statements. Private to host/store: no
// header that other rooms include shows it, and SQL is written nowhere else.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace davit {

/// Bytes that are no text, as an argument of a statement.
struct Blob {
  std::string_view bytes;
};

/// The current row of a running statement; borrowed.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] bool is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  /// Every byte of a text or blob; "" for null.
  [[nodiscard]] std::string text(int column) const;
  template <std::integral Integer = std::int64_t>
  [[nodiscard]] std::optional<Integer> optional_integer(int column) const {
    if (is_null(column)) return std::nullopt;
    return static_cast<Integer>(integer(column));
  }

 private:
  sqlite3_stmt* statement_;
};

/// Threads: one. `sql` is always a literal: its address is the key of the statement cache, and no user's text
/// is in it.
class Database {
 public:
  Database(sqlite3* connection, std::filesystem::path file)
      : connection_(connection), file_(std::move(file)) {}
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs a statement without rows; returns how many rows it changed.
  template <typename... Args>
  Result<std::int64_t> run(const char* sql, const Args&... args) {
    DAVIT_TRY_ASSIGN(Running running, start(sql, args...));
    DAVIT_TRY_ASSIGN(const bool row, running.step());
    (void)row;
    return changes();
  }

  /// Calls `visit(row)` for each row.
  template <typename Visit, typename... Args>
  Result<> each(const char* sql, Visit&& visit, const Args&... args) {
    DAVIT_TRY_ASSIGN(Running running, start(sql, args...));
    for (;;) {
      DAVIT_TRY_ASSIGN(const bool row, running.step());
      if (!row) return {};
      visit(Row(running.statement));
    }
  }

  template <typename Read, typename... Args>
  auto collect(const char* sql, Read&& read, const Args&... args)
      -> Result<std::vector<std::invoke_result_t<Read, Row>>> {
    std::vector<std::invoke_result_t<Read, Row>> values;
    DAVIT_TRY(each(
        sql, [&](Row row) { values.push_back(read(row)); }, args...));
    return values;
  }

  /// The first row, if there is one.
  template <typename Read, typename... Args>
  auto first(const char* sql, Read&& read, const Args&... args)
      -> Result<std::optional<std::invoke_result_t<Read, Row>>> {
    std::optional<std::invoke_result_t<Read, Row>> value;
    DAVIT_TRY_ASSIGN(Running running, start(sql, args...));
    DAVIT_TRY_ASSIGN(const bool row, running.step());
    if (row) value = read(Row(running.statement));
    return value;
  }

  /// See Store::transaction(), which is this.
  template <typename Body>
  auto transaction(Body&& body) -> std::invoke_result_t<Body> {
    DAVIT_TRY(begin());
    Rollback rollback{this};
    auto result = std::forward<Body>(body)();
    if (!result) return result;
    rollback.database = nullptr;
    DAVIT_TRY(commit());
    return result;
  }
  Result<> begin();
  Result<> commit();
  void rollback() noexcept;

  /// Several statements without arguments, such as a migration.
  Result<> script(const char* sql);
  [[nodiscard]] std::int64_t last_insert_id() const { return sqlite3_last_insert_rowid(connection_); }
  [[nodiscard]] sqlite3* connection() const { return connection_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  struct Running {
    Database* database = nullptr;
    sqlite3_stmt* statement = nullptr;
    bool cached = false;
    Running(Database* of, sqlite3_stmt* what, bool in_cache)
        : database(of), statement(what), cached(in_cache) {}
    Running(Running&& other) noexcept
        : database(other.database),
          statement(std::exchange(other.statement, nullptr)),
          cached(other.cached) {}
    ~Running();
    Result<bool> step() const;
  };
  struct Rollback {
    Database* database;
    ~Rollback() {
      if (database != nullptr) database->rollback();
    }
  };

  template <typename... Args>
  Result<Running> start(const char* sql, const Args&... args) {
    DAVIT_TRY_ASSIGN(Running running, prepare(sql));
    int index = 0;
    int code = SQLITE_OK;
    ((code = code == SQLITE_OK ? bind(running.statement, ++index, args) : code), ...);
    if (code != SQLITE_OK) return fail(error(code));
    return running;
  }

  // Bound without a copy: the arguments live until the statement has run, within one call of run(), each() or
  // first().
  static int bind(sqlite3_stmt* statement, int index, std::string_view text);
  static int bind(sqlite3_stmt* statement, int index, Blob blob);
  static int bind(sqlite3_stmt* statement, int index, std::nullopt_t) {
    return sqlite3_bind_null(statement, index);
  }
  template <typename Integer>
  requires std::integral<Integer> || std::is_enum_v<Integer>
  static int bind(sqlite3_stmt* statement, int index, Integer value) {
    return sqlite3_bind_int64(statement, index, static_cast<std::int64_t>(value));
  }
  template <typename Value>
  static int bind(sqlite3_stmt* statement, int index, const std::optional<Value>& value) {
    return value ? bind(statement, index, *value) : bind(statement, index, std::nullopt);
  }

  Result<Running> prepare(const char* sql);
  [[nodiscard]] std::int64_t changes() const { return sqlite3_changes64(connection_); }
  [[nodiscard]] Error error(int code) const;

  sqlite3* connection_;
  std::filesystem::path file_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  int depth_ = 0;  // of nested transactions
};

/// What a result code of SQLite means to the user of `file`. `system_errno`: 0 when there is none.
[[nodiscard]] Error sqlite_error(int code, int system_errno, std::string_view text,
                                 const std::filesystem::path& file);

/// Slug of a broken UNIQUE or PRIMARY KEY: each repository turns it into words of its own.
inline constexpr std::string_view kSlugUnique = "store-unique";

}  // namespace davit
