// What is kept of services: backups, retired generations, the trash.
#include "tests/unit/service/keeper_fixture.hpp"

namespace davit {
namespace {

TEST_F(KeeperTest, ABackupIsKeptAlsoWhenTheClockWentBack) {
  const Service db = made("db");
  dumps_something();
  ASSERT_TRUE(services().set_setting(db.id, "backup-keep", "2"));
  const fs::path folder = keeper().backup_folder(db);
  std::vector<fs::path> taken;
  for (const std::int64_t jump_ms : {0LL, 5'000LL, -3'600'000LL, 1'000LL}) {
    clock_.set_unix_ms(clock_.now_unix_ms() + jump_ms);
    const auto one = keeper().backup(db, folder, context_);
    ASSERT_TRUE(one);
    taken.push_back(*one);
    EXPECT_TRUE(fs::exists(*one)) << *one;
    EXPECT_LE(keeper().backups_in(db, folder).value().size(), 2U);
  }
  EXPECT_TRUE(fs::exists(taken.back().replace_extension(".fingerprint")));
}

TEST_F(KeeperTest, RetentionRemovesOnlyWhatWasTakenOfTheServiceItself) {
  dumps_something();
  const fs::path folder = home_.root / "shared";
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms(01777));
  const Service db = made("db");
  const Service dashed = made("db-1");
  ASSERT_TRUE(keeper().backup(dashed, folder, context_));
  const auto of_gone = keeper().backup(db, folder, context_);
  ASSERT_TRUE(of_gone);
  for (const char* name : {"fake-db-before-migration.dump", "fake-db-20200101T000000Z.dump", "db.dump"})
    std::ofstream(folder / name) << "kept";
  ASSERT_TRUE(keeper().destroy(db, context_));
  const Service second = made("db");
  ASSERT_TRUE(services().set_setting(second.id, "backup-keep", "1"));
  std::vector<fs::path> taken;
  for (int day = 0; day < 2; ++day) {
    clock_.advance_ms(kDayMs);
    const auto one = keeper().backup(second, folder, context_);
    ASSERT_TRUE(one);
    taken.push_back(*one);
  }
  EXPECT_FALSE(fs::exists(taken[0]));
  EXPECT_TRUE(fs::exists(taken[1]));
  EXPECT_TRUE(fs::exists(*of_gone)) << "its service is in the trash, and can come back";
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 3 + 2 * 3)
      << "dumps, and a fingerprint of each";
  EXPECT_EQ(fs::status(folder).permissions(), fs::perms(01777)) << "the folder is its owner's";
  EXPECT_EQ(keeper().newest_backup(second, folder).value(), taken[1]);
  EXPECT_EQ(keeper().newest_backup(second).value(), taken[1]) << "wherever it was taken to";
}

TEST_F(KeeperTest, OfAFolderFromElsewhereTheNewestByItsNameIsTaken) {
  const Service db = made("db");
  for (const char* name :
       {"fake-db-20200101T000000Z.dump", "fake-db-20210101T000000Z.dump", "fake-db-zzz.dump",
        "fake-db-2021010xT000000Z.dump", "other-db-20220101T000000Z.dump"})
    std::ofstream(home_.root / name) << "data";
  EXPECT_EQ(keeper().newest_backup(db, home_.root).value().filename(), "fake-db-20210101T000000Z.dump");
}

TEST_F(KeeperTest, BackupsGoWithTheName) {
  dumps_something();
  const Service db = made("db");
  ASSERT_TRUE(keeper().backup(db, keeper().backup_folder(db), context_));
  ASSERT_TRUE(keeper().rename(db, "other", context_));
  const auto renamed = keeper().newest_backup(now("other"), keeper().backup_folder(now("other")));
  ASSERT_TRUE(renamed);
  ASSERT_TRUE(keeper().destroy(now("other"), context_));
  ASSERT_TRUE(keeper().restore(services().get(db.id).value(), "third", context_));
  const auto restored = keeper().newest_backup(now("third"), keeper().backup_folder(now("third")));
  ASSERT_TRUE(restored);
  EXPECT_THAT(restored->filename().string(), testing::StartsWith("fake-third-"));
  EXPECT_FALSE(fs::exists(*renamed));
}

