// What an app says of itself in app.json: formation, scripts, variables. A deployment takes it over whole, or
// not at all.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Manifest : public Story {
 protected:
  void app_json(const std::string& text, const char* revision = kFirst) {
    world.sources.trees[revision]["app.json"] = text;
  }
  std::vector<std::string> tasks() {
    std::vector<std::string> names;
    for (const TaskRequest& task : world.plugins.runtime_fake.tasks)
      names.push_back(task.name + ":" + task.argv.back());
    return names;
  }
  std::string config(const std::string& key) {
    const auto value = must(world.store().config().get(world.shop.id, key));
    return value ? value->reveal() : "-";
  }
};

TEST_F(Manifest, ABrokenOneIsRefusedBeforeTheBuild) {
  must(world.push(kSecond));
  const auto before = world.picture();
  app_json(R"({"healthchecks":{"web":[{"path":"health"}]}})");
  const auto done = world.push(kFirst);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("healthchecks.web[0].path must be"));
  EXPECT_EQ(std::ranges::count(world.record.calls, "builder.build shop"), 1);
  EXPECT_EQ(world.picture(), before);
}

TEST_F(Manifest, IsReadFromWhereTheAppSays) {
  must(world.store().properties().set(world.shop.id, "app-json", "appjson-path", "deploy/app.json"));
  app_json(R"(broken, and not asked for)");
  world.sources.trees[kFirst]["deploy/app.json"] = R"({"formation":{"web":{"quantity":2}}})";
  must(world.push());
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.web.1", "shop.d1.web.2"));
}

TEST_F(Manifest, QuantitiesAreTakenWithTheSwitch) {
  must(world.store().formation().set_many(world.shop.id, {{"web", 1}, {"worker", 2}}));
  app_json(R"({"formation":{"worker":{"quantity":1}}})");
  must(world.push());
  EXPECT_THAT(world.instances(), ElementsAre("shop.d1.worker.1"))
      << "types that are not named are 0, as dokku's";
  EXPECT_EQ(must(world.store().formation().get(world.shop.id)), (Quantities{{"web", 0}, {"worker", 1}}));
  EXPECT_THAT(world.answering(), IsEmpty());
}

TEST_F(Manifest, QuantitiesOfAFailedDeployAreNotTaken) {
  must(world.push(kSecond));
  const auto before = world.picture();
  app_json(R"({"formation":{"web":{"quantity":3}},"env":{"A":"1"}})");
  world.plugins.runtime_fake.exits_at_start = 2;
  ASSERT_FALSE(world.push(kFirst));
  EXPECT_EQ(world.picture(), before);
}

TEST_F(Manifest, WithoutQuantitiesTheLastOnesStay) {
  app_json(R"({"formation":{"web":{"quantity":2}}})");
  must(world.push(kFirst));
  must(world.push(kSecond));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d2.web.1", "shop.d2.web.2"));
}

TEST_F(Manifest, AQuantityOfATypeThatThereIsNotIsToldOf) {
  app_json(R"({"formation":{"web":{"quantity":1},"wroker":{"quantity":2},"clock":{"quantity":0}}})");
  must(world.push());
  EXPECT_THAT(world.out.warnings, ElementsAre(HasSubstr("formation.wroker")));
}

TEST_F(Manifest, AppJsonMayTakeTheWebAway) {
  app_json(R"({"formation":{"web":{"quantity":1}}})");
  must(world.push(kFirst));
  world.plugins.builder_fake.output.process_types = {{"worker", "work"}};
  const auto done = world.push(kFirst);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "web-missing");
  EXPECT_THAT(done.error().hint, HasSubstr("give web the quantity 0 in its app.json"));
  app_json(R"({"formation":{"web":{"quantity":0},"worker":{"quantity":1}}})", kSecond);
  must(world.push(kSecond));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d3.worker.1"));
}

TEST_F(Manifest, ARestartKeepsTheQuantities) {
  app_json(R"({"formation":{"web":{"quantity":2},"worker":{"quantity":1}}})");
  must(world.push());
  must(world.deploy("restart"));
  EXPECT_THAT(world.instances(), ElementsAre("shop.d2.web.1", "shop.d2.web.2", "shop.d2.worker.1"));
}

TEST_F(Manifest, ScriptsRunInTheirOrder) {
  world.plugins.builder_fake.output.process_types.emplace_back("release", "migrate");
  app_json(R"({"scripts":{"dokku":{"predeploy":"prepare","postdeploy":"announce"},"postdeploy":"seed"}})");
  must(world.push());
  EXPECT_THAT(tasks(), ElementsAre("predeploy:prepare", "release:migrate", "postdeploy:announce",
                                   "first-postdeploy:seed"));
  EXPECT_EQ(world.plugins.runtime_fake.tasks[0].argv,
            (std::vector<std::string>{"/exec", "bash", "-c", "prepare"}));
  world.plugins.runtime_fake.tasks.clear();
  must(world.push());
  EXPECT_THAT(tasks(), ElementsAre("predeploy:prepare", "release:migrate", "postdeploy:announce"))
      << "scripts.postdeploy is for the first deploy";
  world.plugins.runtime_fake.tasks.clear();
  must(world.deploy("config"));
  must(world.deploy("restart"));
  must(world.deploy("rollback"));
  EXPECT_THAT(tasks(), IsEmpty());
}

