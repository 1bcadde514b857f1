// Opening: who may, in which mode, and what is said when it cannot be.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

class Open : public testing::Test {
 protected:
  Result<Store> open(StoreMode mode) { return Store::open(file_, mode, clock_); }
  void create() { must(must(open(StoreMode::kCreate)).apps().create("shop")); }
  void run_sql(const char* sql) const {
    sqlite3* connection = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &connection), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(connection, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(connection);
    sqlite3_close(connection);
  }

  test::TempFolder folder_;
  std::filesystem::path file_ = folder_.path() / "davit.db";
  fakes::FakeClock clock_;
};

TEST_F(Open, WithoutAHomeTheHintIsInit) {
  for (const auto mode : {StoreMode::kRead, StoreMode::kWrite}) {
    const auto result = open(mode);
    EXPECT_EQ(slug_of(result), "store-missing");
    EXPECT_NE(result.error().hint.find("davit init"), std::string::npos);
  }
  file_ = folder_.path() / "no" / "davit.db";
  EXPECT_EQ(slug_of(open(StoreMode::kRead)), "store-missing");
  EXPECT_FALSE(open(StoreMode::kCreate));
}

TEST_F(Open, ANewStoreIsForItsOwnerOnlyAndLeavesNothingBeside) {
  const mode_t before = umask(0);
  create();
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  {
    Store store = must(open(StoreMode::kWrite));
    must(store.apps().create("x"));
    ASSERT_EQ(stat((file_.string() + "-wal").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(entry.path(), file_);
    ++files;
  }
  EXPECT_EQ(files, 1);
}

TEST_F(Open, CreateOpensWhatIsThere) {
  create();
  EXPECT_TRUE(must(must(open(StoreMode::kCreate)).apps().exists("shop")));
}

TEST_F(Open, AnEmptyFileBecomesAStore) {
  std::ofstream(file_).close();
  must(must(open(StoreMode::kWrite)).apps().create("shop"));
  EXPECT_TRUE(must(must(open(StoreMode::kRead)).apps().exists("shop")));
}

TEST_F(Open, AReaderCannotWrite) {
  create();
  Store store = must(open(StoreMode::kRead));
  EXPECT_EQ(slug_of(store.apps().create("blog")), "store-read-only");
  EXPECT_EQ(slug_of(store.config().set_many(AppId::kGlobal, {{"A", Secret("1")}})), "store-read-only");
  EXPECT_EQ(must(store.apps().names()).size(), 1U);
}

TEST_F(Open, ANewerStoreIsRefused) {
  create();
  run_sql("PRAGMA user_version = 99");
  for (const auto mode : {StoreMode::kRead, StoreMode::kWrite, StoreMode::kCreate}) {
    const auto result = open(mode);
    EXPECT_EQ(slug_of(result), "store-too-new");
    EXPECT_NE(result.error().message.find("99"), std::string::npos);
    EXPECT_FALSE(result.error().hint.empty());
  }
}

TEST_F(Open, AForeignDatabaseIsLeftAlone) {
  run_sql("CREATE TABLE theirs (x)");
  EXPECT_EQ(slug_of(open(StoreMode::kCreate)), "store-corrupt");
  run_sql("INSERT INTO theirs VALUES (1)");
}

TEST_F(Open, AFileThatIsNoDatabaseIsCalledDamaged) {
  std::ofstream(file_) << std::string(8192, 'x');
  for (const auto mode : {StoreMode::kRead, StoreMode::kWrite}) {
    const auto result = open(mode);
    EXPECT_EQ(slug_of(result), "store-corrupt");
    EXPECT_NE(result.error().hint.find("backup"), std::string::npos);
  }
}

TEST_F(Open, DamageInsideIsFoundByTheCheck) {
  create();
  {
    Store store = must(open(StoreMode::kWrite));
    for (int i = 0; i < 300; ++i) must(store.apps().create("app-" + std::to_string(i)));
    must(store.check());
  }
  {
    std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
    const auto size = static_cast<std::streamoff>(std::filesystem::file_size(file_));
    for (std::streamoff page = 4096; page < size; page += 4096) {
      file.seekp(page);
      file << std::string(512, '\xAA');
    }
  }
  auto store = open(StoreMode::kWrite);
  EXPECT_EQ(store ? slug_of(store->check()) : slug_of(store), "store-corrupt");
  EXPECT_EQ(store ? slug_of(store->apps().names()) : "store-corrupt", "store-corrupt");
}

TEST_F(Open, ATruncatedFileIsCalledDamaged) {
  create();
  std::filesystem::resize_file(file_, 5000);
  auto store = open(StoreMode::kRead);
  EXPECT_EQ(store ? slug_of(store->apps().list()) : slug_of(store), "store-corrupt");
}

// Runs `body` in a child as an unprivileged uid; returns its exit code.
int as_nobody(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(99);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(Open, AnotherUsersHomeIsRefusedWithBothNames) {
  if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: needs root to become another user";
  create();
  chmod(folder_.path().c_str(), 0755);
  const int code = as_nobody([&] {
    const auto result = open(StoreMode::kRead);
    if (slug_of(result) != "home-not-yours") return 1;
    if (result.error().message.find("root (uid 0)") == std::string::npos) return 2;
    return result.error().code == Code::kDenied ? 0 : 3;
  });
  EXPECT_EQ(code, 0);
  chmod(folder_.path().c_str(), 0700);
  EXPECT_EQ(as_nobody([&] { return slug_of(open(StoreMode::kRead)) == "home-not-yours" ? 0 : 1; }), 0);
  // Root is no exception: what it wrote there would lock the owner out.
  ASSERT_EQ(chown(file_.c_str(), 65534, 65534), 0);
  EXPECT_EQ(slug_of(open(StoreMode::kWrite)), "home-not-yours");
}

TEST_F(Open, AReadOnlyFileIsReadAndNotWritten) {
  if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: needs root to become another user";
  create();
  ASSERT_EQ(chown(file_.c_str(), 65534, 65534), 0);
  ASSERT_EQ(chown(folder_.path().c_str(), 65534, 65534), 0);
  chmod(file_.c_str(), 0400);
  chmod(folder_.path().c_str(), 0500);
  const int code = as_nobody([&] {
    auto reader = open(StoreMode::kRead);
    if (!reader) return 1;
    const auto names = reader->apps().names();
    if (!names || names->size() != 1) return 2;
    const auto writer = open(StoreMode::kWrite);
    if (slug_of(writer) != "store-read-only") return 3;
    return writer.error().hint.empty() ? 4 : 0;
  });
  EXPECT_EQ(code, 0);
}

TEST_F(Open, AReadOnlyDiskIsReadAndNotWritten) {
  if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: needs root to mount";
  const auto disk = folder_.path() / "disk";
  std::filesystem::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=8m") != 0)
    GTEST_SKIP() << "SKIPPED: mounting is not allowed here";
  file_ = disk / "davit.db";
  create();
  EXPECT_EQ(mount(nullptr, disk.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  {
    Store reader = must(open(StoreMode::kRead));
    EXPECT_EQ(must(reader.apps().names()).size(), 1U);
    EXPECT_EQ(slug_of(reader.apps().create("blog")), "store-read-only");
    EXPECT_EQ(slug_of(open(StoreMode::kWrite)), "store-read-only");
    file_ = disk / "new.db";
    EXPECT_EQ(slug_of(open(StoreMode::kCreate)), "store-read-only");
  }
  EXPECT_EQ(umount(disk.c_str()), 0);
}

TEST_F(Open, TheJournalIsNotLeftLong) {
  create();
  const Store reader = must(open(StoreMode::kRead));  // as in most commands: it closes after the writer
  const auto journal = [&] { return std::filesystem::file_size(file_.string() + "-wal"); };
  std::uintmax_t longest = 0;
  for (int i = 0; i < 100; ++i) {
    longest = std::max(longest, journal());
    must(must(open(StoreMode::kWrite)).apps().create(fmt::format("app-{}", i)));
  }
  EXPECT_LT(longest, 512U * 1024);
  EXPECT_EQ(must(must(open(StoreMode::kRead)).apps().names()).size(), 101U);
}

TEST_F(Open, NamesWithAMeaningToSqliteAreJustNames) {
  file_ = folder_.path() / "file:a?mode=memory#%41";
  std::filesystem::create_directory(file_);
  file_ /= "davit.db";
  create();
  EXPECT_TRUE(std::filesystem::exists(file_));
  EXPECT_TRUE(must(must(open(StoreMode::kRead)).apps().exists("shop")));
}

}  // namespace
}  // namespace davit
