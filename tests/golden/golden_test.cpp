// What the real program prints, word for word: help, messages, reports, lists. The expected texts are in
// expected/NAME.txt; DAVIT_UPDATE_GOLDEN=1 writes them anew (then read the difference before you commit it).
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "process/process_runner.hpp"
#include "store/store.hpp"
#include "tests/temp_folder.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr const char* kDavit = DAVIT_BUILD_DIR "/bin/davit";
constexpr const char* kExpected = DAVIT_SOURCE_DIR "/tests/golden/expected";

/// A clock that stands still, so that times can be written down.
class StoppedClock final : public Clock {
 public:
  [[nodiscard]] UnixMs now_unix_ms() const override { return 1'764'000'000'000; }
  [[nodiscard]] MonoMs now_mono_ms() const override { return 1; }
};

class Golden : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(home_ / "run");
    std::ofstream(home_ / "plugins.toml") << "[host]\n";
    auto store = Store::open(home_ / "davit.db", StoreMode::kCreate, clock_);
    ASSERT_TRUE(store);
    fill(*store);
  }

  virtual void fill(Store&) {}

  Exit run(const Words& words, const std::string& program = kDavit, const std::string& variable = "A=") {
    Command command;
    command.argv = {program};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    command.env = {"DAVIT_HOME=" + home_.string(), "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", variable};
    command.out = OutputCapture{};
    command.err = OutputCapture{};
    auto exit = processes_->run(command);
    EXPECT_TRUE(exit) << exit.error().text();
    return exit ? *exit : Exit{};
  }

  /// "$ davit WORDS", what it printed, its errors with "! " in front, and the exit code.
  std::string transcript(const std::vector<Words>& lines) {
    std::string text;
    for (const Words& words : lines) {
      const Exit exit = run(words);
      text += "$ davit";
      for (const std::string& word : words) text += " " + word;
      text += "\n" + exit.out;
      if (!exit.err.empty()) text += "[stderr]\n" + exit.err;
      if (exit.code != 0) text += "[exit " + std::to_string(exit.code) + "]\n";
    }
    for (auto at = text.find(home_.string()); at != std::string::npos; at = text.find(home_.string(), at)) {
      text.replace(at, home_.string().size(), "HOME");
    }
    return text;
  }

  static void compare(const std::string& name, const std::string& actual) {
    const fs::path file = fs::path(kExpected) / (name + ".txt");
    if (::getenv("DAVIT_UPDATE_GOLDEN") != nullptr) {
      fs::create_directories(kExpected);
      std::ofstream(file) << actual;
      return;
    }
    std::ifstream stream(file);
    ASSERT_TRUE(stream) << file << " is missing";
    std::stringstream expected;
    expected << stream.rdbuf();
    EXPECT_EQ(actual, expected.str()) << "against " << file;
  }

  StoppedClock clock_;
  std::unique_ptr<ProcessRunner> processes_ = make_process_runner();
  const test::TempFolder folder_;
  const fs::path home_ = folder_.path();
};

TEST_F(Golden, Help) {
  compare("help", transcript({{"help"}, {"help", "--all"}}));
}

TEST_F(Golden, HelpOfGroups) {
  std::vector<Words> lines;
  for (const char* group :
       {"apps", "builds", "checks", "config", "deploys", "domains", "enter", "git", "logs", "plugin", "ps",
        "releases", "resource", "retention", "run", "ssh-keys", "storage", "system"}) {
    lines.push_back({std::string(group) + ":help"});
  }
  lines.push_back({"config:set", "--help"});
  lines.push_back({"ps:set", "--help"});
  compare("help_groups", transcript(lines));
}

TEST_F(Golden, EnablingAPluginWritesDownWhereItsEngineIs) {
  const auto settings = [&] {
    std::stringstream text;
    text << std::ifstream(home_ / "plugins.toml").rdbuf();
    return text.str();
  };
  const std::string found = "settings]\nsocket = \"" + (home_ / "engine.sock").string() + "\"\n";
  std::ofstream(home_ / "plugins.toml") << "[host]\n[plugins.dockerfile]\n";
  std::ofstream(home_ / "engine.sock") << "";
  std::ofstream(home_ / "other.sock") << "";
  ASSERT_EQ(
      run({"plugin:enable", "nginx"}, kDavit, "DOCKER_HOST=unix://" + (home_ / "other.sock").string()).code,
      0);
  EXPECT_EQ(settings().find("socket"), std::string::npos) << "another plugin's";
  for (const char* name : {"engine.sock", "other.sock"}) {
    ASSERT_EQ(run({"plugin:enable", "docker"}, kDavit, "DOCKER_HOST=unix://" + (home_ / name).string()).code,
              0);
    EXPECT_NE(settings().find("[plugins.docker." + found), std::string::npos) << settings();
    EXPECT_NE(settings().find("[plugins.dockerfile." + found), std::string::npos) << settings();
  }
}