TEST_F(Manifest, AFailedPredeployEndsIt) {
  must(world.push(kSecond));
  const auto before = world.picture();
  app_json(R"({"scripts":{"dokku":{"predeploy":"prepare","postdeploy":"announce"}}})");
  world.plugins.runtime_fake.on_task = [](const TaskRequest&) { return 3; };
  const auto done = world.push(kFirst);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "predeploy-failed");
  EXPECT_EQ(world.picture(), before);
  EXPECT_THAT(tasks(), ElementsAre("predeploy:prepare"));
}

TEST_F(Manifest, NoScriptIsWithoutALimit) {
  app_json(R"({"scripts":{"dokku":{"postdeploy":"announce"}}})");
  must(world.store().properties().set(AppId::kGlobal, "ps", "script-timeout-seconds", "0"));
  must(world.push());
  ASSERT_EQ(world.plugins.runtime_fake.tasks.size(), 1U);
  EXPECT_EQ(world.plugins.runtime_fake.tasks.front().limits.time_ms, 600'000U);
}

TEST_F(Manifest, AScriptThatHangsIsToldHowToGetMoreTime) {
  app_json(R"({"scripts":{"dokku":{"predeploy":"prepare"}}})");
  world.plugins.record.fail_next("runtime.run_task",
                                 Error{Code::kTimeout, "/x/sandbox did not end within 600 s", {}, {}, {}});
  const auto done = world.push();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("predeploy: it did not end within 600 s"));
  EXPECT_THAT(done.error().hint, HasSubstr("script-timeout-seconds"));
}

TEST_F(Manifest, AFailedPostdeployIsAWarning) {
  app_json(R"({"scripts":{"davit":{"postdeploy":"announce"}}})");
  world.plugins.runtime_fake.on_task = [](const TaskRequest& task) {
    task.out("no route to the office\n");
    return 4;
  };
  must(world.push());
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(world.out.warnings, testing::Contains(HasSubstr("postdeploy script failed: it exited with 4")));
  EXPECT_THAT(world.out.details, HasSubstr("no route to the office"));
  EXPECT_EQ(world.answering().size(), 1U);
}

TEST_F(Manifest, AfterADeathInItPostdeployIsNotRunTwice) {
  app_json(R"({"scripts":{"dokku":{"postdeploy":"announce"},"postdeploy":"seed"}})");
  const std::string push = std::string(R"({"revision":")") + kFirst + R"("})";
  ASSERT_TRUE(world.deploy_and_die("push", push, "switch/host/script.postdeploy:acted"));
  EXPECT_EQ(tasks().size(), 1U);
  must(world.recover());
  EXPECT_EQ(world.state(), DeploymentState::kDone);
  EXPECT_THAT(tasks(), ElementsAre("postdeploy:announce", "first-postdeploy:seed"));
  EXPECT_THAT(world.out.warnings, testing::Contains(HasSubstr("was interrupted")));
}

TEST_F(Manifest, PostdeployRunsAfterADeathBeforeIt) {
  app_json(R"({"scripts":{"dokku":{"postdeploy":"announce"}}})");
  const std::string push = std::string(R"({"revision":")") + kFirst + R"("})";
  ASSERT_TRUE(world.deploy_and_die("push", push, "switch/host/record:committed"));
  must(world.recover());
  EXPECT_THAT(tasks(), ElementsAre("postdeploy:announce"));
}

TEST_F(Manifest, VariablesAreThereForBuildReleaseAndRun) {
  app_json(R"({"env":{"GREETING":"hello","KEY":{"generator":"secret"}}})");
  must(world.push());
  EXPECT_EQ(world.plugins.builder_fake.last_input.env.at("GREETING"), "hello");
  const std::string key = world.plugins.builder_fake.last_input.env.at("KEY");
  EXPECT_EQ(key.size(), 64U);
  EXPECT_EQ(world.plugins.runtime_fake.groups.at("shop.d1.web").env.at("KEY"), key);
  EXPECT_EQ(config("KEY"), key);
  must(world.push());
  EXPECT_EQ(config("KEY"), key) << "a secret is made once";
}

TEST_F(Manifest, VariablesOfADeathAreNotKept) {
  app_json(R"({"env":{"KEY":{"generator":"secret"}}})");
  const std::string push = std::string(R"({"revision":")") + kFirst + R"("})";
  ASSERT_TRUE(world.deploy_and_die("push", push, "launch/host/process.start:acted"));
  must(world.recover());
  EXPECT_EQ(config("KEY"), "-");
}

TEST_F(Manifest, ARequiredVariableThatIsMissingIsNamed) {
  app_json(R"({"env":{"API_KEY":{"description":"from the office"},"B":{"required":true}}})");
  const auto done = world.push();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().slug, "variable-missing");
  EXPECT_THAT(done.error().message, HasSubstr("env.API_KEY (from the office), env.B"));
  EXPECT_THAT(done.error().hint, HasSubstr("davit config:set shop API_KEY=... B=..."));
  EXPECT_FALSE(world.record.has("builder.build shop"));
  must(world.store().config().set_many(world.shop.id, {{"API_KEY", Secret("x")}, {"B", Secret("")}}));
  must(world.push());
}

TEST_F(Manifest, APluginMayGiveARequiredVariable) {
  app_json(R"({"env":{"DATABASE_URL":{}}})");
  auto hook = std::make_unique<fakes::FakeHook>(world.record, world.marks, "linker");
  hook->on_handle = [](const Event& event) -> Result<> {
    std::get<EnvEvent*>(event.payload)->env["DATABASE_URL"] = "mysql://";
    return {};
  };
  world.bus.subscribe(event_id::kEnvResolve, std::move(hook));
  must(world.push());
}

}  // namespace
}  // namespace davit::scenario
