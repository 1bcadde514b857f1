// Commands about apps and what is set for them, and how a command line gets to them.
#include "cli/json.hpp"
#include "tests/unit/commands/commands_fixture.hpp"

namespace davit {
namespace {

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

TEST_F(Commands, DestroyAsksForTheName) {
  make_app("shop", true);
  EXPECT_EQ(run({"storage:mount", "shop", "/usr/share:/data"}), 0) << out_.errors;
  EXPECT_EQ(run({"apps:destroy", "shop"}, "other"), 1);
  EXPECT_NE(out_.errors.find("What it uses is kept: storage /usr/share."), std::string::npos) << out_.errors;
  EXPECT_EQ(run({"--force", "apps:destroy", "shop", "other"}), 1);
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

TEST_F(Commands, AGlobalDomainMakesNoNameThatAnotherAppHas) {
  const App cart = make_app("cart", true);
  const App shop = make_app("shop", true);
  ASSERT_TRUE(store_->domains().add(cart.id, {"shop.example.com"}));
  for (const char* command : {"domains:set-global", "domains:add-global"}) {
    EXPECT_EQ(run({command, "fine.test", "example.com"}), 1);
    EXPECT_NE(out_.errors.find("shop.example.com is a domain of cart"), std::string::npos) << out_.errors;
    EXPECT_NE(out_.errors.find("davit domains:set shop"), std::string::npos) << out_.errors;
    EXPECT_EQ(out_.text, "");
  }
  EXPECT_TRUE(store_->domains().list(AppId::kGlobal)->empty());
  EXPECT_TRUE(asked_.operations.empty());
  ASSERT_EQ(run({"domains:disable", "shop"}), 0);
  EXPECT_EQ(run({"domains:set-global", "example.com"}), 0) << out_.errors;
  EXPECT_EQ(asked_.operations.back(), (Words{"reroute", "shop"}));
  EXPECT_EQ(run({"domains:enable", "shop"}), 1);
  EXPECT_FALSE(*store_->domains().enabled(shop.id));
  ASSERT_EQ(run({"domains:set", "shop", "shop.test"}), 0) << out_.errors;
  EXPECT_EQ(run({"domains:enable", "shop"}), 0) << out_.errors;
  EXPECT_EQ(run({"domains:clear", "shop"}), 1);
  EXPECT_EQ(run({"domains:remove", "shop", "shop.test"}), 1) << "its default name is the other's now";
  EXPECT_EQ(*store_->domains().list(shop.id), Words{"shop.test"});
}

TEST_F(Commands, AnAppWhoseDefaultNameIsAnothersIsToldSoAtOnce) {
  const App shop = make_app("shop", true);
  ASSERT_TRUE(store_->domains().add(AppId::kGlobal, {"example.com"}));
  ASSERT_TRUE(store_->domains().add(shop.id, {"blog.example.com"}));
  EXPECT_EQ(run({"apps:create", "blog"}), 0);
  EXPECT_NE(out_.errors.find("blog.example.com is a domain of shop"), std::string::npos) << out_.errors;
  EXPECT_NE(out_.errors.find("davit domains:set blog NAME"), std::string::npos) << out_.errors;
  EXPECT_EQ(run({"apps:create", "cart"}), 0);
  EXPECT_EQ(out_.errors, "");
}

TEST_F(Commands, AGlobalDomainThatFailsForAnAppIsKept) {
  make_app("shop", true);
  asked_.exit_code = 1;
  EXPECT_EQ(run({"domains:add-global", "example.com"}), 1);
  EXPECT_NE(out_.errors.find("The change is kept"), std::string::npos);
  EXPECT_EQ(*store_->domains().list(AppId::kGlobal), Words{"example.com"});
}

TEST_F(Commands, DomainsOfAnAppThatRunsChangeUnderItsLock) {
  const App app = make_app("shop", true);
  ASSERT_TRUE(store_->domains().add(app.id, {"shop.test", "www.test"}));
  for (const Words& words : {Words{"domains:remove", "shop", "www.test"},
                             Words{"domains:add", "shop", "x.test"}, Words{"domains:set", "shop", "x.test"},
                             Words{"domains:clear", "shop"}, Words{"domains:disable", "shop"}}) {
    const auto other = FileLock::try_acquire(home_.lock("shop"), {"git push", 0, 0});
    ASSERT_TRUE(other);
    EXPECT_EQ(run(words), 1);
    EXPECT_EQ(out_.text, "") << "nothing is done yet";
    EXPECT_EQ(*store_->domains().list(app.id), (Words{"shop.test", "www.test"})) << words[0];
    EXPECT_TRUE(*store_->domains().enabled(app.id));
  }
  EXPECT_TRUE(asked_.deployments.empty());
  EXPECT_EQ(run({"domains:remove", "shop", "www.test"}), 0);
  EXPECT_EQ(out_.text, "-----> Removed www.test from shop\n");
  ASSERT_EQ(asked_.deployments.size(), 1U);
  EXPECT_EQ(asked_.deployments[0].kind, "route");
}

TEST_F(Commands, DomainsWhoseRoutesFailAreKeptAndCanBeRepeated) {
  const App app = make_app("shop", true);
  ASSERT_TRUE(store_->domains().add(app.id, {"shop.test", "www.test"}));
  asked_.exit_code = 1;
  EXPECT_EQ(run({"domains:remove", "shop", "www.test"}), 1);
  EXPECT_EQ(out_.text, "");
  EXPECT_NE(out_.errors.find("The change of shop's domains is kept"), std::string::npos);
  EXPECT_NE(out_.errors.find("davit ps:restart shop"), std::string::npos);
  EXPECT_EQ(*store_->domains().list(app.id), Words{"shop.test"});
  EXPECT_EQ(run({"domains:disable", "shop"}), 1);
  asked_.exit_code = 0;
  EXPECT_EQ(run({"domains:disable", "shop"}), 0);
  EXPECT_NE(out_.text.find("already disabled"), std::string::npos);
  EXPECT_EQ(asked_.deployments.size(), 3U);
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
  EXPECT_EQ(run({"ps:report", "--format", "json", "--ps-restart-policy"}), 1);
  EXPECT_EQ(out_.text, "");
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

TEST_F(Commands, RunHandsItsWordsToTheWorker) {
  make_app("shop", true);
  EXPECT_EQ(run({"run", "--env", "A=1", "shop", "ls", "-la"}), 0);
  const std::string file = (home_.run() / ("env-" + std::to_string(getpid()))).string();
  EXPECT_EQ(asked_.operations.back(), (Words{"run", "shop", "--env-file", file, "--", "ls", "-la"}))
      << "a command line is for all to read";
  EXPECT_FALSE(std::filesystem::exists(file)) << "also where the worker did not get to it";
  EXPECT_EQ(run({"logs", "-t", "-n", "5", "--ps", "web.1", "shop"}), 0);
  EXPECT_EQ(asked_.operations.back(), (Words{"logs", "shop", "--tail", "--num", "5", "--ps", "web.1"}));
  EXPECT_EQ(run({"run:detached", "shop"}), 1);
  EXPECT_NE(out_.errors.find("Usage: davit run:detached <app>"), std::string::npos) << out_.errors;
  asked_.exit_code = 7;
  EXPECT_EQ(run({"enter", "shop", "web", "false"}), 7);
  EXPECT_EQ(asked_.operations.back(), (Words{"enter", "shop", "web", "--", "false"}));
  EXPECT_EQ(run({"enter", "shop", "--", "ls", "-la"}), 7);
  EXPECT_EQ(asked_.operations.back(), (Words{"enter", "shop", "web", "--", "ls", "-la"}));
  EXPECT_EQ(run({"--app", "shop", "enter", "--"}), 7);
  EXPECT_EQ(asked_.operations.back(), (Words{"enter", "shop", "web", "--"}));
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

class Gated : public Commands {
 protected:
  void SetUp() override {
    Commands::SetUp();
    const auto plugins = home_.root / "lib/davit/plugins";
    std::filesystem::create_directories(plugins);
    std::filesystem::copy_file(DAVIT_GATEKEEPER, plugins / "gatekeeper.so");
    std::filesystem::permissions(plugins / "gatekeeper.so", std::filesystem::perms(0755));
    std::ofstream(home_.plugins_toml) << "[host]\n[plugins.gatekeeper]\n";
    make_app("billing", false);
  }
  int over_ssh(const std::string& words) {
    ssh_command_ = words;
    asked_.operations.clear();
    return run({"git:ssh", "ada"});
  }
  /// The apps that the gate is asked about.
  Words judged(const std::string& words) {
    over_ssh(words);
    Words apps;
    for (const Words& operation : asked_.operations) {
      if (operation.front() != "publish") continue;
      EXPECT_EQ(operation.at(1), "auth.authorize");
      auto asked = read_json_object(operation.at(2));
      EXPECT_TRUE(asked) << operation.at(2);
      EXPECT_EQ((*asked)["actor"], "ssh:ada");
      EXPECT_EQ((*asked)["command"], words.substr(0, words.find(' ')));
      apps.push_back((*asked)["app"]);
    }
    return apps;
  }
};

TEST_F(Gated, WhoComesOverSshCannotLeaveTheGateOut) {
  EXPECT_EQ(run({"config:set", "billing", "TOKEN=hidden"}), 0) << out_.errors;
  asked_.exit_code = 1;  // the gate's veto
  for (const char* words :
       {"config:export billing", "--safe-mode config:export billing", "config:export --safe-mode billing",
        "config:export billing --safe-mode", "davit --safe-mode config:export billing"}) {
    EXPECT_EQ(over_ssh(words), 1) << words;
    EXPECT_EQ(out_.text.find("hidden"), std::string::npos) << words;
  }
  EXPECT_NE(out_.errors.find("--safe-mode cannot be given over ssh"), std::string::npos) << out_.errors;
  EXPECT_EQ(run({"--safe-mode", "config:export", "billing"}), 0) << "the owner may";
}

TEST_F(Gated, TheGateIsAskedForEveryAppThatTheWordsName) {
  EXPECT_EQ(judged("apps:list"), Words{""});
  EXPECT_EQ(judged("config:show billing"), Words{"billing"});
  EXPECT_EQ(judged("apps:clone billing mine"), (Words{"billing", "mine"}));
  EXPECT_EQ(judged("apps:rename billing theirs"), (Words{"billing", "theirs"}));
  for (const char* verb : {"link", "unlink", "promote", "linked"})
    EXPECT_EQ(judged("gatekeeper:" + std::string(verb) + " orders billing"), Words{"billing"}) << verb;
  EXPECT_EQ(judged("gatekeeper:app-links billing"), Words{"billing"});
  EXPECT_EQ(judged("gatekeeper:info orders"), Words{""});
  EXPECT_EQ(judged("gates:show billing"), Words{"billing"});
  EXPECT_EQ(judged("gates:show elsewhere"), Words{""}) << "a word that is no app";
  EXPECT_EQ(judged("gates:show --app billing"), Words{"billing"});
  EXPECT_EQ(judged("gates:show --global billing"), Words{""}) << "all apps, whatever the next word is";
  EXPECT_EQ(judged("gates:open billing"), Words{""}) << "no app is meant";
}

TEST_F(Gated, NobodyPassesAGateThatCannotBeAsked) {
  std::ofstream(home_.plugins_toml) << "[host]\n[plugins.gatekeeper.settings]\ntypo = 1\n";
  EXPECT_EQ(over_ssh("apps:list"), 1);
  EXPECT_NE(out_.errors.find("the plugin gatekeeper cannot be asked"), std::string::npos) << out_.errors;
  EXPECT_EQ(run({"apps:list"}), 0) << "the owner may";
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
