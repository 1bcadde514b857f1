// Storage over deployments: what new instances get, and that two releases never have it at once.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class StorageStory : public Story {
 protected:
  void SetUp() override { std::filesystem::create_directories(world.home.storage() / "data"); }
  void mount(bool shared = false) {
    must(world.store().mounts().add(world.shop.id, {"data", "/data", false, shared, false}));
  }
  /// Fails the test if a second revision is alive when one starts.
  void watch_for_two() {
    world.record.on("runtime.apply", [this] {
      for (const Instance& instance : world.plugins.runtime_fake.instances) {
        if (instance.revision == world.last().id) continue;
        EXPECT_EQ(instance.state, InstanceState::kExited) << instance.id;
      }
    });
  }
  [[nodiscard]] const Group& group(const std::string& name) {
    return world.plugins.runtime_fake.groups.at(name);
  }
  bool stopped_first() {
    return std::ranges::any_of(world.record.calls,
                               [](const std::string& call) { return call.starts_with("runtime.stop"); });
  }
};

TEST_F(StorageStory, InstancesGetTheMounts) {
  mount();
  must(world.push(kFirst));
  ASSERT_EQ(group("shop.d1.web").mounts.size(), 1U);
  EXPECT_EQ(group("shop.d1.web").mounts[0].source, (world.home.storage() / "data").string());
  EXPECT_EQ(group("shop.d1.web").mounts[0].target, "/data");
  EXPECT_FALSE(stopped_first()) << "nothing ran";
}

TEST_F(StorageStory, ANewReleaseWaitsForTheEndOfTheOldOne) {
  mount();
  must(world.push(kFirst));
  watch_for_two();
  must(world.push(kSecond));
  EXPECT_TRUE(stopped_first());
  EXPECT_THAT(world.out.steps, Contains(HasSubstr("is not for two releases at once")));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d2.web.1"));
}

TEST_F(StorageStory, ALinkToItIsIt) {
  const std::string data = (world.home.storage() / "data").string();
  const std::filesystem::path link = world.home.root / "link";
  std::filesystem::create_directory_symlink(data, link);
  must(world.store().mounts().add(world.shop.id, {data, "/data", false, false, false}));
  must(world.push(kFirst));
  must(world.store().mounts().remove(world.shop.id, data, "/data"));
  must(world.store().mounts().add(world.shop.id, {link.string(), "/data", false, false, false}));
  watch_for_two();
  must(world.deploy("restart"));
  EXPECT_TRUE(stopped_first());
  // What the link led to then is what the old release has.
  std::filesystem::remove(link);
  must(world.store().mounts().remove(world.shop.id, link.string(), "/data"));
  must(world.store().mounts().add(world.shop.id, {"data", "/data", false, false, false}));
  world.record.calls.clear();
  must(world.deploy("restart"));
  EXPECT_TRUE(stopped_first());
}

TEST_F(StorageStory, ADetachedRunThatMayHaveItIsNamed) {
  mount();
  must(world.store().formation().set_many(world.shop.id, {{"worker", 0}}));
  must(world.push(kFirst));
  auto& instances = world.plugins.runtime_fake.instances;
  const auto add = [&](const std::string& revision, InstanceState state) {
    Instance run;
    run.id = "shop." + revision + ".run.1";
    run.revision = revision;
    run.process_type = "run";
    run.number = 1;
    run.state = state;
    instances.push_back(run);
  };
  add("r1", InstanceState::kUp);
  add("r2", InstanceState::kExited);
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  must(world.push(kSecond));
  EXPECT_THAT(world.out.warnings, ElementsAre(HasSubstr("shop.r1.run.1")));
  EXPECT_THAT(world.instances(), Contains("shop.r1.run.1")) << "it is the user's";
  world.out.warnings.clear();
  must(world.store().mounts().remove(world.shop.id, "data", "/data"));
  must(world.deploy("restart"));
  EXPECT_THAT(world.out.warnings, testing::IsEmpty()) << "nothing is contended";
}

TEST_F(StorageStory, ARestartIsTwoRevisionsToo) {
  mount();
  must(world.push(kFirst));
  watch_for_two();
  must(world.deploy("restart"));
  EXPECT_THAT(world.answering(), ElementsAre("shop.d2.web.1"));
}

TEST_F(StorageStory, SharedStorageIsReplacedBesideTheOld) {
  mount(true);
  must(world.push(kFirst));
  must(world.push(kSecond));
  EXPECT_FALSE(stopped_first());
}

TEST_F(StorageStory, WhatWasMountedSinceNeedsNoStop) {
  must(world.push(kFirst));
  mount();
  must(world.push(kSecond));
  EXPECT_FALSE(stopped_first()) << "the old release never had it";
  EXPECT_EQ(group("shop.d2.web").mounts.size(), 1U);
}