TEST_F(KeeperTest, ADeathWhileItIsRenamedLosesNoBackup) {
  dumps_something();
  Service db = made("db");
  for (int day = 0; day < 2; ++day) {
    clock_.advance_ms(kDayMs);
    ASSERT_TRUE(keeper().backup(db, keeper().backup_folder(db), context_));
  }
  int number = 0;
  for (const std::string point : {"rename:recorded", "backups:moved"}) {
    const std::string next = "db-" + std::to_string(++number);
    dies_at_ = point;
    EXPECT_THROW((void)keeper().rename(db, next, context_), std::runtime_error) << point;
    dies_at_.clear();
    { const auto lock = keeper().lock("fake", next, "settle", context_); }
    db = now(next);
    const auto kept = keeper().backups_in(db, keeper().backup_folder(db)).value();
    ASSERT_EQ(kept.size(), 2U) << point;
    for (const fs::path& dump : kept) {
      EXPECT_TRUE(fs::exists(dump)) << dump;
      EXPECT_TRUE(fs::exists(fs::path(dump).replace_extension(".fingerprint"))) << dump;
    }
  }
}

TEST_F(KeeperTest, ABackupIsNeverWrittenIntoAFileOfOthers) {
  dumps_something();
  const Service db = made("db");
  const fs::path folder = home_.root / "shared";
  fs::create_directory(folder);
  const fs::path theirs = home_.root / "theirs";
  std::ofstream(theirs) << "before";
  const fs::path file = *keeper().backup(db, folder, context_);
  fs::remove(file);
  fs::create_hard_link(theirs, file.string() + ".part");
  ASSERT_TRUE(keeper().backup(db, folder, context_));
  EXPECT_EQ(fs::file_size(theirs), 6U);
  EXPECT_EQ(fs::hard_link_count(file), 1U);
}

TEST_F(KeeperTest, ABackupThatIsNotThereIsSaidBeforeAServerIsStarted) {
  const Service db = made("db");
  capabilities_.runtime_fake.tasks.clear();
  for (const fs::path& file : {home_.root / "none.dump", home_.root}) {
    const auto failed = keeper().verify_backup(db, file, context_);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().slug, "backup-missing");
  }
  EXPECT_TRUE(capabilities_.runtime_fake.tasks.empty());
}

TEST_F(KeeperTest, AnUpgradeComparesAndKeepsTheOldData) {
  const Service db = made("db");
  std::string fingerprint = "t 1 1\n";
  capabilities_.runtime_fake.on_task = [&](const TaskRequest& task) {
    if (task.name == "fingerprint") task.out(fingerprint);
    if (task.name == "dump") {
      EXPECT_EQ(::write(task.fds[1], "data", 4), 4);
    }
    return 0;
  };
  ASSERT_TRUE(keeper().upgrade(db, {}, context_));
  EXPECT_EQ(now("db").generation, 2U);
  capabilities_.runtime_fake.on_task = [&](const TaskRequest& task) {
    if (task.name == "fingerprint") task.out(fingerprint += "x");
    if (task.name == "dump") {
      EXPECT_EQ(::write(task.fds[1], "data", 4), 4);
    }
    return 0;
  };
  const auto failed = keeper().upgrade(now("db"), {}, context_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().slug, "data-differ");
  EXPECT_EQ(now("db").generation, 2U);
  EXPECT_THAT(servers(), testing::ElementsAre("fake.db.g2.server"));
  EXPECT_EQ(capabilities_.runtime_fake.groups.at("fake.db.g2.server").port, db.port);
}