TEST_F(Golden, TheThreeWaysToAGroupsHelpAreOne) {
  for (const char* group : {"apps", "ps", "domains"}) {
    const std::string first = run({std::string(group) + ":help"}).out;
    EXPECT_TRUE(first.starts_with("Manage app") || first.starts_with("Manage domains")) << first;
    EXPECT_EQ(run({group}).out, first);
    EXPECT_EQ(run({group, "--help"}).out, first);
  }
}

TEST_F(Golden, CalledAsDokkuItNamesItselfSo) {
  const fs::path link = home_ / "dokku";
  fs::create_symlink(kDavit, link);
  const Exit exit = run({"foo"}, link.string());
  EXPECT_EQ(exit.code, 1);
  EXPECT_EQ(exit.err,
            " !     `foo` is not a dokku command.\n !     See `dokku help` for a list of commands\n");
}

TEST_F(Golden, Messages) {
  compare("messages", transcript({{"foo"},
                                  {"apps:list"},
                                  {"apps:list", "--format", "json"},
                                  {"apps:exists", "nope"},
                                  {"apps:create", "Not-Good"},
                                  {"apps:create", "a..b"},
                                  {"apps:create", "-x"},
                                  {"apps:create"},
                                  {"ps:report"},
                                  {"ps:set", "--global"},
                                  {"ps:set", "--global", "nope", "x"},
                                  {"apps:list", "--fromat", "json"},
                                  {"config:set", "nope", "A=1"},
                                  {"ssh-keys:list"}}));
}

class GoldenWithApp : public Golden {
 protected:
  void fill(Store& store) override {
    const auto app = store.apps().create("shop");
    ASSERT_TRUE(app);
    ASSERT_TRUE(store.domains().add(AppId::kGlobal, {"localhost"}));
    ASSERT_TRUE(store.config().set_many(app->id, {{"A", Secret("1")}, {"LONG_KEY", Secret("two words")}}));
    ASSERT_TRUE(store.properties().set(app->id, "ps", "restart-policy", "always"));
    ReleaseSpec spec;
    spec.revision = "0123456789012345678901234567890123456789";
    spec.source = "git push main";
    spec.description = "Deploy 0123456";
    spec.actor = "local:ada";
    spec.runtime = "process";
    spec.processes = {{"web", "python3 server.py", {}, ""}};
    ASSERT_TRUE(store.releases().create(app->id, spec));
  }
};

TEST_F(GoldenWithApp, ReportsAndLists) {
  compare("reports", transcript({{"apps:list"},
                                 {"apps:report", "shop"},
                                 {"ps:report", "shop"},
                                 {"ps:report", "shop", "--format", "json"},
                                 {"ps:report", "shop", "--ps-restart-policy"},
                                 {"ps:report", "shop", "--nope"},
                                 {"ps:report", "--global"},
                                 {"checks:report", "shop"},
                                 {"domains:report", "shop"},
                                 {"git:report", "shop"},
                                 {"config:show", "shop"},
                                 {"config:keys", "shop"},
                                 {"config:export", "shop", "--format", "json"},
                                 {"releases:list", "shop"},
                                 {"releases:list", "shop", "--format", "json"},
                                 {"releases:info", "shop", "v1"},
                                 {"deploys:list", "shop"}}));
}

TEST_F(GoldenWithApp, CommandsOfPlugins) {
  std::ofstream(home_ / "plugins.toml") << "[host]\n[plugins.user-env-compile]\n"
                                           "[plugins.user-env-compile.settings]\nblock = [\"MY_*\"]\n";
  compare("build_env", transcript({{"build-env:help"},
                                   {"build-env:set", "shop", "NODE_ENV=production", "EMPTY="},
                                   {"build-env:set", "--secret", "shop", "NPM_TOKEN=s3cret"},
                                   {"build-env:set", "--secret", "shop", "PIN=1234"},
                                   {"build-env:unset", "shop", "PIN"},
                                   {"build-env:set", "--global", "CURL_TIMEOUT=900", "EMPTY=global"},
                                   {"build-env:set", "shop", "PATH=/evil"},
                                   {"build-env:set", "shop", "MY_OWN=x"},
                                   {"build-env:set", "shop", "two words"},
                                   {"build-env:set", "shop", "A-B=c"},
                                   {"build-env:set", "shop", "CURL_TIMEOUT=soon"},
                                   {"build-env:set", "shop"},
                                   {"build-env:set", "nope", "A=1"},
                                   {"build-env:list", "shop"},
                                   {"build-env:list", "shop", "--format", "json"},
                                   {"build-env:list", "--global"},
                                   {"build-env:report", "shop"},
                                   {"build-env:report", "shop", "--format", "json"},
                                   {"build-env:report", "shop", "--build-env-curl-timeout"},
                                   {"build-env:report", "--global", "--build-env-curl-connect-timeout"},
                                   {"build-env:unset", "shop", "NODE_ENV", "NOT_THERE"},
                                   {"build-env:unset", "shop"},
                                   {"build-env:list", "shop", "--format", "json"}}));
}

