// The programs that serve git clients.
#include "git/serve.hpp"

#include "tests/fakes/fake_process_runner.hpp"
#include "tests/unit/git/git_fixture.hpp"

namespace davit {
namespace {

using testing::Contains;

class Serve : public GitTest {
 protected:
  fakes::FakeProcessRunner runner_;
};

TEST_F(Serve, RunsTheServiceOnTheRepositoryByArgv) {
  runner_.on({"receive-pack"}, fakes::ScriptedExit{3, {}, {}, 0});
  EXPECT_EQ(must(serve_git(home, runner_, "git-receive-pack", "shop", "ssh:ada")), 3);
  const Command command = runner_.commands().at(0);
  EXPECT_EQ(command.argv.back(), home.repo("shop").string());
  EXPECT_EQ(command.argv.at(command.argv.size() - 2), "receive-pack");
  EXPECT_THAT(command.env, Contains("DAVIT_ACTOR=ssh:ada"));
  for (const std::string& word : command.argv) EXPECT_EQ(word.find("hooksPath"), std::string::npos);
}

TEST_F(Serve, NoOtherProgramIsRun) {
  for (const char* service : {"git", "git-shell", "receive-pack", "git-receive-pack ", "sh", ""}) {
    EXPECT_FALSE(serve_git(home, runner_, service, "shop", "ssh:ada")) << service;
  }
  EXPECT_TRUE(runner_.commands().empty());
}

TEST_F(Serve, ASignalIsAnExitCodeOfShells) {
  runner_.on({"upload-pack"}, fakes::ScriptedExit{0, {}, {}, 15});
  EXPECT_EQ(must(serve_git(home, runner_, "git-upload-pack", "shop", "ssh:ada")), 128 + 15);
}

}  // namespace
}  // namespace davit
