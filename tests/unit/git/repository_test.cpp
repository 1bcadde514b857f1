// The bare repository: made once, mended often, and its hook run by a real push from a home with an odd name.
#include "git/repository.hpp"

#include "git/serve.hpp"
#include "tests/unit/git/git_fixture.hpp"

namespace davit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RepositoryTest : public GitTest {
 protected:
  RepositoryTest() : GitTest("it's a $HOME `x` \"q\"\nnew") {
    // In the place of davit: writes down how it was called.
    fs::create_directories(installation.davit().parent_path());
    std::ofstream(installation.davit())
        << "#!/bin/sh\n"
           "{ echo \"args=$*\"; echo \"home=$DAVIT_HOME\"; cat; } > \"$DAVIT_HOME/called\"\n"
           "exit $(cat \"$DAVIT_HOME/exit\" 2>/dev/null || echo 0)\n";
    fs::permissions(installation.davit(), fs::perms::owner_all);
  }
  fs::path hook() { return home.repo("shop") / "hooks/pre-receive"; }
  std::vector<std::string> problems() { return repository_problems(home, installation, "shop"); }
};

TEST_F(RepositoryTest, IsMadeOnceAndMendedAfterwards) {
  EXPECT_THAT(problems(), IsEmpty());
  write("a", "b");
  const std::string revision = commit();
  deliver(revision);
  const std::string config = read(home.repo("shop") / "config");
  std::ofstream(hook()) << "#!/bin/sh\nexit 0\n";
  std::ofstream(home.repo("shop") / "config") << "[core]\n\tbare = true\n";
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("hook of shop is not ours")));
  must(create_repository(home, installation, *processes, "shop"));
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(read(home.repo("shop") / "config"), config);
  EXPECT_EQ(bare({"cat-file", "-t", revision}), "commit") << "mending loses nothing";
}

TEST_F(RepositoryTest, IsPrivateAndItsHookRuns) {
  EXPECT_EQ(fs::status(hook()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(bare({"config", "receive.denyNonFastForwards"}), "false");
  EXPECT_EQ(bare({"config", "transfer.hideRefs"}), "refs/davit");
  EXPECT_EQ(bare({"symbolic-ref", "HEAD"}), "refs/heads/main");
}

TEST_F(RepositoryTest, AMissingOneIsAProblem) {
  EXPECT_THAT(repository_problems(home, installation, "other"), ElementsAre("other has no repository"));
}

TEST_F(RepositoryTest, APushRunsDavitWithThisHomeWhateverItsName) {
  write("a", "b");
  const std::string revision = commit();
  const Exit pushed = try_git({"push", "-q", home.repo("shop").string(), "main"});
  // Our own git of the fixture runs no hooks here; receive-pack runs those of the repository.
  ASSERT_TRUE(pushed.ok()) << pushed.err;
  const std::string called = read(home.root / "called");
  EXPECT_THAT(called, HasSubstr("args=git:hook shop\n"));
  EXPECT_THAT(called, HasSubstr("home=" + home.root.string() + "\n"));
  EXPECT_THAT(called, HasSubstr(std::string(kZeroId) + " " + revision + " refs/heads/main\n"));
  EXPECT_EQ(bare({"rev-parse", "main"}), revision);
}

TEST_F(RepositoryTest, AHookThatRefusesMovesNoBranch) {
  std::ofstream(home.root / "exit") << "1";
  write("a", "b");
  commit();
  EXPECT_FALSE(try_git({"push", "-q", home.repo("shop").string(), "main"}).ok());
  EXPECT_EQ(bare({"for-each-ref"}), "");
}

TEST_F(RepositoryTest, OurRefsCannotBePushedNorSeen) {
  write("a", "b");
  const std::string revision = commit();
  deliver(revision);
  bare({"update-ref", "refs/davit/deploys/d1", revision});
  const Exit pushed = try_git({"push", "-q", home.repo("shop").string(), "main:refs/davit/deploys/d2"});
  EXPECT_FALSE(pushed.ok());
  EXPECT_EQ(bare({"for-each-ref", "refs/davit/deploys/d2"}), "");
  EXPECT_THAT(git({"ls-remote", home.repo("shop").string()}), testing::Not(HasSubstr("refs/davit")));
}

}  // namespace
}  // namespace davit