TEST_F(StorageStory, WhatIsUnmountedNeedsNoStop) {
  mount();
  must(world.push(kFirst));
  must(world.store().mounts().remove(world.shop.id, "data", "/data"));
  must(world.push(kSecond));
  EXPECT_FALSE(stopped_first());
  EXPECT_TRUE(group("shop.d2.web").mounts.empty());
}

TEST_F(StorageStory, AScaleGivesWhatTheOthersHave) {
  must(world.push(kFirst));
  mount();
  must(world.deploy("scale", R"({"formation":{"web":2,"worker":1}})"));
  EXPECT_TRUE(group("shop.d1.web").mounts.empty());
  EXPECT_TRUE(group("shop.d1.worker").mounts.empty());
  must(world.deploy("restart"));
  must(world.store().mounts().remove(world.shop.id, "data", "/data"));
  must(world.deploy("scale", R"({"formation":{"web":3}})"));
  EXPECT_EQ(group("shop.d3.web").mounts.size(), 1U);
  EXPECT_FALSE(stopped_first()) << "one release may have many instances";
}

TEST_F(StorageStory, AReleaseCommandGetsItAfterTheOldReleaseStopped) {
  mount();
  must(world.push(kFirst));
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  bool ran = false;
  world.plugins.runtime_fake.on_task = [&](const TaskRequest& task) {
    ran = true;
    EXPECT_EQ(task.mounts.size(), 1U);
    for (const Instance& instance : world.plugins.runtime_fake.instances)
      EXPECT_EQ(instance.state, InstanceState::kExited) << instance.id;
    return 0;
  };
  must(world.push(kSecond));
  EXPECT_TRUE(ran);
}

TEST_F(StorageStory, AFailedReleaseCommandBringsTheOldReleaseBack) {
  mount();
  must(world.push(kFirst));
  const auto before = world.picture();
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  world.plugins.runtime_fake.on_task = [](const TaskRequest&) { return 1; };
  ASSERT_FALSE(world.push(kSecond));
  EXPECT_EQ(world.picture(), before);
  for (const Instance& instance : world.plugins.runtime_fake.instances)
    EXPECT_EQ(instance.state, InstanceState::kUp) << instance.id;
}

TEST_F(StorageStory, AFolderThatIsGoneFailsTheDeployBeforeAnythingStops) {
  mount();
  must(world.push(kFirst));
  const auto before = world.picture();
  std::filesystem::remove(world.home.storage() / "data");
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "mount-source");
  EXPECT_FALSE(stopped_first());
  EXPECT_EQ(world.picture(), before);
}

TEST_F(StorageStory, OneOfBeforeThatWouldHideDavitsOwnFailsTheDeployBeforeAnythingStops) {
  mount();
  must(world.push(kFirst));
  must(world.store().mounts().add(world.shop.id, {"data", "/run", false, false, false}));
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "mount-invalid");
  EXPECT_THAT(done.error().hint, HasSubstr("storage:unmount"));
  EXPECT_FALSE(stopped_first());
}

TEST_F(StorageStory, ALinkThatWasNoneIsRefusedIfItCameOverSsh) {
  must(world.store().mounts().add(world.shop.id, {"data", "/data", false, false, true}));
  must(world.push(kFirst));
  std::filesystem::remove(world.home.storage() / "data");
  std::filesystem::create_directory_symlink(world.home.root, world.home.storage() / "data");
  const auto done = world.push(kSecond);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "mount-denied");
}

// Wherever it dies, the old release is back or the new one runs, and never both.
TEST_F(StorageStory, SurvivesEveryDeath) {
  mount();
  must(world.push(kFirst));
  must(world.deploy("restart"));
  for (const std::string& point : world.points) {
    SCOPED_TRACE(point);
    World other;
    std::filesystem::create_directories(other.home.storage() / "data");
    must(other.store().mounts().add(other.shop.id, {"data", "/data", false, false, false}));
    must(other.push(kFirst));
    const auto before = other.picture();
    ASSERT_TRUE(other.deploy_and_die("restart", "{}", point));
    must(other.recover());
    ASSERT_EQ(other.answering().size(), 1U);
    std::set<std::string> revisions;
    for (const Instance& instance : other.plugins.runtime_fake.instances) {
      EXPECT_EQ(instance.state, InstanceState::kUp) << instance.id;
      revisions.insert(instance.revision);
    }
    EXPECT_EQ(revisions.size(), 1U);
    if (other.state() == DeploymentState::kDone) continue;
    EXPECT_EQ(other.picture(), before);
  }
}

}  // namespace
}  // namespace davit::scenario
