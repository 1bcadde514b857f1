// What is done to services, and what a death in the middle of it leaves.
#include "tests/unit/service/keeper_fixture.hpp"

namespace davit {
namespace {

TEST_F(KeeperTest, ANewServiceServesTheNewestVersionAtAPortOfItsOwn) {
  const Service db = made("db-1");
  EXPECT_EQ(db.version, "2");
  EXPECT_EQ(db.database, "db_1");
  EXPECT_EQ(db.password.reveal().size(), 32U);
  EXPECT_GE(db.port, 21'000);
  const Group& group = capabilities_.runtime_fake.groups.at("fake.db-1.g1.server");
  EXPECT_EQ(group.port, db.port);
  EXPECT_EQ(group.owner_kind, OwnerKind::kService);
  EXPECT_TRUE(fs::exists(data(db)));
  struct stat info {};
  ASSERT_EQ(stat((data(db).parent_path() / "files/serve/conf").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  for (const TaskRequest& task : capabilities_.runtime_fake.tasks)
    EXPECT_THAT(task.argv, testing::Not(testing::Contains(testing::HasSubstr(db.password.reveal()))));
}

TEST_F(KeeperTest, ADatabaseOfTheServersOwnIsNotGiven) {
  kind_.facts["reserved"] = "fake system_tables";
  EXPECT_EQ(made("fake").database, "fake_db");
  EXPECT_EQ(made("system-tables").database, "system_tables_db");
  EXPECT_EQ(made("other").database, "other");
}

TEST_F(KeeperTest, AnImportThatIsCancelledLeavesNothing) {
  const Service db = made("db");
  bool cancelled = false;
  context_.cancelled = [&] { return cancelled; };
  capabilities_.runtime_fake.on_task = [&](const TaskRequest& task) {
    cancelled = cancelled || task.name == "load";
    return cancelled ? 1 : 0;
  };
  bool asked_in_vain = false;
  capabilities_.runtime_fake.on_remove = [&](const CallContext& context) {
    asked_in_vain = asked_in_vain || context.cancelled();
  };
  EXPECT_FALSE(keeper().import_from(db, file_of("new data"), context_));
  EXPECT_FALSE(asked_in_vain) << "a runtime does nothing for a call that is cancelled";
  EXPECT_THAT(servers(), testing::ElementsAre("fake.db.g1.server"));
  EXPECT_FALSE(fs::exists(data(db).parent_path().parent_path() / "g2"));
}

TEST_F(KeeperTest, AServerThatIsNotInstalledIsSaidWithWhatToDo) {
  kind_.facts["versions"] = "";
  kind_.facts["missing"] = "apt-get install fake";
  const auto failed = keeper().create({"fake", "db"}, context_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().hint, "apt-get install fake");
  EXPECT_EQ(keeper().create({"fake", "db", {"", "", "3"}}, context_).error().slug, "server-missing");
}

TEST_F(KeeperTest, ACreationThatFailsLeavesNothing) {
  for (const std::string failing : {"prepare", "probe"}) {
    capabilities_.runtime_fake.on_task = [&](const TaskRequest& task) {
      if (task.name == "probe" && failing == "probe") clock_.advance_ms(1'000'000);
      return task.name == failing ? 1 : 0;
    };
    EXPECT_FALSE(keeper().create({"fake", "db"}, context_));
    EXPECT_FALSE(services().exists("fake", "db").value());
    EXPECT_TRUE(servers().empty());
    EXPECT_TRUE(fs::is_empty(home_.services() / "fake"));
    EXPECT_TRUE(store_->ports().list().value().empty());
  }
}

TEST_F(KeeperTest, AServerThatEndsIsGivenUpAtOnce) {
  capabilities_.runtime_fake.instances_start_as = InstanceState::kBackoff;
  capabilities_.runtime_fake.on_wait = [](fakes::FakeRuntime& runtime) { ++runtime.instances.front().exits; };
  const auto failed = keeper().create({"fake", "db"}, context_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().slug, "service-crashes");
}

TEST_F(KeeperTest, AServerThatIsKilledForItsMemoryIsSaidSo) {
  const Service db = made("db");
  ASSERT_TRUE(services().set_setting(db.id, "memory", "64m"));
  capabilities_.runtime_fake.instances_start_as = InstanceState::kBackoff;
  capabilities_.runtime_fake.on_wait = [](fakes::FakeRuntime& runtime) {
    ++runtime.instances.front().exits;
    runtime.instances.front().exit_code = 128 + SIGKILL;
  };
  const auto failed = keeper().restart(db, context_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().slug, "service-memory");
  EXPECT_THAT(failed.error().text(), testing::HasSubstr("64m"));
}

TEST_F(KeeperTest, AnImportTakesThePlaceOfWhatWasThere) {
  const Service before = made("db");
  ASSERT_TRUE(keeper().import_from(before, file_of("new data"), context_));
  const Service after = now("db");
  EXPECT_EQ(after.generation, 2U);
  EXPECT_EQ(after.port, before.port) << "the address stays";
  EXPECT_THAT(servers(), testing::ElementsAre("fake.db.g2.server"));
  EXPECT_TRUE(fs::exists(data(before))) << "kept for a while";
  EXPECT_EQ(store_->ports().list().value().size(), 1U);
}

TEST_F(KeeperTest, OnlyAServerThatIsBeingFilledMayLeaveOutWhatACrashNeeds) {
  const auto is_filling = [this](const std::string& server) {
    return capabilities_.runtime_fake.groups.at(server).argv.back() == "filling";
  };
  const Service db = made("db");
  EXPECT_FALSE(is_filling("fake.db.g1.server"));
  bool filled_so = false;
  capabilities_.runtime_fake.on_task = [&](const TaskRequest& task) {
    if (task.name == "load" && !filled_so) filled_so = is_filling("fake.db.g2.server");
    return task.name != "dump" || write(task.fds[1], "dump", 4) == 4 ? 0 : 1;
  };
  ASSERT_TRUE(keeper().import_from(db, file_of("new data"), context_));
  EXPECT_TRUE(filled_so);
  EXPECT_FALSE(is_filling("fake.db.g2.server"));
  ASSERT_TRUE(keeper().clone(now("db"), {"fake", "copy"}, context_));
  EXPECT_FALSE(is_filling("fake.copy.g1.server"));
}

TEST_F(KeeperTest, WhatAKilledServerHadTakenInIsNotUsed) {
  const Service db = made("db");
  Instance& (*server)(fakes::FakeRuntime&) = [](fakes::FakeRuntime& runtime) -> Instance& {
    return runtime.instances.back();
  };
  for (const bool at_its_stop : {false, true}) {
    capabilities_.runtime_fake.on_task = [&](const TaskRequest& task) {
      Instance& filled = server(capabilities_.runtime_fake);
      if (task.name == "load" && at_its_stop) filled.exit_code = 128 + SIGKILL;
      if (task.name == "load" && !at_its_stop) ++filled.exits;
      return 0;
    };
    const auto failed = keeper().import_from(db, file_of("new data"), context_);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().slug, "service-crashes");
    EXPECT_EQ(now("db").generation, 1U);
    EXPECT_THAT(servers(), testing::ElementsAre("fake.db.g1.server"));
  }
}

TEST_F(KeeperTest, AnImportThatFailsLeavesWhatWasThere) {
  const Service db = made("db");
  capabilities_.runtime_fake.on_task = [](const TaskRequest& task) { return task.name == "load" ? 3 : 0; };
  EXPECT_FALSE(keeper().import_from(db, file_of("half of it"), context_));
  EXPECT_EQ(now("db").generation, 1U);
  EXPECT_THAT(servers(), testing::ElementsAre("fake.db.g1.server"));
  EXPECT_FALSE(fs::exists(data(db).parent_path().parent_path() / "g2"));
  EXPECT_EQ(store_->ports().list().value().size(), 1U);
}

TEST_F(KeeperTest, AFullDiskIsSaidAndLeavesWhatWasThere) {
  const Service db = made("db");
  capabilities_.runtime_fake.on_task = [](const TaskRequest& task) {
    if (task.name == "load") task.err("could not extend file \"base/5/1\": No space left on device\n");
    return task.name == "load" ? 1 : 0;
  };
  const auto failed = keeper().import_from(db, file_of("too much"), context_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().slug, "disk-full");
  EXPECT_EQ(now("db").generation, 1U);
  EXPECT_THAT(servers(), testing::ElementsAre("fake.db.g1.server"));
  EXPECT_FALSE(fs::exists(data(db).parent_path().parent_path() / "g2"));
}

TEST_F(KeeperTest, AServerThatDoesNotComeUpOnTheNewDataGoesBackToTheOld) {
  const Service db = made("db");
  capabilities_.runtime_fake.on_task = [&](const TaskRequest& task) {
    const bool serves_new = now("db").generation == 2;
    if (task.name == "probe" && serves_new) clock_.advance_ms(1'000'000);
    return task.name == "probe" && serves_new ? 1 : 0;
  };
  EXPECT_FALSE(keeper().import_from(db, file_of("x"), context_));
  EXPECT_EQ(now("db").generation, 1U);
  EXPECT_THAT(servers(), testing::ElementsAre("fake.db.g1.server"));
}

TEST_F(KeeperTest, ADeathAtAnyMomentIsSettledByTheNextCommand) {
  for (const std::string point : {"build:raised", "switch:stopped", "switch:recorded"}) {
    const std::string name = "db-" + point.substr(point.find(':') + 1);
    const Service db = made(name);
    dies_at_ = point;
    EXPECT_THROW((void)keeper().import_from(db, file_of("x"), context_), std::runtime_error);
    dies_at_.clear();
    { const auto lock = keeper().lock("fake", name, "info", context_); }
    const Service settled = now(name);
    EXPECT_THAT(servers(),
                testing::Contains("fake." + name + ".g" + std::to_string(settled.generation) + ".server"));
    EXPECT_EQ(capabilities_.runtime_fake.groups.count("fake." + name + ".g" +
                                                      std::to_string(3 - settled.generation) + ".server"),
              0U);
  }
}

TEST_F(KeeperTest, ACreationThatDiedIsRemoved) {
  dies_at_ = "create:raised";
  EXPECT_THROW((void)keeper().create({"fake", "db"}, context_), std::runtime_error);
  dies_at_.clear();
  { const auto lock = keeper().lock("fake", "db", "create", context_); }
  EXPECT_TRUE(servers().empty());
  made("db");
}

TEST_F(KeeperTest, OnContainersAnImageServes) {
  capabilities_.runtime_fake.facts = {{"isolation", "container"}};
  kind_.facts["image"] = "fake";
  kind_.facts["packages"] = "fake-server fake-client";
  const auto image_of = [&](const std::string& name, const WantedServer& wanted) {
    const auto made = keeper().create({"fake", name, wanted}, context_);
    return made ? capabilities_.runtime_fake.groups.at("fake." + name + ".g1.server").artifact.stack
                : made.error().text();
  };
  const std::string ours = image_of("own", {});
  EXPECT_THAT(ours, testing::StartsWith("service-fake-"));
  EXPECT_THAT(capabilities_.runtime_fake.stacks,
              testing::ElementsAre(testing::Pair(ours, testing::ElementsAre("fake-server", "fake-client"))));
  EXPECT_EQ(image_of("official", {"", "", "16"}), "fake:16");
  EXPECT_EQ(image_of("other", {"", "host:5/my/fake", "3"}), "host:5/my/fake:3");
  EXPECT_EQ(image_of("latest", {"", "fake", ""}), "fake:latest");
  EXPECT_EQ(shown_version(now("official").version), "fake:16");
  capabilities_.runtime_fake.on_task = [](const TaskRequest& task) {
    EXPECT_TRUE(task.name != "dump" || ::write(task.fds[1], "data", 4) == 4);
    return 0;
  };
  ASSERT_TRUE(keeper().upgrade(now("official"), {"", "", "17"}, context_));
  EXPECT_EQ(now("official").version, "image:fake:17");
}

TEST_F(KeeperTest, AKindWithoutImagesIsServedOnTheMachine) {
  capabilities_.runtime_fake.facts = {{"isolation", "container"}};
  EXPECT_EQ(keeper().create({"fake", "db"}, context_).error().message, "Runtime process is not enabled");
  EXPECT_EQ(keeper().create({"fake", "db", {"fake-runtime", "", ""}}, context_).error().slug, "no-image");
}

TEST_F(KeeperTest, ARenamedServiceKeepsAllButItsName) {
  const Service db = made("db");
  const Service taken = made("taken");
  ASSERT_TRUE(keeper().rename(db, "other", context_));
  EXPECT_EQ(now("other").id, db.id);
  EXPECT_EQ(now("other").port, db.port);
  EXPECT_THAT(servers(), testing::ElementsAre("fake.other.g1.server", "fake.taken.g1.server"));
  EXPECT_EQ(keeper().rename(now("other"), "taken", context_).error().slug, "service-taken");
  EXPECT_THAT(servers(), testing::ElementsAre("fake.other.g1.server", "fake.taken.g1.server"));
  for (const std::string point : {"rename:stopped", "rename:recorded"}) {
    dies_at_ = point;
    EXPECT_THROW((void)keeper().rename(now("other"), "third", context_), std::runtime_error);
    dies_at_.clear();
    const std::string has = services().get(db.id).value().name;
    { const auto lock = keeper().lock("fake", has, "info", context_); }
    EXPECT_THAT(servers(), testing::Contains("fake." + has + ".g1.server"));
  }
}

}  // namespace
}  // namespace davit
