// Opening the store's file.
#include "store/open_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/migrations.hpp"

namespace davit {
namespace {

std::string user_name(uid_t uid) {
  const passwd* entry = getpwuid(uid);  // only on the way to an error: its lookup is slow
  return entry == nullptr ? fmt::format("uid {}", uid) : fmt::format("{} (uid {})", entry->pw_name, uid);
}

Result<> check_owner(const std::filesystem::path& path, uid_t owner) {
  if (owner == geteuid()) return {};
  return fail(
      Code::kDenied,
      fmt::format("{} belongs to {}, and you are {}", path.string(), user_name(owner), user_name(geteuid())),
      "Run the command as the home's owner, or choose another home with DAVIT_HOME", "home-not-yours");
}

// The characters with a meaning in SQLite's file names of the form file:PATH?immutable=1.
std::string uri_of(const std::filesystem::path& file) {
  std::string uri = "file:";
  for (const char c : file.string()) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02X}", static_cast<unsigned>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

Result<std::unique_ptr<Database>> connect(const std::string& name, int flags,
                                          const std::filesystem::path& file, const StoreOptions& options) {
  sqlite3* connection = nullptr;
  // NOMUTEX: a store is used by one thread at a time.
  const int code = sqlite3_open_v2(name.c_str(), &connection,
                                   flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  auto database = std::make_unique<Database>(connection, file);
  if (code != SQLITE_OK) {
    const int system_errno = connection == nullptr ? ENOMEM : sqlite3_system_errno(connection);
    return fail(sqlite_error(code, system_errno, sqlite3_errstr(code), file));
  }
  sqlite3_busy_timeout(connection, options.busy_timeout_ms);
  return database;
}

Result<> prepare_for_writing(Database& database) {
  DAVIT_TRY_ASSIGN(const auto version, read_schema_version(database));
  const std::uint32_t newest = known_migrations().back().to_version;
  if (version != newest) DAVIT_TRY(migrate(database, known_migrations()));
  // After that, so that a file which is not ours stays as it is. Kept in the file: nothing to do the next
  // time.
  DAVIT_TRY(database.script("PRAGMA journal_mode = WAL"));
  sqlite3_db_config(database.connection(), SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  // FULL for every write: the journal's promise needs it, and what a command reported as done should survive
  // a power cut too. A whole push has some dozens of commits, a sync each.
  return database.script("PRAGMA synchronous = FULL");
}

Result<> fill(const std::filesystem::path& file, const StoreOptions& options) {
  DAVIT_TRY_ASSIGN(auto database, connect(file.string(), SQLITE_OPEN_READWRITE, file, options));
  return prepare_for_writing(*database);
}

void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

// The new store is made under another name and linked into place when it is whole: a kill in between leaves
// no half store, and two commands that create at once agree on one. Mode 0600, which SQLite's own journal
// files take over.
Result<> create(const std::filesystem::path& file, const StoreOptions& options) {
  const auto folder = file.parent_path();
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0)
    return fail(system_error(folder.string(), errno), "creating the store");
  DAVIT_TRY(check_owner(folder, status.st_uid));
  const std::filesystem::path fresh = fmt::format("{}.new.{}", file.string(), ::getpid());
  ::unlink(fresh.c_str());  // an earlier process of this pid may have died here
  const int fd = ::open(fresh.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    const int reason = errno;
    return fail(sqlite_error(SQLITE_CANTOPEN, reason, system_error("create", reason).message, file));
  }
  ::close(fd);
  Result<> done = fill(fresh, options);
  if (done && ::link(fresh.c_str(), file.c_str()) != 0 && errno != EEXIST) {
    done = fail(system_error(fmt::format("create {}", file.string()), errno));
  }
  ::unlink(fresh.c_str());
  if (done) sync_folder(folder);
  return done;
}

Result<> check_file(const std::filesystem::path& file, StoreMode mode, const StoreOptions& options) {
  struct stat status {};
  if (stat(file.c_str(), &status) == 0) return check_owner(file, status.st_uid);
  if (errno == ENOENT && mode == StoreMode::kCreate) return create(file, options);
  if (errno == ENOENT || errno == ENOTDIR) {
    return fail(Code::kNotFound, fmt::format("There is no davit home at {}", file.parent_path().string()),
                "Make one with: davit init", "store-missing");
  }
  Error error = system_error(file.string(), errno);
  if (error.code == Code::kDenied) {
    error.hint = "Run the command as the home's owner, or choose another home with DAVIT_HOME";
    error.slug = "home-not-yours";
  }
  return fail(std::move(error));
}

Result<std::unique_ptr<Database>> open_for_writing(const std::filesystem::path& file,
                                                   const StoreOptions& options) {
  DAVIT_TRY_ASSIGN(auto database, connect(file.string(), SQLITE_OPEN_READWRITE, file, options));
  if (sqlite3_db_readonly(database->connection(), "main") == 1) {
    return fail(sqlite_error(SQLITE_READONLY, 0, "", file));
  }
  DAVIT_TRY(prepare_for_writing(*database));
  return database;
}

// All of a store, in memory: nothing of it is locked or open any more.
Result<std::unique_ptr<Database>> copied(Database& from, const std::filesystem::path& file,
                                         const StoreOptions& options) {
  DAVIT_TRY_ASSIGN(auto copy, connect(":memory:", SQLITE_OPEN_READWRITE, file, options));
  int code = SQLITE_ERROR;
  if (auto* backup = sqlite3_backup_init(copy->connection(), "main", from.connection(), "main")) {
    sqlite3_backup_step(backup, -1);
    code = sqlite3_backup_finish(backup);
  }
  if (code != SQLITE_OK)
    return fail(sqlite_error(code, sqlite3_system_errno(from.connection()), sqlite3_errstr(code), file));
  DAVIT_TRY(copy->script("PRAGMA query_only = ON"));
  return copy;
}

// On a read-only disk, and on one without a byte left, SQLite cannot make its shared-memory file: so without
// one. If nothing waits in the journal, the file alone is the whole state, and nobody can change it
// meanwhile. Else whoever died has left changes there, which are read under a lock that keeps everybody else
// out, this process included: then SQLite's index of them needs no file. So it is held no longer than that.
Result<std::unique_ptr<Database>> open_without_sharing(const std::filesystem::path& file,
                                                       const StoreOptions& options) {
  struct stat status {};
  const auto journal = file.string() + "-wal";
  if (stat(journal.c_str(), &status) != 0 || status.st_size == 0)
    return connect(uri_of(file), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, file, options);
  DAVIT_TRY_ASSIGN(auto database, connect(file.string(), SQLITE_OPEN_READWRITE, file, options));
  DAVIT_TRY(database->script("PRAGMA query_only = ON; PRAGMA locking_mode = EXCLUSIVE"));
  return copied(*database, file, options);
}

bool cannot_share_memory(const Error& error) {
  return error.slug == "store-read-only" || error.slug == "store-io" || error.slug == "disk-full";
}

Result<std::unique_ptr<Database>> open_for_reading(const std::filesystem::path& file,
                                                   const StoreOptions& options) {
  DAVIT_TRY_ASSIGN(auto database, connect(file.string(), SQLITE_OPEN_READONLY, file, options));
  auto version = read_schema_version(*database);
  if (!version && cannot_share_memory(version.error())) {
    database.reset();  // it has a lock, too
    if (auto alone = open_without_sharing(file, options)) {
      database = std::move(*alone);
      if (auto read = read_schema_version(*database)) version = std::move(read);
    }  // else the first reason is the better one
  }
  if (!version) return fail(std::move(version).error());
  const std::uint32_t newest = known_migrations().back().to_version;
  if (*version == newest) return database;
  if (*version < newest) {
    database.reset();
    auto migrated = open_for_writing(file, options);  // the first command after an update
    if (!migrated && migrated.error().slug == "store-read-only") {
      return fail(
          Code::kUnavailable,
          fmt::format("The store {} has schema {}, this davit needs {}, and the file cannot be written",
                      file.string(), *version, newest),
          "Make its disk writable once, so that davit can bring it up to date", "store-too-old");
    }
    return migrated;
  }
  return fail(Code::kUnavailable,
              fmt::format("The store {} has schema {}, and this davit knows {} at most", file.string(),
                          *version, newest),
              "Install the davit that wrote it, or a newer one: schemas only go forward", "store-too-new");
}

}  // namespace

Result<std::unique_ptr<Database>> open_database(const std::filesystem::path& file, StoreMode mode,
                                                const StoreOptions& options) {
  DAVIT_TRY(check_file(file, mode, options));
  return mode == StoreMode::kRead ? open_for_reading(file, options) : open_for_writing(file, options);
}

}  // namespace davit