TEST_F(KeeperTest, WhatAnUpgradeLeavesStaysUntilItIsToldOtherwise) {
  dumps_something();
  const Service db = *keeper().create({"fake", "db", {"", "", "1"}}, context_);
  ASSERT_TRUE(keeper().upgrade(db, {"", "", "2"}, context_));
  EXPECT_EQ(now("db").version, "2");
  clock_.advance_ms(1);
  ASSERT_TRUE(keeper().import_from(now("db"), file_of("new data"), context_));
  for (int month = 0; month < 6; ++month) {
    clock_.advance_ms(31 * kDayMs);
    ASSERT_TRUE(keeper().sweep("", context_));
  }
  const auto numbers = [&] {
    std::vector<std::uint32_t> all;
    const auto known = services().generations(db.id).value();
    for (const ServiceGeneration& one : known) all.push_back(one.number);
    return all;
  };
  EXPECT_THAT(numbers(), testing::ElementsAre(1, 3)) << "g2 was replaced by an import";
  EXPECT_EQ(keeper().drop(now("db"), 3, context_).error().slug, "generation-serves");
  EXPECT_EQ(keeper().drop(now("db"), 2, context_).error().slug, "generation-missing");
  ASSERT_TRUE(keeper().drop(now("db"), 1, context_));
  EXPECT_THAT(numbers(), testing::ElementsAre(3));
  EXPECT_FALSE(fs::exists(data(db)));
}

TEST_F(KeeperTest, AnUpgradeThatDiesWhileItDumpsIsSettledWithTheServersOwnPort) {
  dumps_something();
  const Service db = made("db");
  dies_at_ = "upgrade:aside";
  EXPECT_THROW((void)keeper().upgrade(db, {}, context_), std::runtime_error);
  dies_at_.clear();
  EXPECT_NE(capabilities_.runtime_fake.groups.at("fake.db.g1.server").port, db.port);
  { const auto lock = keeper().lock("fake", "db", "info", context_); }
  EXPECT_EQ(capabilities_.runtime_fake.groups.at("fake.db.g1.server").port, db.port);
  EXPECT_EQ(store_->ports().list().value().size(), 1U);
}

TEST_F(KeeperTest, AnUpgradeKeepsNoSecondPort) {
  dumps_something();
  const Service db = made("db");
  ASSERT_TRUE(keeper().upgrade(db, {}, context_));
  EXPECT_EQ(store_->ports().list().value().size(), 1U);
  capabilities_.runtime_fake.on_task = [](const TaskRequest& task) { return task.name == "dump" ? 1 : 0; };
  EXPECT_FALSE(keeper().upgrade(now("db"), {}, context_));
  EXPECT_EQ(store_->ports().list().value().size(), 1U);
  EXPECT_FALSE(fs::exists(data(now("db")).parent_path() / "passing.dump"));
}

TEST_F(KeeperTest, ACloneIsLikeItsSource) {
  dumps_something();
  const Service db = *keeper().create({"fake", "db", {"", "", "1"}}, context_);
  ASSERT_TRUE(services().set_setting(db.id, "memory", "64m"));
  const auto copy = keeper().clone(db, {"fake", "copy", {db.runtime, "", ""}}, context_);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->version, "1");
  EXPECT_EQ(services().setting(copy->id, "memory").value(), "64m");
  EXPECT_NE(copy->port, db.port);
  const auto newer = keeper().clone(db, {"fake", "newer", {db.runtime, "", "2"}}, context_);
  EXPECT_EQ(newer.value().version, "2");
}

TEST_F(KeeperTest, WhatSomebodyWorksOnIsNotSwept) {
  const Service gone = made("gone");
  ASSERT_TRUE(keeper().destroy(gone, context_));
  clock_.advance_ms(31 * kDayMs);
  ASSERT_TRUE(keeper().sweep("", context_));
  clock_.advance_ms(kDayMs);
  {
    const auto lock = keeper().lock("fake", "gone", "restore", context_);
    ASSERT_TRUE(keeper().sweep("", context_));
    EXPECT_TRUE(fs::exists(data(gone)));
  }
  ASSERT_TRUE(keeper().sweep("fake.gone", context_)) << "whose lock is the caller's";
  EXPECT_FALSE(fs::exists(data(gone)));
}

TEST_F(KeeperTest, AVeryLongTimeInTheTrashIsNoShortOne) {
  const Service db = made("db");
  ASSERT_TRUE(services().set_setting(db.id, "trash-days", "200000000000"));
  ASSERT_TRUE(keeper().destroy(db, context_));
  for (int day = 0; day < 3; ++day) {
    clock_.advance_ms(kDayMs);
    ASSERT_TRUE(keeper().sweep("", context_));
  }
  EXPECT_TRUE(fs::exists(data(db)));
}

