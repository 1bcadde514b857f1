// A full disk: the write fails by name, what was there stays, and with room again everything goes on.
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

class DiskFull : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: needs root to mount a small disk";
    std::filesystem::create_directory(disk_);
    if (mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=4m") != 0)
      GTEST_SKIP() << "SKIPPED: mounting is not allowed here";
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) umount2(disk_.c_str(), MNT_DETACH);
  }
  // Leaves `free_bytes` at most.
  void fill(std::uintmax_t free_bytes) const {
    std::ofstream file(disk_ / "ballast", std::ios::app);
    const std::string block(4096, 'x');
    while (std::filesystem::space(disk_).available > free_bytes) file << block << std::flush;
  }

  test::TempFolder folder_;
  std::filesystem::path disk_ = folder_.path() / "disk";
  std::filesystem::path file_ = disk_ / "davit.db";
  fakes::FakeClock clock_;
  bool mounted_ = false;
};

TEST_F(DiskFull, AWriteFailsByNameAndLosesNothing) {
  Store store = must(Store::open(file_, StoreMode::kCreate, clock_));
  const AppId shop = must(store.apps().create("shop")).id;
  must(store.config().set_many(shop, {{"A", Secret("before")}}));
  fill(64 * 1024);
  const ConfigMap large = {{"A", Secret("after")}, {"B", Secret(std::string(1024UL * 1024, 'b'))}};
  const auto refused = store.config().set_many(shop, large);
  EXPECT_EQ(slug_of(refused), "disk-full");
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_FALSE(refused.error().hint.empty());
  EXPECT_EQ(must(store.config().all(shop)), (ConfigMap{{"A", Secret("before")}}));
  std::filesystem::remove(disk_ / "ballast");
  must(store.config().set_many(shop, large));
  EXPECT_EQ(must(store.config().all(shop)), large);
  must(store.check());
}

TEST_F(DiskFull, InsideATransactionNothingOfItRemains) {
  Store store = must(Store::open(file_, StoreMode::kCreate, clock_));
  fill(64 * 1024);
  const auto outer = store.transaction([&]() -> Result<> {
    DAVIT_TRY(store.apps().create("a"));
    // Somebody who ignores the error must not get the rest of the transaction kept.
    const auto ignored =
        store.plugin_kv().set("p", AppId::kGlobal, "k", std::string(15UL * 1024 * 1024, 'x'));
    EXPECT_EQ(slug_of(ignored), "disk-full");
    DAVIT_TRY(store.apps().create("b"));
    return {};
  });
  EXPECT_FALSE(outer);
  EXPECT_TRUE(must(store.apps().names()).empty());
  std::filesystem::remove(disk_ / "ballast");
  must(store.apps().create("c"));
  EXPECT_EQ(must(store.apps().names()), std::vector<std::string>{"c"});
}

TEST_F(DiskFull, WhatOnlyReadsWorksWithoutAByteLeft) {
  must(must(Store::open(file_, StoreMode::kCreate, clock_)).apps().create("shop"));
  fill(0);
  EXPECT_EQ(must(must(Store::open(file_, StoreMode::kRead, clock_)).apps().names()),
            std::vector<std::string>{"shop"});
}

TEST_F(DiskFull, WhatSomebodyHasLeftInTheJournalIsReadWithoutAByteLeft) {
  Store store = must(Store::open(file_, StoreMode::kCreate, clock_));
  must(store.apps().create("shop"));
  const auto left = disk_ / "left.db";  // as kill -9 leaves it
  std::filesystem::copy_file(file_, left);
  std::filesystem::copy_file(file_.string() + "-wal", left.string() + "-wal");
  fill(0);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(must(must(Store::open(left, StoreMode::kRead, clock_)).apps().names()),
              std::vector<std::string>{"shop"});
  }
}

TEST_F(DiskFull, WhoReadsWhatSomebodyHasLeftKeepsNobodyOut) {
  Store store = must(Store::open(file_, StoreMode::kCreate, clock_));
  must(store.apps().create("shop"));
  const auto left = disk_ / "left.db";
  std::filesystem::copy_file(file_, left);
  std::filesystem::copy_file(file_.string() + "-wal", left.string() + "-wal");
  fill(0);
  Store reader = must(Store::open(left, StoreMode::kRead, clock_));
  EXPECT_EQ(must(reader.apps().names()), std::vector<std::string>{"shop"});
  // As every command does that reads before it writes.
  EXPECT_EQ(slug_of(Store::open(left, StoreMode::kWrite, clock_)), "disk-full");
  EXPECT_EQ(slug_of(reader.apps().create("blog")), "store-read-only");
  std::filesystem::remove(disk_ / "ballast");
  Store writer = must(Store::open(left, StoreMode::kWrite, clock_));
  must(writer.apps().create("blog"));
  EXPECT_EQ(must(writer.apps().names()).size(), 2U);
  EXPECT_EQ(must(reader.apps().names()), std::vector<std::string>{"shop"}) << "what it read is of one moment";
}

TEST_F(DiskFull, ANewStoreIsMadeWholeOrNotAtAll) {
  fill(8 * 1024);
  EXPECT_EQ(slug_of(Store::open(file_, StoreMode::kCreate, clock_)), "disk-full");
  EXPECT_FALSE(std::filesystem::exists(file_));
  std::filesystem::remove(disk_ / "ballast");
  must(Store::open(file_, StoreMode::kCreate, clock_));
}

}  // namespace
}  // namespace davit
