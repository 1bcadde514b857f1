// What is done to services, on fakes: a kind whose programs are words, and a runtime that keeps its world in
// memory.
#include "service/keeper.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/fakes/fake_capabilities.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_probe.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;

class FakeKind final : public ServiceKind {
 public:
  [[nodiscard]] std::string_view id() const override { return "fake"; }
  Result<TextMap> describe(const CallContext&) override { return facts; }
  Result<ServiceProgram> program(ServiceProgramKind kind, const ServiceFacts& facts,
                                 const CallContext&) override {
    ServiceProgram program;
    if (kind == ServiceProgramKind::kSetup) return program;
    program.argv = {"program", std::to_string(static_cast<unsigned>(kind)), std::to_string(facts.port)};
    program.env["PASSWORD"] = facts.password.reveal();
    if (facts.filling) program.argv.emplace_back("filling");
    if (kind == ServiceProgramKind::kServe) program.files["conf"] = "secret";
    return program;
  }
  TextMap facts{{"scheme", "fake"}, {"username", "u"}, {"database", "name"}, {"versions", "1 2"}};
};

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() {
    std::string name = (fs::temp_directory_path() / "davit-service-XXXXXX").string();
    home_.root = mkdtemp(name.data());
    store_.emplace(std::move(*Store::open(home_.database(), StoreMode::kCreate, clock_)));
    capabilities_.service = &kind_;
    settings_.port_first = 21'000;
    settings_.port_last = 21'999;
  }
  ~KeeperTest() override { fs::remove_all(home_.root); }

  ServiceWorld world() {
    return {.store = *store_,
            .capabilities = capabilities_,
            .probe = probe_,
            .clock = clock_,
            .home = home_,
            .settings = settings_,
            .to_the_end = [this] { context_.cancelled = [] { return false; }; },
            .failpoint =
                [this](std::string_view point) {
                  if (point == dies_at_) throw std::runtime_error("died");
                }};
  }
  ServiceKeeper keeper() { return ServiceKeeper(world()); }
  Services& services() { return store_->services(); }
  Service made(const std::string& name) {
    auto service = keeper().create({"fake", name}, context_);
    if (!service) throw std::runtime_error(service.error().text());
    return *service;
  }
  Service now(const std::string& name) { return services().get("fake", name).value(); }
  fs::path data(const Service& service) { return keeper().current(service).data(); }
  /// Bytes that a dump of the fake writes, and that a load reads.
  int file_of(const std::string& text) {
    const fs::path path = home_.root / "stream";
    FILE* file = fopen(path.c_str(), "w+");
    fputs(text.c_str(), file);
    rewind(file);
    return fileno(file);
  }
  [[nodiscard]] std::vector<std::string> servers() const {
    std::vector<std::string> names;
    for (const auto& [name, group] : capabilities_.runtime_fake.groups) names.push_back(name);
    return names;
  }

  Home home_;
  fakes::FakeClock clock_;
  std::optional<Store> store_;
  FakeKind kind_;
  fakes::FakeCapabilities capabilities_;
  fakes::FakeProbe probe_;
  HostSettings settings_;
  fakes::RecordedOutput out_;
  CallContext context_{.actor = "test", .app = {}, .deployment = {}, .out = out_};
  std::string dies_at_;
};

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

TEST_F(KeeperTest, ABackupIsKeptAlsoWhenTheClockWentBack) {
  const Service db = made("db");
  capabilities_.runtime_fake.on_task = [](const TaskRequest& task) {
    return task.name == "dump" && ::write(task.fds[1], "data", 4) != 4 ? 1 : 0;
  };
  ASSERT_TRUE(services().set_setting(db.id, "backup-keep", "2"));
  const fs::path folder = keeper().backup_folder(db);
  std::vector<fs::path> taken;
  for (const std::int64_t jump_ms : {0LL, 5'000LL, -3'600'000LL, 1'000LL}) {
    clock_.set_unix_ms(clock_.now_unix_ms() + jump_ms);
    const auto one = keeper().backup(db, folder, context_);
    ASSERT_TRUE(one);
    taken.push_back(*one);
    EXPECT_TRUE(fs::exists(*one)) << *one;
    EXPECT_LE(keeper().backups_in(db, folder).size(), 2U);
  }
  EXPECT_TRUE(fs::exists(taken.back().replace_extension(".fingerprint")));
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

TEST_F(KeeperTest, TheTrashIsEmptiedAfterItsTime) {
  const Service db = made("db");
  ASSERT_TRUE(keeper().destroy(db, context_));
  EXPECT_TRUE(servers().empty());
  clock_.set_unix_ms(clock_.now_unix_ms() - 1'000'000);  // the clock jumps back
  ASSERT_TRUE(keeper().sweep(context_));
  EXPECT_TRUE(fs::exists(data(db)));
  clock_.advance_ms(31 * kDayMs);
  ASSERT_TRUE(keeper().sweep(context_));
  EXPECT_TRUE(fs::exists(data(db))) << "what is due now is removed by a later sweep";
  clock_.advance_ms(kDayMs - 1);
  ASSERT_TRUE(keeper().sweep(context_));
  EXPECT_TRUE(fs::exists(data(db)));
  clock_.advance_ms(1);
  ASSERT_TRUE(keeper().sweep(context_));
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
    ASSERT_TRUE(keeper().sweep(context_));
    clock_.set_unix_ms(today + jump);  // put right
    ASSERT_TRUE(keeper().sweep(context_));
  }
  EXPECT_TRUE(fs::exists(data(gone)));
  EXPECT_EQ(services().generations(db.id).value().size(), 2U) << "what was there before an import, too";
}

TEST_F(KeeperTest, ATrashOfNoDaysIsEmptiedAtOnce) {
  const Service db = made("db");
  ASSERT_TRUE(services().set_setting(db.id, "trash-days", "0"));
  ASSERT_TRUE(keeper().destroy(db, context_));
  ASSERT_TRUE(keeper().sweep(context_));
  EXPECT_FALSE(fs::exists(data(db)));
}

TEST_F(KeeperTest, TheTrashOfANameLeavesItsNewServiceAlone) {
  const Service old = made("db");
  ASSERT_TRUE(keeper().destroy(old, context_));
  clock_.advance_ms(20 * kDayMs);
  const Service db = made("db");
  for (int day = 0; day < 2; ++day) {
    clock_.advance_ms(11 * kDayMs);
    ASSERT_TRUE(keeper().sweep(context_));
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
  ASSERT_TRUE(keeper().sweep(context_));
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
