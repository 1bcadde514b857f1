// SQLite's result codes in words that say what to do.
#include <fmt/format.h>

#include <cerrno>

#include "store/database.hpp"

namespace davit {
namespace {

Error full(const std::filesystem::path& file) {
  return {Code::kUnavailable,
          fmt::format("No space left on the disk of {}", file.string()),
          "Free some space and repeat the command: what was there before is untouched",
          "disk-full",
          {}};
}

Error read_only(const std::filesystem::path& file) {
  return {Code::kDenied,
          fmt::format("The store {} cannot be written", file.string()),
          "Check that its disk is not mounted read-only and that the file and its folder belong to you and "
          "are writable",
          "store-read-only",
          {}};
}

Error corrupt(const std::filesystem::path& file, std::string_view text) {
  return {Code::kInternal,
          fmt::format("The store {} is damaged: {}", file.string(), text),
          "Put it back from a backup, or save what can be read with: sqlite3 davit.db .recover",
          "store-corrupt",
          {}};
}

}  // namespace

Error sqlite_error(int code, int system_errno, std::string_view text, const std::filesystem::path& file) {
  if (code == SQLITE_CONSTRAINT_FOREIGNKEY) {
    // Every reference that a caller can miss is one to an app.
    return {Code::kNotFound, "The app does not exist (any more)", {}, "app-not-found", {}};
  }
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
    return {Code::kConflict, fmt::format("Exists already: {}", text), {}, std::string(kSlugUnique), {}};
  }
  const int primary = code & 0xFF;
  const bool from_disk = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;
  if (primary == SQLITE_FULL || (from_disk && (system_errno == ENOSPC || system_errno == EDQUOT)))
    return full(file);
  if (primary == SQLITE_READONLY || (from_disk && (system_errno == EROFS || system_errno == EACCES))) {
    return read_only(file);
  }
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) return corrupt(file, text);
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    return {Code::kUnavailable,
            fmt::format("The store {} is busy: another command has been writing for long", file.string()),
            "Repeat the command in a moment",
            "store-busy",
            {}};
  }
  if (from_disk) {
    return {Code::kUnavailable,
            fmt::format("The store {} cannot be read or written: {}", file.string(), text),
            "Check the disk of the home (dmesg shows its errors)",
            "store-io",
            {}};
  }
  return {Code::kInternal, fmt::format("The store failed: {}", text), {}, "store-error", {}};
}

Error Database::error(int code) const {
  const int extended = sqlite3_extended_errcode(connection_);
  const int known = (extended & 0xFF) == (code & 0xFF) ? extended : code;
  return sqlite_error(known, sqlite3_system_errno(connection_), sqlite3_errmsg(connection_), file_);
}

}  // namespace davit
