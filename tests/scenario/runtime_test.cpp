// An app moves to another runtime while it answers, and back.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Move : public Story {
 protected:
  static void choose(World& world, const std::string& id) {
    must(world.store().properties().set(world.shop.id, "ps", "runtime", id));
  }
  static std::vector<std::string> ids(const fakes::FakeRuntime& runtime) {
    std::vector<std::string> found;
    for (const Instance& instance : runtime.instances) found.push_back(instance.id);
    return found;
  }
};

TEST_F(Move, ARestartMovesBesideTheOldAndIsARelease) {
  must(world.push(kFirst));
  choose(world, "other-runtime");
  bool both = false;
  world.record.on("proxy.apply", [&] {
    both = !world.plugins.runtime_fake.instances.empty() && !world.plugins.other_runtime.instances.empty();
  });
  must(world.deploy("restart"));
  EXPECT_TRUE(both) << "old and new are both there at the switch";
  EXPECT_THAT(ids(world.plugins.runtime_fake), IsEmpty()) << "stopped by the runtime that launched them";
  EXPECT_THAT(ids(world.plugins.other_runtime), ElementsAre("shop.d2.web.1"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d2.web.1"));
  const Release live = *must(world.store().releases().current(world.shop.id));
  EXPECT_EQ(live.version, 2U);
  EXPECT_EQ(live.spec.runtime, "other-runtime");
  EXPECT_EQ(live.spec.description, "Move to other-runtime");
}

TEST_F(Move, NothingChangesWithoutARestart) {
  must(world.push(kFirst));
  choose(world, "other-runtime");
  must(world.deploy("scale", R"({"formation":{"web":2}})"));
  EXPECT_EQ(ids(world.plugins.runtime_fake).size(), 2U);
  EXPECT_THAT(ids(world.plugins.other_runtime), IsEmpty());
}

TEST_F(Move, AScaleAndAStopGoWhereItRuns) {
  must(world.push(kFirst));
  choose(world, "other-runtime");
  must(world.deploy("restart"));
  must(world.deploy("scale", R"({"formation":{"web":3}})"));
  EXPECT_EQ(ids(world.plugins.other_runtime).size(), 3U);
  choose(world, "fake-runtime");
  must(world.deploy("stop"));
  EXPECT_THAT(world.instances(), IsEmpty());
}

TEST_F(Move, ARollbackGoesBackToWhereTheReleaseRan) {
  must(world.push(kFirst));
  choose(world, "other-runtime");
  must(world.deploy("restart"));
  must(world.deploy("rollback"));
  EXPECT_EQ(ids(world.plugins.runtime_fake).size(), 1U);
  EXPECT_THAT(ids(world.plugins.other_runtime), IsEmpty());
  must(world.deploy("restart"));
  EXPECT_EQ(ids(world.plugins.runtime_fake).size(), 1U) << "and it stays there";
}

TEST_F(Move, ARollbackToARuntimeThatIsGoneStaysWhereItIs) {
  choose(world, "other-runtime");
  must(world.push(kFirst));
  choose(world, "fake-runtime");
  must(world.push(kSecond));
  world.plugins.has_other_runtime = false;
  must(world.deploy("rollback"));
  EXPECT_THAT(ids(world.plugins.runtime_fake), ElementsAre("shop.d3.web.1"));
}

TEST_F(Move, AFailureLeavesTheOldRuntimeAnswering) {
  must(world.push(kFirst));
  choose(world, "other-runtime");
  const auto before = world.picture();
  world.plugins.other_runtime.exits_at_start = 2;
  ASSERT_FALSE(world.deploy("restart"));
  EXPECT_EQ(world.picture(), before);
}

TEST_F(Move, ARuntimeThatIsNotEnabledFailsAtOnce) {
  must(world.push(kFirst));
  choose(world, "third");
  const auto before = world.picture();
  ASSERT_FALSE(world.deploy("restart"));
  EXPECT_EQ(world.picture(), before);
}

TEST_F(Move, AnImageIsNotMovedToWhereNoneRuns) {
  world.plugins.builder_fake.on_build = nullptr;
  world.plugins.builder_fake.output.artifact = {ArtifactRef::Kind::kImage, "registry/shop", "sha256:1", {}};
  world.plugins.runtime_fake.takes_images = true;
  must(world.push(kFirst));
  choose(world, "other-runtime");
  must(world.store().properties().set(world.shop.id, "ps", "replacement", "stop-first"));
  const auto before = world.picture();
  for (const char* kind : {"restart", "config"}) {
    const auto done = world.deploy(kind);
    ASSERT_FALSE(done) << kind;
    EXPECT_EQ(done.error().slug, "runtime-without-images");
    EXPECT_EQ(done.error().hint, "Set it back: davit ps:set shop runtime fake-runtime");
    EXPECT_EQ(world.picture(), before);
    EXPECT_FALSE(world.record.has("runtime.stop shop.d1.web"));
  }
  choose(world, "fake-runtime");
  must(world.deploy("restart"));
}

TEST_F(Move, StorageIsNeverHadByBothRuntimes) {
  std::filesystem::create_directories(world.home.storage() / "data");
  must(world.store().mounts().add(world.shop.id, {"data", "/data", false, false, false}));
  must(world.push(kFirst));
  world.record.on("runtime.apply", [&] {
    for (const auto* runtime : {&world.plugins.runtime_fake, &world.plugins.other_runtime}) {
      for (const Instance& instance : runtime->instances) {
        if (instance.revision == world.last().id) continue;
        EXPECT_EQ(instance.state, InstanceState::kExited) << instance.id;
      }
    }
  });
  choose(world, "other-runtime");
  must(world.deploy("restart"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d2.web.1"));
  choose(world, "fake-runtime");
  must(world.deploy("restart"));
  EXPECT_THAT(ids(world.plugins.other_runtime), IsEmpty());
  EXPECT_THAT(ids(world.plugins.runtime_fake), ElementsAre("shop.d3.web.1"));
}

TEST_F(Move, SurvivesEveryDeath) {
  must(world.push(kFirst));
  choose(world, "other-runtime");
  must(world.deploy("restart"));
  ASSERT_THAT(world.points, Contains("launch/host/process.start:acted"));
  for (const std::string& point : world.points) {
    SCOPED_TRACE(point);
    World other;
    must(other.push(kFirst));
    choose(other, "other-runtime");
    const auto before = other.picture();
    ASSERT_TRUE(other.deploy_and_die("restart", "{}", point));
    must(other.recover());
    EXPECT_EQ(other.answering().size(), 1U);
    const bool moved = other.state() == DeploymentState::kDone;
    EXPECT_EQ(ids(other.plugins.runtime_fake).size(), moved ? 0U : 1U);
    EXPECT_EQ(ids(other.plugins.other_runtime).size(), moved ? 1U : 0U);
    if (moved) continue;
    EXPECT_EQ(other.picture(), before);
  }
}

TEST_F(Move, ARunThatStayedBehindIsToldOfWhereStorageIsNotShared) {
  std::filesystem::create_directories(world.home.storage() / "data");
  must(world.store().mounts().add(world.shop.id, {"data", "/data", false, false, false}));
  must(world.push());
  choose(world, "other-runtime");
  must(world.deploy("restart"));
  world.begin_run(world.plugins.runtime_fake, "r1");
  must(world.push());
  EXPECT_THAT(world.out.warnings, Contains(HasSubstr("davit run:stop shop shop.r1.run.1")));
}

}  // namespace
}  // namespace davit::scenario