TEST_F(GoldenWithApp, HelpOfASetCommandSaysWhatCanBeSet) {
  std::ofstream(home_ / "plugins.toml") << "[host]\n[plugins.docker]\n";
  for (const char* command : {"ps:set", "docker:set"}) {
    const std::string text = run({"help", command}).out;
    EXPECT_EQ(run({command, "--help"}).out, text);
    EXPECT_NE(text.find("Properties, and their defaults:"), std::string::npos) << text;
  }
  EXPECT_NE(run({"help", "docker:set"}).out.find("port    Port at which the app's image answers"),
            std::string::npos);
  EXPECT_EQ(run({"docker:set", "shop"}).err, " !     No property specified\n !     Name one of: port\n");
}

TEST_F(GoldenWithApp, AListOfAPluginIsNotSetAsOneValue) {
  std::ofstream(home_ / "plugins.toml") << "[host]\n[plugins.docker]\n";
  EXPECT_EQ(run({"docker-options:set", "shop", "deploy", "--privileged"}).code, 1);
  EXPECT_EQ(run({"docker-options:help"}).out.find("docker-options:set"), std::string::npos);
}

TEST_F(GoldenWithApp, AReportOfAnAppThatIsNotThereIsAnError) {
  std::ofstream(home_ / "plugins.toml") << "[host]\n[plugins.docker]\n";
  for (const char* command : {"ps:report", "stack:report", "docker-options:report", "registry:report"})
    EXPECT_EQ(run({command, "nope"}).code, 20) << command;
}

TEST_F(GoldenWithApp, AReportOfAllAppsIsOneObject) {
  std::ofstream(home_ / "plugins.toml") << "[host]\n[plugins.docker]\n";
  for (const char* command : {"stack:report", "docker-options:report", "registry:report"}) {
    const auto all = run({command, "--format", "json"}).out;
    EXPECT_EQ(all.find("{\"shop\":{"), 0U) << command << all;
    EXPECT_EQ(run({command, "shop", "--format", "json"}).out, all.substr(8, all.size() - 10) + "\n");
  }
}

TEST_F(GoldenWithApp, CompletionScriptsAreGoodShell) {
  const std::string script = run({"completion", "bash"}).out;
  std::ofstream(home_ / "complete.bash")
      << script
      << "\nCOMP_LINE='davit apps:cr' COMP_POINT=13 COMP_CWORD=1 COMP_WORDS=(davit apps:cr) "
         "COMP_WORDBREAKS=' '\n_davit_complete\necho \"${COMPREPLY[*]}\"\n"
         "COMP_LINE='davit ps:scale sh' COMP_POINT=17 COMP_CWORD=2\n_davit_complete\n"
         "echo \"${COMPREPLY[*]}\"\n";
  Command command;
  command.argv = {"bash", (home_ / "complete.bash").string()};
  command.env = {"PATH=" + fs::path(kDavit).parent_path().string() + ":/usr/bin:/bin",
                 "DAVIT_HOME=" + home_.string()};
  command.out = OutputCapture{};
  command.err = OutputCapture{};
  const auto exit = processes_->run(command);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->out, "apps:create\nshop\n") << exit->err;
}

// A real, interactive zsh on a pty (zpty): lines are typed with a tab behind them, and a key of ours
// prints what became of them.
TEST_F(GoldenWithApp, CompletionWorksInZsh) {
  std::ofstream(home_ / "complete.zsh") << R"zsh(
zmodload zsh/zpty
zpty t env TERM=dumb zsh -f -i
zpty -w t 'PS1=; unsetopt zle_bracketed_paste 2>/dev/null; autoload -U compinit; compinit -u -D
  eval "$(davit completion zsh)"; show() { print -r -- "<$BUFFER>"; BUFFER= }; zle -N show
  bindkey -e; bindkey "^G" show; print re""ady'
zpty -r -m t seen '*ready*'
for line in 'davit apps:cr' 'davit ps:scale sh' 'davit apps:list --form' 'davit --tra'; do
  zpty -w -n t "$line"$'\t\a'
  zpty -r -m t seen '*<*>*'
  print -r -- "${${seen##*<}%%>*}"
done
)zsh";
  Command command;
  command.argv = {"zsh", "-f", (home_ / "complete.zsh").string()};
  command.env = {"PATH=" + fs::path(kDavit).parent_path().string() + ":/usr/bin:/bin",
                 "DAVIT_HOME=" + home_.string()};
  command.out = OutputCapture{};
  command.err = OutputCapture{};
  command.deadline_ms = 60'000;
  const auto exit = processes_->run(command);
  ASSERT_TRUE(exit) << "zsh is missing: run scripts/install-deps";
  EXPECT_EQ(exit->out,
            "davit apps:create \ndavit ps:scale shop \ndavit apps:list --format \ndavit --trace \n")
      << exit->err;
}

TEST_F(Golden, WithoutAHomeItSaysHowToMakeOne) {
  fs::remove(home_ / "davit.db");
  const Exit exit = run({"apps:list"});
  EXPECT_EQ(exit.code, 1);
  EXPECT_NE(exit.err.find("Make one: davit init"), std::string::npos) << exit.err;
  EXPECT_EQ(run({"help"}).code, 0);
  EXPECT_EQ(run({"version"}).code, 0);
}

}  // namespace
}  // namespace davit
