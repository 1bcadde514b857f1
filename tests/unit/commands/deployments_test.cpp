// Commands that deploy, and those for a deployment that was left: what is asked for, and what is said.
#include "tests/unit/commands/commands_fixture.hpp"

namespace davit {
namespace {

class LeftDeployment : public Commands {
 protected:
  void SetUp() override {
    Commands::SetUp();
    app_ = make_app("shop", true);
    auto& journal = store_->journal();
    id_ = journal.open({app_.id, "config", "{}", "local:ada", {}})->id;
    ASSERT_TRUE(journal.claim(id_, std::nullopt, {"00000000-0000-0000-0000-000000000000", 1, 1}));
    ASSERT_TRUE(journal.set_state(id_, DeploymentState::kRunning));
    ASSERT_TRUE(
        journal.fail_with(id_, DeploymentState::kRunning, {"engine-down", "No engine answers", "", ""}));
    ASSERT_TRUE(store_->releases().create(app_.id, {}));
    ASSERT_TRUE(journal.set_to_version(id_, 2));
    LiveGroup group;
    group.app = app_.id;
    group.revision = id_;
    group.process_type = "web";
    group.release_version = 2;
    group.count = 1;
    ASSERT_TRUE(store_->live_groups().put(group));
  }
  App app_;
  std::string id_;
};

TEST_F(LeftDeployment, CancelTakesItBack) {
  EXPECT_EQ(run({"deploys:cancel", "shop"}), 0);
  EXPECT_EQ(asked_.operations, (std::vector<Words>{{"recover", "shop"}}));
  EXPECT_NE(out_.text.find("Took back " + id_), std::string::npos);
}

TEST_F(LeftDeployment, CancelLeavesItWhereThatFails) {
  asked_.exit_code = 1;
  EXPECT_EQ(run({"deploys:cancel", "shop"}), 1);
  EXPECT_EQ(store_->journal().get(id_)->state, DeploymentState::kRunning);
}

TEST_F(LeftDeployment, ForceGivesItUpAndNamesWhatIsToBeRemoved) {
  asked_.exit_code = 1;
  EXPECT_EQ(run({"--force", "deploys:cancel", "shop"}), 0);
  EXPECT_EQ(store_->journal().get(id_)->state, DeploymentState::kCancelled);
  const auto groups = *store_->live_groups().of_app(app_.id);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups.front().state, GroupState::kStopping);
  EXPECT_EQ((*store_->releases().newest_usable(app_.id))->version, 1U) << "its release counts no more";
  EXPECT_NE(out_.errors.find("the next deployment of shop removes them"), std::string::npos);
}

TEST_F(LeftDeployment, AStuckOneIsGivenUpInTheSameWay) {
  ASSERT_TRUE(store_->journal().set_state(id_, DeploymentState::kStuck));
  EXPECT_EQ(run({"deploys:cancel", "shop"}), 1);
  EXPECT_EQ(run({"--force", "deploys:cancel", "shop"}), 0);
  EXPECT_EQ(store_->journal().get(id_)->state, DeploymentState::kCancelled);
  EXPECT_EQ((*store_->live_groups().of_app(app_.id)).front().state, GroupState::kStopping);
  EXPECT_EQ(asked_.operations, (std::vector<Words>{{"recover", "shop"}})) << "which removes them";
}

TEST_F(LeftDeployment, DoctorNamesIt) {
  EXPECT_EQ(run({"doctor"}), 1);
  EXPECT_NE(out_.errors.find("Deployment " + id_ + " of shop failed, and could not be taken back yet"),
            std::string::npos);
}

TEST_F(Commands, ScaleShowsWhatIsWanted) {
  make_app("shop", true);
  EXPECT_EQ(run({"--quiet", "ps:scale", "shop"}), 0);
  EXPECT_EQ(out_.text, "web:  1\nworker:  0\n");
  EXPECT_EQ(run({"ps:scale", "shop", "--format", "json"}), 0);
  EXPECT_EQ(out_.text,
            "[{\"process_type\":\"web\",\"quantity\":1},{\"process_type\":\"worker\",\"quantity\":0}]\n");
}

TEST_F(Commands, ScaleLeavesItToTheDeploymentToWriteTheQuantityDown) {
  const App app = make_app("shop", true);
  EXPECT_EQ(run({"ps:scale", "shop", "web=3"}), 0);
  ASSERT_EQ(asked_.deployments.size(), 1U);
  EXPECT_EQ(asked_.deployments[0].request_json, "{\"formation\":{\"web\":3}}");
  EXPECT_TRUE(store_->formation().get(app.id)->empty()) << "one that dies must have changed nothing";
  EXPECT_EQ(run({"ps:scale", "--skip-deploy", "shop", "web=2"}), 0);
  EXPECT_EQ(store_->formation().get(app.id)->at("web"), 2U);
  EXPECT_EQ(run({"ps:scale", "shop", "nope=1"}), 1);
  EXPECT_NE(out_.errors.find("nope is not a valid process name to scale up"), std::string::npos);
}

TEST_F(Commands, ScaleToNothingIsOfATypeThatThereIsOrWas) {
  const App app = make_app("shop", true);
  EXPECT_EQ(run({"ps:scale", "shop", "wrker=0"}), 1);
  EXPECT_NE(out_.errors.find("wrker is not a valid process name to scale down"), std::string::npos);
  EXPECT_NE(out_.errors.find("Did you mean worker?"), std::string::npos);
  EXPECT_EQ(run({"ps:scale", "--skip-deploy", "shop", "wrker=0"}), 1);
  EXPECT_TRUE(asked_.deployments.empty());
  EXPECT_EQ(run({"ps:scale", "shop", "worker=0"}), 0);
  ASSERT_TRUE(store_->formation().set_many(app.id, {{"jobs", 3}}));
  EXPECT_EQ(run({"ps:scale", "shop", "jobs=0"}), 0) << "what an earlier release had";
  EXPECT_EQ(asked_.deployments.size(), 2U);
  const App fresh = make_app("new", false);
  EXPECT_EQ(run({"ps:scale", "new", "wrker=0"}), 0);
  EXPECT_EQ(store_->formation().get(fresh.id)->at("wrker"), 0U);
}

TEST_F(Commands, RestartTakesAllTypesTogether) {
  make_app("shop", true);
  make_app("new", false);
  EXPECT_EQ(run({"ps:restart", "shop", "web"}), 0);
  EXPECT_EQ(asked_.deployments.back().request_json, "{}");
  EXPECT_EQ(run({"ps:restart", "shop", "wbe"}), 1);
  EXPECT_NE(out_.errors.find("wbe is not a valid process name to restart"), std::string::npos);
  EXPECT_NE(out_.errors.find("Did you mean web? The Procfile has: web, worker"), std::string::npos);
  EXPECT_EQ(run({"ps:restart", "new"}), 1);
  EXPECT_EQ(run({"ps:restart", "--all"}), 0);
  EXPECT_EQ(asked_.deployments.size(), 2U);
  EXPECT_NE(out_.errors.find("App new has not been deployed"), std::string::npos);
}

TEST_F(Commands, AnAppThatWasNeverLiveSaysWhereToLook) {
  const App app = make_app("new", false);
  EXPECT_EQ(run({"logs", "new"}), 1);
  EXPECT_NE(out_.errors.find("Push it first: git push"), std::string::npos);
  const std::string id = store_->journal().open({app.id, "push", "{}", "local:ada", {}})->id;
  EXPECT_EQ(run({"logs", "new"}), 1);
  EXPECT_NE(out_.errors.find("goes on: davit deploys:output new"), std::string::npos) << out_.errors;
  ASSERT_TRUE(store_->journal().set_state(id, DeploymentState::kFailed));
  for (const Words& words :
       {Words{"logs", "new"}, {"run", "new", "true"}, {"checks:run", "new"}, {"releases:info", "new"}}) {
    EXPECT_EQ(run(words), 1);
    EXPECT_NE(out_.errors.find("Its last deployment failed: davit logs:failed new"), std::string::npos)
        << words[0];
  }
}

TEST_F(Commands, RollbackTakesTheReleaseBeforeThisOne) {
  const App app = make_app("shop", true);
  EXPECT_EQ(run({"releases:rollback", "shop"}), 1);
  ASSERT_TRUE(store_->releases().create(app.id, {}));
  ASSERT_TRUE(store_->releases().mark_live(app.id, 2));
  EXPECT_EQ(run({"releases:rollback", "--with-scale", "shop"}), 0);
  EXPECT_EQ(asked_.deployments.back().request_json,
            "{\"version\":1,\"with_scale\":true,\"with_domains\":false}");
  EXPECT_EQ(run({"releases:rollback", "shop", "v9"}), 1);
  EXPECT_EQ(run({"releases:rollback", "shop", "latest"}), 1);
}

TEST_F(Commands, ChecksAreSwitchedOffByType) {
  const App app = make_app("shop", false);
  EXPECT_EQ(run({"checks:disable", "shop", "worker,web"}), 0);
  EXPECT_EQ(store_->properties().get(app.id, "checks", "disabled"), "worker,web");
  EXPECT_EQ(run({"checks:enable", "shop", "web"}), 0);
  EXPECT_EQ(store_->properties().get(app.id, "checks", "disabled"), "worker");
  EXPECT_EQ(run({"checks:enable", "shop"}), 0);
  EXPECT_EQ(run({"checks:report", "shop", "--checks-disabled-list"}), 0);
  EXPECT_EQ(out_.text, "none\n");
}

TEST_F(Commands, ATypeIsSkippedOrDisabledNotBoth) {
  const App app = make_app("shop", true);
  EXPECT_EQ(run({"checks:disable", "shop", "worker"}), 0);
  EXPECT_EQ(run({"checks:skip", "shop", "worker,web"}), 0);
  EXPECT_EQ(store_->properties().get(app.id, "checks", "disabled"), std::nullopt);
  EXPECT_EQ(store_->properties().get(app.id, "checks", "skipped"), "worker,web");
  EXPECT_EQ(run({"checks:report", "shop", "--checks-skipped-list"}), 0);
  EXPECT_EQ(out_.text, "worker,web\n");
  EXPECT_EQ(run({"checks:skip", "shop"}), 0);
  EXPECT_EQ(store_->properties().get(app.id, "checks", "skipped"), "_all_");
  EXPECT_EQ(run({"checks:enable", "shop"}), 0);
  EXPECT_EQ(store_->properties().get(app.id, "checks", "skipped"), std::nullopt);
  EXPECT_EQ(run({"checks:run", "shop", "web.2"}), 0);
  EXPECT_EQ(asked_.operations.back(), (Words{"check", "shop", "web.2"}));
}

TEST_F(Commands, TheOrderOfReplacementIsOneOfTwo) {
  const App app = make_app("shop", false);
  EXPECT_EQ(run({"ps:set", "shop", "replacement", "stop-first"}), 0);
  EXPECT_EQ(store_->properties().get(app.id, "ps", "replacement"), "stop-first");
  EXPECT_EQ(run({"ps:set", "shop", "replacement", "whenever"}), 1);
  EXPECT_EQ(run({"ps:set", "shop", "max-parallel", "-1"}), 1);
  EXPECT_EQ(run({"app-json:set", "shop", "appjson-path", "../app.json"}), 1);
  EXPECT_EQ(run({"app-json:set", "shop", "appjson-path", "deploy/app.json"}), 0);
}

}  // namespace
}  // namespace davit
