// config:*: what becomes a deployment and what waits for the next one; keys, values and errors.
#include "tests/unit/commands/commands_fixture.hpp"

namespace davit {
namespace {

TEST_F(Commands, ConfigOfAnAppThatRunsIsADeployment) {
  make_app("shop", true);
  EXPECT_EQ(run({"config:set", "shop", "A=1", "B=two words"}), 0);
  ASSERT_EQ(asked_.deployments.size(), 1U);
  EXPECT_EQ(asked_.deployments[0].kind, "config");
  EXPECT_EQ(asked_.deployments[0].request_json, "{\"description\":\"Set A, B config vars\"}");
  EXPECT_EQ(run({"config:get", "shop", "B"}), 0);
  EXPECT_EQ(out_.text, "two words\n");
}

TEST_F(Commands, ConfigWithoutRestartIsLeftPending) {
  const App app = make_app("shop", true);
  EXPECT_EQ(run({"config:set", "--no-restart", "shop", "A=1"}), 0);
  EXPECT_TRUE(asked_.deployments.empty());
  const auto newest = store_->releases().newest_usable(app.id);
  ASSERT_TRUE(newest && *newest);
  EXPECT_EQ((*newest)->version, 2U);
  EXPECT_EQ((*newest)->state, ReleaseState::kPending);
  EXPECT_EQ((*newest)->spec.config.at("A").reveal(), "1");
  EXPECT_EQ((*newest)->spec.actor, "local:ada");
}

// The newest release may be one that the deployment under way makes, and that fails.
TEST_F(Commands, ConfigWithoutRestartWaitsForADeployment) {
  const App app = make_app("shop", true);
  const auto push = FileLock::try_acquire(home_.lock("shop"), {"git push", 0, 0});
  ASSERT_TRUE(push);
  EXPECT_EQ(run({"config:set", "--no-restart", "shop", "A=1"}), 1);
  EXPECT_NE(out_.errors.find("locked"), std::string::npos) << out_.errors;
  EXPECT_EQ((*store_->releases().newest_usable(app.id))->version, 1U);
}

TEST_F(Commands, ConfigWithoutRestartKeepsWhatTheBuildSuggested) {
  const App app = make_app("shop", false);
  ReleaseSpec spec;
  spec.processes = {{"web", "serve", {}, R"({"config_defaults":{"LANG":"C","A":"0"}})"}};
  ASSERT_TRUE(store_->releases().create(app.id, spec));
  ASSERT_TRUE(store_->releases().mark_live(app.id, 1));
  EXPECT_EQ(run({"config:set", "--no-restart", "shop", "A=1"}), 0);
  const auto newest = *store_->releases().newest_usable(app.id);
  EXPECT_EQ(newest->version, 2U);
  EXPECT_EQ(newest->spec.config.at("A").reveal(), "1");
  ASSERT_TRUE(newest->spec.config.contains("LANG"));
  EXPECT_EQ(newest->spec.config.at("LANG").reveal(), "C");
}

TEST_F(Commands, ConfigErrorsHaveDokkusTextsAndNoValues) {
  make_app("shop", false);
  EXPECT_EQ(run({"config:set", "shop"}), 1);
  EXPECT_NE(out_.errors.find("At least one env pair must be given"), std::string::npos);
  EXPECT_EQ(run({"config:unset", "shop"}), 1);
  EXPECT_NE(out_.errors.find("At least one key must be given"), std::string::npos);
  EXPECT_EQ(run({"config:set", "shop", "A=1", "s3cret"}), 1);
  EXPECT_EQ(out_.errors.find("s3cret"), std::string::npos);
  EXPECT_EQ(run({"config:get", "shop", "A"}), 1);
  EXPECT_EQ(out_.text + out_.errors, "");
}

TEST_F(Commands, UnsettingWhatIsNotSetIsNoDeployment) {
  make_app("shop", true);
  ASSERT_EQ(run({"config:set", "--global", "A=1"}), 0);
  EXPECT_EQ(run({"config:unset", "shop", "A", "B"}), 0);
  EXPECT_EQ(out_.text,
            "-----> Skipping A, it is not set for shop\n-----> Skipping B, it is not set for shop\n");
  EXPECT_EQ(out_.errors, " !     It is set for all apps: davit config:unset --global A\n");
  EXPECT_TRUE(asked_.deployments.empty());
  ASSERT_EQ(run({"config:set", "--no-restart", "shop", "C=1"}), 0);
  EXPECT_EQ(run({"config:unset", "shop", "B", "C"}), 0);
  ASSERT_EQ(asked_.deployments.size(), 1U);
  EXPECT_EQ(asked_.deployments[0].request_json, "{\"description\":\"Unset C config vars\"}");
  EXPECT_EQ(run({"config:unset", "--global", "A", "C"}), 0);
  EXPECT_EQ(out_.text, "-----> Skipping C, it is not set globally\n-----> Unsetting A\n");
}

TEST_F(Commands, WhatRunsStillHasIsUnsetOnceMore) {
  const App app = make_app("shop", true);
  ReleaseSpec spec;
  spec.config = {{"A", Secret("1")}};
  ASSERT_TRUE(store_->releases().create(app.id, spec));
  ASSERT_TRUE(store_->releases().mark_live(app.id, 2));
  ASSERT_EQ(run({"config:set", "--no-restart", "shop", "A=1"}), 0);
  for (const int code : {1, 0}) {
    asked_.exit_code = code;
    EXPECT_EQ(run({"config:unset", "shop", "A"}), code);
  }
  EXPECT_EQ(asked_.deployments.size(), 2U) << "the first one failed";
}

TEST_F(Commands, UnsettingWhatALinkGivesIsRefused) {
  const App app = make_app("shop", true);
  NewService wanted;
  wanted.kind = "postgres";
  wanted.name = "orders";
  const auto service = store_->services().create(wanted);
  ASSERT_TRUE(service);
  ASSERT_TRUE(store_->services().link({app.id, service->id, "DATABASE", "", false}));
  EXPECT_EQ(run({"config:unset", "shop", "DATABASE_URL"}), 1);
  EXPECT_NE(out_.errors.find("DATABASE_URL comes from the link to postgres orders"), std::string::npos);
  EXPECT_NE(out_.errors.find("davit postgres:unlink orders shop"), std::string::npos);
  EXPECT_TRUE(asked_.deployments.empty());
}

TEST_F(Commands, ConfigKeepsEveryByte) {
  make_app("shop", false);
  EXPECT_EQ(run({"config:set", "shop", "A=x\\ny=\xff\n"}), 0);
  EXPECT_EQ(run({"config:get", "shop", "A"}), 0);
  EXPECT_EQ(out_.text, "x\\ny=\xff\n\n");
  EXPECT_EQ(run({"config:set", "--encoded", "shop", "B=aGk="}), 0);
  EXPECT_EQ(run({"config:get", "shop", "B"}), 0);
  EXPECT_EQ(out_.text, "hi\n");
  EXPECT_EQ(run({"config:import", "shop", "-"}, "C='new\nline'\n"), 0);
  EXPECT_EQ(run({"config:get", "shop", "C"}), 0);
  EXPECT_EQ(out_.text, "new\nline\n");
}

TEST_F(Commands, GlobalConfigIsMergedOnDemand) {
  make_app("shop", false);
  EXPECT_EQ(run({"config:set", "--global", "A=global", "B=global"}), 0);
  EXPECT_EQ(run({"config:set", "shop", "A=own"}), 0);
  EXPECT_EQ(run({"config:show", "shop"}), 0);
  EXPECT_EQ(out_.text, "=====> shop env vars\nA:  own\n");
  EXPECT_EQ(run({"config:show", "--merged", "shop"}), 0);
  EXPECT_EQ(out_.text, "=====> shop env vars\nA:  own\nB:  global\n");
  EXPECT_EQ(run({"config", "--global"}), 0);
  EXPECT_EQ(out_.text, "=====> global env vars\nA:  global\nB:  global\n");
}

}  // namespace
}  // namespace davit
