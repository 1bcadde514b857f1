// Commands on a real store, with fakes for what deploys and what loads plugins: which deployment is asked
// for, what is written, and what is said.
#include "commands/session.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "commands/dispatch.hpp"
#include "tests/temp_folder.hpp"

namespace davit {
namespace {

using Words = std::vector<std::string>;

class Recorder final : public UserOutput {
 public:
  void result(std::string_view bytes) override { text += bytes; }
  void header(std::string_view line) override { text += "=====> " + std::string(line) + "\n"; }
  void step(std::string_view line) override { text += "-----> " + std::string(line) + "\n"; }
  void detail(std::string_view bytes) override { text += bytes; }
  void warning(std::string_view line) override { errors += " !     " + std::string(line) + "\n"; }
  void progress(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
  std::string text, errors;
};

struct Asked {
  std::vector<DeployRequest> deployments;
  std::vector<Words> operations;
  int exit_code = 0;
};

class FakeDeployer final : public Deployer {
 public:
  FakeDeployer(Asked& asked, std::filesystem::path folder) : asked_(asked), folder_(std::move(folder)) {}
  Result<FileLock> lock(std::string_view app, std::string_view command, bool, bool,
                        const CallContext&) override {
    return FileLock::try_acquire(folder_ / app, {std::string(command), 0, 0});
  }
  Result<int> deploy(FileLock, const DeployRequest& request, const CallContext&) override {
    asked_.deployments.push_back(request);
    return asked_.exit_code;
  }
  Result<int> follow(std::string_view, bool, const CallContext&) override { return 0; }

 private:
  Asked& asked_;
  std::filesystem::path folder_;
};

class FakeWorker final : public WorkerClient {
 public:
  explicit FakeWorker(Asked& asked) : asked_(asked) {}
  Result<Outcome> run(const Words& operation, bool, const CallContext&) override {
    asked_.operations.push_back(operation);
    return Outcome{asked_.exit_code, ""};
  }

 private:
  Asked& asked_;
};

class Commands : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"repos", "run", "run/locks"})
      std::filesystem::create_directory(home_.root / name);
    std::ofstream(home_.plugins_toml) << "[host]\n";
    auto store = Store::open(home_.database(), StoreMode::kCreate, clock_);
    ASSERT_TRUE(store);
    store_ = std::make_unique<Store>(std::move(*store));
  }

  /// Runs one command line in a session of its own.
  int run(const Words& words, const std::string& input = "") {
    Surroundings where;
    where.installation = {home_.root};
    where.home = home_;
    SessionParts parts{
        .clock = clock_,
        .out = out_,
        .actor = [] { return std::string("local:ada"); },
        .deployer = [&](Session&) { return std::make_unique<FakeDeployer>(asked_, home_.run() / "locks"); },
        .worker = [&](Session&) { return std::make_unique<FakeWorker>(asked_); },
        .read_input = [&](std::size_t) -> Result<std::string> { return input; },
        .ssh_command = ssh_command_,
        .read_line = [&] { return input; }};
    out_ = Recorder();
    Session session(std::move(where), std::move(parts));
    return dispatch(session, words);
  }

  /// The same in a process of its own, which dies when it calls this git command.
  void run_killed_at_git(const std::string& command, const Words& words) {
    const auto folder = home_.root / "fake";
    std::filesystem::create_directory(folder);
    std::ofstream(folder / "git") << "#!/bin/sh\ncase \" $* \" in *' " << command
                                  << " '*) kill -9 $PPID;; *) exec /usr/bin/git \"$@\";; esac\n";
    std::filesystem::permissions(folder / "git", std::filesystem::perms(0755));
    store_.reset();
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("PATH", (folder.string() + ":/usr/bin:/bin").c_str(), 1);
      run(words);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it was not killed";
    auto store = Store::open(home_.database(), StoreMode::kCreate, clock_);
    ASSERT_TRUE(store);
    store_ = std::make_unique<Store>(std::move(*store));
  }

  App make_app(const std::string& name, bool deployed) {
    auto app = store_->apps().create(name);
    EXPECT_TRUE(app);
    if (deployed) {
      ReleaseSpec spec;
      spec.processes = {{"web", "serve", {}, ""}, {"worker", "work", {}, ""}};
      EXPECT_TRUE(store_->releases().create(app->id, spec));
      EXPECT_TRUE(store_->releases().mark_live(app->id, 1));
    }
    return *store_->apps().get(name);
  }

  const test::TempFolder folder_;
  SystemClock clock_;
  Home home_{folder_.path(), folder_ / "plugins.toml"};
  std::unique_ptr<Store> store_;
  Recorder out_;
  Asked asked_;
  std::string ssh_command_;
};

