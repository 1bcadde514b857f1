// An app gets another name while it answers.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

namespace fs = std::filesystem;

constexpr const char* kRequest = R"({"from":"shop","to":"store"})";

class Rename : public Story {
 protected:
  static std::vector<std::string> answers(World& world, const std::string& app) {
    std::vector<std::string> found;
    const auto route = world.plugins.proxy_fake.routes.find(app);
    if (route == world.plugins.proxy_fake.routes.end()) return found;
    for (const Endpoint& endpoint : route->second.endpoints) found.push_back(endpoint.instance);
    return found;
  }
  static std::string name_of_app(World& world) { return must(world.store().apps().get(world.shop.id)).name; }
  static bool has_slug(World& world, const std::string& app) { return !fs::is_empty(world.home.slugs(app)); }

  static void expect_new(World& world) {
    const App app = must(world.store().apps().get(world.shop.id));
    EXPECT_EQ(app.name, "store");
    EXPECT_EQ(app.other_name, "") << "others may have the old name";
    EXPECT_THAT(world.instances(), ElementsAre("store.d2.web.1"));
    EXPECT_THAT(answers(world, "store"), ElementsAre("store.d2.web.1"));
    EXPECT_EQ(world.plugins.proxy_fake.routes.count("shop"), 0U);
    EXPECT_THAT(world.plugins.proxy_fake.routes.at("store").hosts, ElementsAre("store.example.com"));
    EXPECT_FALSE(fs::exists(world.home.slugs("shop")));
    const Release live = *must(world.store().releases().current(world.shop.id));
    EXPECT_EQ(live.version, 1U) << "it is the same release";
    EXPECT_TRUE(fs::exists(world.home.root / live.spec.artifact.ref)) << live.spec.artifact.ref;
    EXPECT_EQ(world.sources.renamed_to, "store");
  }
  static void expect_old(World& world) {
    const App app = must(world.store().apps().get(world.shop.id));
    EXPECT_EQ(app.name, "shop");
    EXPECT_EQ(app.other_name, "");
    EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1"));
    EXPECT_THAT(answers(world, "shop"), ElementsAre("shop.d1.web.1"));
    EXPECT_EQ(world.plugins.proxy_fake.routes.count("store"), 0U);
    EXPECT_FALSE(fs::exists(world.home.slugs("store")));
    EXPECT_TRUE(has_slug(world, "shop"));
  }
};

TEST_F(Rename, LaunchesUnderTheNewNameAndSwitches) {
  must(world.push(kFirst));
  bool both = false;
  world.record.on("proxy.apply", [&] { both = world.instances().size() == 2; });
  must(world.deploy("rename", kRequest));
  EXPECT_TRUE(both);
  expect_new(world);
  EXPECT_THAT(world.record.calls, Contains("proxy.drain shop.d1=1")) << "the old one finishes its requests";
}

TEST_F(Rename, EverythingWorksUnderTheNewName) {
  must(world.push(kFirst));
  must(world.store().config().set_many(world.shop.id, {{"A", Secret("1")}}));
  must(world.deploy("rename", kRequest));
  must(world.deploy("scale", R"({"formation":{"web":2}})"));
  EXPECT_THAT(world.instances(), ElementsAre("store.d2.web.1", "store.d2.web.2"));
  must(world.deploy("config"));
  must(world.deploy("rollback"));
  EXPECT_THAT(answers(world, "store"), ElementsAre("store.d5.web.1", "store.d5.web.2"));
  must(world.deploy("rename", R"({"from":"store","to":"shop"})"));
  EXPECT_EQ(name_of_app(world), "shop");
  EXPECT_THAT(world.answering(), ElementsAre("shop.d6.web.1", "shop.d6.web.2"));
}

TEST_F(Rename, ItsOwnDomainsGoWithIt) {
  must(world.store().domains().add(world.shop.id, {"shop.test"}));
  must(world.push(kFirst));
  must(world.deploy("rename", kRequest));
  EXPECT_THAT(world.plugins.proxy_fake.routes.at("store").hosts, ElementsAre("shop.test"));
}

TEST_F(Rename, ADefaultNameAmongItsOwnGoesWithTheSwitch) {
  const auto own = [&] { return must(world.store().domains().list(world.shop.id)); };
  must(world.store().domains().add(world.shop.id, {"shop.example.com", "shop.test"}));
  must(world.push(kFirst));
  must(world.deploy("rename", kRequest));
  EXPECT_THAT(world.plugins.proxy_fake.routes.at("store").hosts,
              ElementsAre("store.example.com", "shop.test"));
  EXPECT_THAT(own(), ElementsAre("store.example.com", "shop.test"));
  // The new name is the app's already: the old one stays beside it.
  must(world.store().domains().add(world.shop.id, {"shop.example.com"}));
  must(world.deploy("rename", R"({"from":"store","to":"shop"})"));
  EXPECT_EQ(world.plugins.proxy_fake.routes.at("shop").hosts, own());
}