TEST_F(KeeperTest, TheTrashIsEmptiedAfterItsTime) {
  const Service db = made("db");
  ASSERT_TRUE(keeper().destroy(db, context_));
  EXPECT_TRUE(servers().empty());
  clock_.set_unix_ms(clock_.now_unix_ms() - 1'000'000);  // the clock jumps back
  ASSERT_TRUE(keeper().sweep("", context_));
  EXPECT_TRUE(fs::exists(data(db)));
  clock_.advance_ms(31 * kDayMs);
  ASSERT_TRUE(keeper().sweep("", context_));
  EXPECT_TRUE(fs::exists(data(db))) << "what is due now is removed by a later sweep";
  clock_.advance_ms(kDayMs - 1);
  ASSERT_TRUE(keeper().sweep("", context_));
  EXPECT_TRUE(fs::exists(data(db)));
  clock_.advance_ms(1);
  ASSERT_TRUE(keeper().sweep("", context_));
  EXPECT_FALSE(fs::exists(data(db)));
  EXPECT_TRUE(services().trash("").value().empty());
}

TEST_F(KeeperTest, AClockThatJumpsFarAheadEmptiesNoTrash) {
  const Service gone = made("gone");
  ASSERT_TRUE(keeper().destroy(gone, context_));
  const Service db = made("db");
  ASSERT_TRUE(keeper().import_from(db, file_of("new data"), context_));
  const UnixMs today = clock_.now_unix_ms();
  for (int jump = 0; jump < 3; ++jump) {
    clock_.set_unix_ms(today + 4000 * kDayMs);
    ASSERT_TRUE(keeper().sweep("", context_));
    clock_.set_unix_ms(today + jump);  // put right
    ASSERT_TRUE(keeper().sweep("", context_));
  }
  EXPECT_TRUE(fs::exists(data(gone)));
  EXPECT_EQ(services().generations(db.id).value().size(), 2U) << "what was there before an import, too";
}

TEST_F(KeeperTest, ATrashOfNoDaysIsEmptiedAtOnce) {
  const Service db = made("db");
  ASSERT_TRUE(services().set_setting(db.id, "trash-days", "0"));
  ASSERT_TRUE(keeper().destroy(db, context_));
  ASSERT_TRUE(keeper().sweep("", context_));
  EXPECT_FALSE(fs::exists(data(db)));
}

TEST_F(KeeperTest, TheTrashOfANameLeavesItsNewServiceAlone) {
  const Service old = made("db");
  ASSERT_TRUE(keeper().destroy(old, context_));
  clock_.advance_ms(20 * kDayMs);
  const Service db = made("db");
  for (int day = 0; day < 2; ++day) {
    clock_.advance_ms(11 * kDayMs);
    ASSERT_TRUE(keeper().sweep("", context_));
  }
  EXPECT_FALSE(fs::exists(data(old)));
  EXPECT_TRUE(fs::exists(data(db)));
  EXPECT_THAT(servers(), testing::ElementsAre("fake.db.g1.server"));
}

TEST_F(KeeperTest, ADestroyThatDiedIsFinishedByTheNextSweep) {
  const Service db = made("db");
  dies_at_ = "destroy:trashed";
  EXPECT_THROW((void)keeper().destroy(db, context_), std::runtime_error);
  dies_at_.clear();
  ASSERT_TRUE(keeper().sweep("", context_));
  EXPECT_TRUE(servers().empty());
  EXPECT_TRUE(fs::exists(data(db)));
}

TEST_F(KeeperTest, WhatWasDestroyedComesBackWithItsData) {
  const Service db = made("db");
  ASSERT_TRUE(keeper().destroy(db, context_));
  const auto back = keeper().restore(services().get(db.id).value(), "db", context_);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->port, db.port);
  EXPECT_EQ(back->state, ServiceState::kRunning);
  EXPECT_THAT(servers(), testing::ElementsAre("fake.db.g1.server"));
}

}  // namespace
}  // namespace davit