TEST_F(Commands, AMissingAppIsExitTwenty) {
  EXPECT_EQ(run({"apps:exists", "nope"}), 20);
  EXPECT_NE(out_.errors.find("App nope does not exist"), std::string::npos);
  EXPECT_EQ(run({"config:get", "nope", "KEY"}), 20);
  EXPECT_EQ(run({"--app", "nope", "ps:scale"}), 20);
}

TEST_F(Commands, AnUnknownCommandSaysSo) {
  EXPECT_EQ(run({"foo:bar"}), 1);
  EXPECT_EQ(out_.errors,
            " !     `foo:bar` is not a davit command.\n !     See `davit help` for a list of commands\n");
}

TEST_F(Commands, ListsAreSortedAndHaveJson) {
  make_app("b", false);
  make_app("a", false);
  EXPECT_EQ(run({"apps:list"}), 0);
  EXPECT_EQ(out_.text, "=====> My Apps\na\nb\n");
  EXPECT_EQ(run({"apps:list", "--format", "json"}), 0);
  EXPECT_EQ(out_.text, "[\"a\",\"b\"]\n");
}

TEST_F(Commands, AnAppWhoseCreationWasKilledIsMadeByTheNext) {
  run_killed_at_git("init", {"apps:create", "shop"});
  EXPECT_EQ(run({"apps:create", "shop"}), 0) << out_.errors;
  EXPECT_TRUE(std::filesystem::exists(home_.repo("shop") / "hooks/pre-receive"));
  EXPECT_EQ(run({"apps:create", "shop"}), 1);
  EXPECT_NE(out_.errors.find("Name is already taken"), std::string::npos);
}

TEST_F(Commands, ACloneThatWasKilledIsMadeByTheNext) {
  ASSERT_EQ(run({"apps:create", "shop"}), 0) << out_.errors;
  ASSERT_EQ(run({"config:set", "shop", "A=1"}), 0) << out_.errors;
  run_killed_at_git("fetch", {"apps:clone", "--ignore-existing", "shop", "shop2"});
  EXPECT_EQ(run({"apps:clone", "--ignore-existing", "shop", "shop2"}), 0) << out_.errors;
  EXPECT_EQ(run({"config:get", "shop2", "A"}), 0);
  EXPECT_EQ(out_.text, "1\n");
}

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

// Nobody runs it any more, and what its undo needs does not answer.
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

TEST_F(Commands, DestroyAsksForTheName) {
  make_app("shop", true);
  EXPECT_EQ(run({"apps:destroy", "shop"}, "other"), 1);
  EXPECT_TRUE(asked_.deployments.empty());
  EXPECT_EQ(run({"apps:destroy", "shop"}, "shop"), 0);
  EXPECT_EQ(asked_.deployments.back().kind, "destroy");
  EXPECT_EQ(run({"--force", "apps:destroy", "shop"}), 0);
  EXPECT_EQ(asked_.deployments.size(), 2U);
}

TEST_F(Commands, DomainsBelongToOneAppOnly) {
  make_app("shop", false);
  make_app("other", false);
  EXPECT_EQ(run({"domains:add-global", "example.com"}), 0);
  EXPECT_EQ(run({"domains:add", "shop", "Shop.test"}), 0);
  EXPECT_EQ(run({"domains:report", "shop", "--domains-app-vhosts"}), 0);
  EXPECT_EQ(out_.text, "shop.example.com shop.test\n");
  EXPECT_EQ(run({"domains:add", "other", "shop.test"}), 1);
  EXPECT_NE(out_.errors.find("shop"), std::string::npos);
  // other's default name is not in the store, and is other's all the same.
  EXPECT_EQ(run({"domains:add", "shop", "other.example.com"}), 1);
  EXPECT_NE(out_.errors.find("other.example.com is already used by app other"), std::string::npos);
  EXPECT_EQ(run({"domains:remove", "shop", "shop.example.com"}), 0);
  EXPECT_EQ(run({"domains:report", "shop", "--domains-app-vhosts"}), 0);
  EXPECT_EQ(out_.text, "shop.test\n");
  EXPECT_EQ(run({"domains:remove", "other", "other.example.com"}), 1);
  EXPECT_NE(out_.errors.find("default name"), std::string::npos);
  EXPECT_EQ(run({"domains:clear", "shop"}), 0);
  EXPECT_EQ(run({"domains:report", "shop", "--domains-app-vhosts"}), 0);
  EXPECT_EQ(out_.text, "shop.example.com\n");
}