TEST_F(Rename, OneThatWasNeverDeployedJustGetsAnotherName) {
  must(world.deploy("rename", kRequest));
  EXPECT_EQ(name_of_app(world), "store");
  EXPECT_THAT(world.plugins.proxy_fake.routes, IsEmpty());
  EXPECT_THAT(world.instances(), IsEmpty());
}

TEST_F(Rename, WhatIsStoppedStaysStopped) {
  must(world.push(kFirst));
  must(world.deploy("stop"));
  must(world.deploy("rename", kRequest));
  EXPECT_THAT(world.instances(), IsEmpty());
  EXPECT_EQ(world.plugins.proxy_fake.routes.count("shop"), 0U);
  must(world.deploy("start"));
  EXPECT_THAT(answers(world, "store"), ElementsAre("store.d4.web.1"));
}

TEST_F(Rename, ANameThatIsTakenChangesNothing) {
  must(world.push(kFirst));
  must(world.store().apps().create("store"));
  const auto done = world.deploy("rename", kRequest);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "name-taken");
  EXPECT_EQ(must(world.store().apps().get("store")).id, must(world.store().apps().get("store")).id);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

TEST_F(Rename, IsRefusedWhileADetachedRunGoesOn) {
  must(world.push(kFirst));
  world.begin_run(world.plugins.runtime_fake, "r1");
  must(world.store().properties().set(world.shop.id, "ps", "runtime", "other-runtime"));
  must(world.deploy("restart"));
  const auto done = world.deploy("rename", kRequest);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "run-goes-on");
  EXPECT_EQ(name_of_app(world), "shop");
  EXPECT_THAT(world.instances(), ElementsAre("shop.d2.web.1", "shop.r1.run.1"));
  world.plugins.runtime_fake.instances.front().state = InstanceState::kExited;
  must(world.deploy("rename", kRequest));
  EXPECT_THAT(world.instances(), ElementsAre("store.d4.web.1")) << "one that has ended is forgotten";
}

TEST_F(Rename, AFailedStartLeavesTheOldName) {
  must(world.push(kFirst));
  const auto before = world.picture();
  world.plugins.runtime_fake.exits_at_start = 2;
  ASSERT_FALSE(world.deploy("rename", kRequest));
  EXPECT_EQ(world.picture(), before);
  expect_old(world);
}

TEST_F(Rename, PluginsCopyAndTakeBack) {
  for (const auto event : {event_id::kAppCopy})
    world.bus.subscribe(event, std::make_unique<fakes::FakeHook>(world.record, world.marks, "acme"));
  must(world.push(kFirst));
  world.record.fail_next("proxy.apply", Error{Code::kFailed, "no", {}, {}, {}});
  ASSERT_FALSE(world.deploy("rename", kRequest));
  EXPECT_THAT(world.marks, IsEmpty());
  must(world.deploy("rename", kRequest));
  EXPECT_THAT(world.marks, Not(IsEmpty()));
}

TEST_F(Rename, SurvivesEveryDeath) {
  must(world.push(kFirst));
  must(world.deploy("rename", kRequest));
  ASSERT_THAT(world.points, Contains("rename/host/app.rename:acted"));
  for (const std::string& point : world.points) {
    SCOPED_TRACE(point);
    World other;
    must(other.push(kFirst));
    const auto before = other.picture();
    ASSERT_TRUE(other.deploy_and_die("rename", kRequest, point));
    must(other.recover());
    if (other.state() == DeploymentState::kDone) {
      expect_new(other);
      continue;
    }
    EXPECT_EQ(other.picture(), before);
    expect_old(other);
    must(other.store().apps().create("store"));  // nothing keeps the name
  }
}

// Between the act of one thing and the record of it.
TEST_F(Rename, SurvivesADeathInTheMiddleOfMovingFiles) {
  must(world.push(kFirst));
  world.record.on("sources.rename", [] { throw Died{}; });
  EXPECT_THROW((void)world.deploy("rename", kRequest), Died);
  world.record.on("sources.rename", [] {});
  world.owner_dies();
  EXPECT_EQ(name_of_app(world), "store") << "the switch was recorded";
  must(world.recover());
  expect_new(world);
}

}  // namespace
}  // namespace davit::scenario