TEST_F(Commands, PropertiesAreSetAndReported) {
  make_app("shop", false);
  EXPECT_EQ(run({"ps:set", "shop", "restart-policy", "always"}), 0);
  EXPECT_EQ(out_.text, "=====> Setting restart-policy to always\n");
  EXPECT_EQ(run({"ps:report", "shop", "--ps-computed-restart-policy"}), 0);
  EXPECT_EQ(out_.text, "always\n");
  EXPECT_EQ(run({"ps:set", "shop", "restart-policy"}), 0);
  EXPECT_EQ(out_.text, "=====> Unsetting restart-policy\n");
  EXPECT_EQ(run({"ps:report", "shop", "--ps-computed-restart-policy"}), 0);
  EXPECT_EQ(out_.text, "on-failure:10\n");
  EXPECT_EQ(run({"ps:set", "shop", "nope", "x"}), 1);
  EXPECT_EQ(run({"ps:report", "--no-such-flag"}), 1);
  EXPECT_NE(out_.errors.find("Invalid flag passed, valid flags: --deployed"), std::string::npos);
}

TEST_F(Commands, AReportWithoutAppsIsNoFailure) {
  EXPECT_EQ(run({"ps:report"}), 0);
  EXPECT_NE(out_.errors.find("You haven't deployed any applications yet"), std::string::npos);
}

TEST_F(Commands, LimitsAreKeptAsNumbersAndShownAsTyped) {
  const App app = make_app("shop", false);
  EXPECT_EQ(run({"resource:limit", "--memory", "512m", "--cpu", "0.5", "shop"}), 0);
  EXPECT_EQ(store_->properties().get(app.id, "resource", "_default_.limit.memory"), "536870912");
  EXPECT_EQ(store_->properties().get(app.id, "resource", "_default_.limit.cpu"), "500");
  EXPECT_EQ(run({"resource:limit", "shop"}), 0);
  EXPECT_NE(out_.text.find("       memory: 512m\n"), std::string::npos);
  EXPECT_EQ(run({"resource:limit-clear", "shop"}), 0);
  EXPECT_EQ(store_->properties().get(app.id, "resource", "_default_.limit.memory"), std::nullopt);
  EXPECT_EQ(run({"resource:limit", "--memory", "lots", "shop"}), 1);
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

TEST_F(Commands, RunHandsItsWordsToTheWorker) {
  make_app("shop", true);
  EXPECT_EQ(run({"run", "--env", "A=1", "shop", "ls", "-la"}), 0);
  const std::string file = (home_.run() / ("env-" + std::to_string(getpid()))).string();
  EXPECT_EQ(asked_.operations.back(), (Words{"run", "shop", "--env-file", file, "--", "ls", "-la"}))
      << "a command line is for all to read";
  EXPECT_FALSE(std::filesystem::exists(file)) << "also where the worker did not get to it";
  EXPECT_EQ(run({"logs", "-t", "-n", "5", "--ps", "web.1", "shop"}), 0);
  EXPECT_EQ(asked_.operations.back(), (Words{"logs", "shop", "--tail", "--num", "5", "--ps", "web.1"}));
  asked_.exit_code = 7;
  EXPECT_EQ(run({"enter", "shop", "web", "false"}), 7);
  EXPECT_EQ(asked_.operations.back(), (Words{"enter", "shop", "web", "--", "false"}));
  EXPECT_EQ(run({"enter", "shop", "web", "--", "false"}), 7);
  EXPECT_EQ(asked_.operations.back(), (Words{"enter", "shop", "web", "--", "false"}));
  EXPECT_EQ(run({"enter", "shop"}), 7);
  EXPECT_EQ(asked_.operations.back(), (Words{"enter", "shop", "web", "--"})) << "an image may have no bash";
}

TEST_F(Commands, SshRunsCommandsAndRefusesSome) {
  make_app("shop", false);
  ssh_command_ = "apps:list";
  EXPECT_EQ(run({"git:ssh", "ada"}), 0);
  EXPECT_EQ(out_.text, "=====> My Apps\nshop\n");
  for (const char* denied : {"init", "system:stop", "plugin:disable nginx", "git:ssh bob", "git:hook shop",
                             "davit git:ssh bob", "--quiet git:ssh bob"}) {
    ssh_command_ = denied;
    EXPECT_EQ(run({"git:ssh", "ada"}), 1) << denied;
    EXPECT_NE(out_.errors.find("over ssh"), std::string::npos) << denied << out_.errors;
  }
  ssh_command_ = "git-upload-pack 'nope'";
  EXPECT_EQ(run({"git:ssh", "ada"}), 20);
  ssh_command_ = "config:import shop /etc/passwd";
  EXPECT_EQ(run({"git:ssh", "ada"}), 1);
  EXPECT_NE(out_.errors.find("stdin only"), std::string::npos);
}

TEST_F(Commands, FrozenAppsAreToldApart) {
  make_app("shop", false);
  EXPECT_EQ(run({"apps:locked", "shop"}), 1);
  EXPECT_EQ(run({"apps:lock", "shop"}), 0);
  EXPECT_EQ(run({"apps:locked", "shop"}), 0);
  EXPECT_EQ(run({"apps:unlock", "shop"}), 0);
  EXPECT_EQ(run({"apps:locked", "shop"}), 1);
}

}  // namespace
}  // namespace davit
