// pre-receive: which pushes deploy, which are refused, and what is kept of them. The quarantine is git's own
// way: an object folder of its own with the repository's as its alternate.
#include "git/receive_hook.hpp"

#include <nlohmann/json.hpp>

#include "lifecycle/identity.hpp"
#include "tests/unit/git/git_fixture.hpp"

namespace davit {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kMiB = 1024ULL * 1024;

class Receive : public GitTest {
 protected:
  ~Receive() override {
    for (const char* name :
         {"GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
          "GIT_PUSH_OPTION_COUNT", "GIT_PUSH_OPTION_0", "GIT_PUSH_OPTION_1"})
      unsetenv(name);
  }

  // Puts the objects of a commit where git receive-pack would have them when it runs the hook.
  void quarantine(const std::string& revision) {
    quarantine_ = home.repo("shop") / "objects" / "tmp_objdir-incoming-Xy";
    fs::create_directories(quarantine_ / "pack");
    const std::string pack =
        git({"pack-objects", "-q", "--revs", (quarantine_ / "pack/pack").string()}, revision + "\n");
    EXPECT_FALSE(pack.empty());
    setenv("GIT_QUARANTINE_PATH", quarantine_.c_str(), 1);
    setenv("GIT_OBJECT_DIRECTORY", quarantine_.c_str(), 1);
    setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", (home.repo("shop") / "objects").c_str(), 1);
  }
  Result<int> push(const std::string& updates) {
    return receive({.home = home,
                    .store = *store,
                    .processes = *processes,
                    .deploy = [this](const PushedRevision& pushed) -> Result<int> {
                      deployed.push_back(pushed);
                      return exit_code;
                    }},
                   "shop", updates, call);
  }
  static std::string line(const std::string& from, const std::string& to, const std::string& ref) {
    return (from.empty() ? std::string(kZeroId) : from) + " " + (to.empty() ? std::string(kZeroId) : to) +
           " " + ref + "\n";
  }

  fs::path quarantine_;
  std::vector<PushedRevision> deployed;
  int exit_code = 0;
};

TEST_F(Receive, AFirstPushIsDeployedAndItsObjectsKept) {
  write("Procfile", "web: x\n");
  const std::string revision = commit();
  quarantine(revision);
  EXPECT_EQ(must(push(line("", revision, "refs/heads/main"))), 0);
  ASSERT_EQ(deployed.size(), 1U);
  EXPECT_EQ(deployed[0].app, "shop");
  EXPECT_EQ(deployed[0].revision, revision);
  EXPECT_EQ(deployed[0].old_revision, kZeroId);
  EXPECT_EQ(deployed[0].ref, "refs/heads/main");
  EXPECT_EQ(deployed[0].source, "git push main");
  ASSERT_TRUE(deployed[0].receiver);
  EXPECT_EQ(*deployed[0].receiver, must(identity_of(getppid())));
  EXPECT_FALSE(deployed[0].no_wait);
  fs::remove_all(quarantine_);  // the pusher goes away, and git throws the quarantine away
  EXPECT_EQ(bare({"cat-file", "-t", revision}), "commit");
  EXPECT_EQ(bare({"show", revision + ":Procfile"}), "web: x");
}

TEST_F(Receive, TheExitCodeIsTheDeployments) {
  write("a", "b");
  const std::string revision = commit();
  quarantine(revision);
  exit_code = 7;
  EXPECT_EQ(must(push(line("", revision, "refs/heads/master"))), 7);
}

TEST_F(Receive, TheRequestIsWhatTheEngineReads) {
  const PushedRevision pushed{"shop",
                              std::string(40, 'a'),
                              std::string(40, 'b'),
                              "refs/heads/fe\"at",
                              "git push fe\"at",
                              ProcessIdentity{"boot", 12, 34},
                              false};
  const auto request = nlohmann::json::parse(pushed.request_json());
  EXPECT_EQ(request["revision"], std::string(40, 'a'));
  EXPECT_EQ(request["old_revision"], std::string(40, 'b'));
  EXPECT_EQ(request["ref"], "refs/heads/fe\"at");
  EXPECT_EQ(request["source"], "git push fe\"at");
  EXPECT_EQ(request["receiver"]["boot_id"], "boot");
  EXPECT_EQ(request["receiver"]["pid"], 12);
  EXPECT_EQ(request["receiver"]["start_time"], 34);
}

TEST_F(Receive, WithoutAReceiverTheRequestNamesNone) {
  const PushedRevision pushed{"shop", std::string(40, 'a'), std::string(40, 'b'), "refs/heads/main", "", {},
                              false};
  EXPECT_FALSE(nlohmann::json::parse(pushed.request_json()).contains("receiver"));
}

TEST_F(Receive, ABranchThatAnotherPushHasMovedMeanwhileIsNotDeployed) {
  write("a", "b");
  const std::string first = commit();
  const std::string second = commit("another");
  const std::string third = commit("one more");
  for (const auto& id : {first, second, third}) deliver(id);
  const ReceiveParts parts{home, *store, *processes, {}};
  const auto check = [&](const std::string& old_id, const std::string& new_id) {
    return check_not_moved(parts, {"shop", new_id, old_id, "refs/heads/main", "", {}, false});
  };
  const std::string none(kZeroId);
  EXPECT_TRUE(check(none, first));
  bare({"update-ref", "refs/heads/main", first});
  EXPECT_TRUE(check(first, second));
  EXPECT_EQ(slug_of(check(none, second)), "branch-moved");

  // Committed, and its git has not moved the branch yet.
  const auto committed = [&](const std::string& old_id, const std::string& new_id) {
    const PushedRevision pushed{"shop", new_id, old_id, "refs/heads/main", "", {}, false};
    const auto row = must(store->journal().open({shop.id, "push", pushed.request_json(), "ssh:ada", {}}));
    must(store->journal().set_state(row.id, DeploymentState::kRunning));
    must(store->journal().set_state(row.id, DeploymentState::kCommitted));
  };
  committed(first, second);
  const auto refused = check(first, third);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("moved to " + second.substr(0, 12)));
  EXPECT_THAT(refused.error().hint, HasSubstr("push again"));
  bare({"update-ref", "refs/heads/main", second});
  EXPECT_TRUE(check(second, third));

  committed(second, third);  // both drain: the last one counts
  bare({"update-ref", "refs/heads/main", third});
  EXPECT_TRUE(check(third, first));
}

TEST_F(Receive, ATagIsStoredNotDeployed) {
  EXPECT_EQ(must(push(line("", std::string(40, '1'), "refs/tags/v1"))), 0);
  EXPECT_THAT(deployed, IsEmpty());
  EXPECT_THAT(out.steps, Contains(HasSubstr("refs/tags/v1 is stored, not deployed")));
}

TEST_F(Receive, ABranchThatIsRemovedIsNotStored) {
  EXPECT_EQ(must(push(line(std::string(40, '1'), std::string(40, '0'), "refs/heads/feature"))), 0);
  EXPECT_THAT(out.steps, ElementsAre("refs/heads/feature is removed"));
}

TEST_F(Receive, AnotherBranchIsStoredNotDeployed) {
  EXPECT_EQ(must(push(line("", std::string(40, '1'), "refs/heads/feature"))), 0);
  EXPECT_THAT(deployed, IsEmpty());
  EXPECT_THAT(out.steps, Contains(HasSubstr("main or master")));
}

TEST_F(Receive, ATagNamedMainIsATag) {
  EXPECT_EQ(must(push(line("", std::string(40, '1'), "refs/tags/main"))), 0);
  EXPECT_THAT(deployed, IsEmpty());
}

TEST_F(Receive, TheDeployBranchCanBeChosen) {
  must(store->properties().set(shop.id, "git", "deploy-branch", "live"));
  write("a", "b");
  const std::string revision = commit();
  quarantine(revision);
  EXPECT_EQ(must(push(line("", revision, "refs/heads/main"))), 0);
  EXPECT_THAT(deployed, IsEmpty());
  EXPECT_EQ(must(push(line("", revision, "refs/heads/live"))), 0);
  EXPECT_EQ(deployed.size(), 1U);
}

TEST_F(Receive, ABranchBesideTheDeployedOneComesAlong) {
  write("a", "b");
  const std::string revision = commit();
  quarantine(revision);
  EXPECT_EQ(must(push(line("", revision, "refs/heads/x") + line("", revision, "refs/heads/main") +
                      line("", revision, "refs/tags/v1"))),
            0);
  EXPECT_EQ(deployed.size(), 1U);
}

TEST_F(Receive, DeletingTheDeployedBranchIsRefused) {
  const auto refused = push(line(std::string(40, '1'), "", "refs/heads/main"));
  EXPECT_EQ(slug_of(refused), "delete-refused");
  EXPECT_THAT(refused.error().hint, HasSubstr("davit ps:stop shop"));
  EXPECT_THAT(deployed, IsEmpty());
}

TEST_F(Receive, DeletingAnotherBranchIsFine) {
  EXPECT_EQ(must(push(line(std::string(40, '1'), "", "refs/heads/feature"))), 0);
}

TEST_F(Receive, TwoDeployedBranchesAtOnceAreRefused) {
  write("a", "b");
  const std::string revision = commit();
  quarantine(revision);
  const auto refused = push(line("", revision, "refs/heads/main") + line("", revision, "refs/heads/master"));
  EXPECT_EQ(slug_of(refused), "several-refs");
  EXPECT_THAT(refused.error().message, HasSubstr("refs/heads/main and refs/heads/master"));
  EXPECT_THAT(deployed, IsEmpty());
}

TEST_F(Receive, AnEmptyTreeIsRefused) {
  const std::string revision = commit("nothing");
  quarantine(revision);
  EXPECT_EQ(slug_of(push(line("", revision, "refs/heads/main"))), "tree-empty");
}

TEST_F(Receive, AFileOverTheLimitIsRefusedAndNothingIsKept) {
  // 300 MiB of zeros are a small pack, and a large file.
  std::ofstream(work / "big").close();
  fs::resize_file(work / "big", 300 * kMiB);
  const std::string revision = commit();
  quarantine(revision);
  const auto refused = push(line("", revision, "refs/heads/main"));
  EXPECT_EQ(slug_of(refused), "blob-too-large");
  EXPECT_THAT(refused.error().message, HasSubstr("\"big\" has 300 MiB; a file may have 100 MiB"));
  EXPECT_THAT(deployed, IsEmpty());
  fs::remove_all(quarantine_);
  unsetenv("GIT_OBJECT_DIRECTORY");
  EXPECT_NE(must(GitCommand(*processes, home.repo("shop").string()).ask({"cat-file", "-e", revision})), 0);
}

TEST_F(Receive, TheLimitOfAFileCanBeSet) {
  must(store->properties().set(shop.id, "git", "max-blob-bytes", "10"));
  write("a", "12345678901");
  const std::string revision = commit();
  quarantine(revision);
  EXPECT_EQ(slug_of(push(line("", revision, "refs/heads/main"))), "blob-too-large");
  must(store->properties().set(shop.id, "git", "max-blob-bytes", "11"));
  EXPECT_EQ(must(push(line("", revision, "refs/heads/main"))), 0);
}

TEST_F(Receive, ATagObjectOnABranchIsFoundOut) {
  // refs/heads/main at something that is no commit: git itself refuses it later; we must not deploy it.
  const std::string id = blob("just bytes");
  quarantine_ = work / ".git/objects";
  setenv("GIT_OBJECT_DIRECTORY", quarantine_.c_str(), 1);
  EXPECT_FALSE(push(line("", id, "refs/heads/main")));
  EXPECT_THAT(deployed, IsEmpty());
}

TEST_F(Receive, APushOptionMeansNoWaiting) {
  write("a", "b");
  const std::string revision = commit();
  quarantine(revision);
  setenv("GIT_PUSH_OPTION_COUNT", "2", 1);
  setenv("GIT_PUSH_OPTION_0", "ci.skip", 1);
  setenv("GIT_PUSH_OPTION_1", "no-wait", 1);
  must(push(line("", revision, "refs/heads/main")));
  EXPECT_TRUE(deployed.at(0).no_wait);
}

TEST_F(Receive, AnAppThatIsNotThereIsSaidSo) {
  must(store->apps().destroy(shop.id));
  EXPECT_EQ(slug_of(push("")), "app-not-found");
}

TEST_F(Receive, NothingToDoIsNothing) {
  EXPECT_EQ(must(push("")), 0);
  EXPECT_THAT(deployed, IsEmpty());
}

TEST(ParseUpdates, ReadsGitsLinesAndNothingElse) {
  const std::string a(40, 'a'), b(40, 'b');
  const auto updates = parse_updates(a + " " + b + " refs/heads/main\n" + b + " " + a + " refs/tags/x\n");
  ASSERT_TRUE(updates);
  ASSERT_EQ(updates->size(), 2U);
  EXPECT_EQ((*updates)[0].old_id, a);
  EXPECT_EQ((*updates)[0].new_id, b);
  EXPECT_EQ((*updates)[1].ref, "refs/tags/x");
  for (const std::string& bad :
       {std::string("hello\n"), a + " " + b + "\n", a + " " + b + " \n", "--help " + b + " refs/heads/main\n",
        a + " " + b + " refs/heads/a b\n", a.substr(1) + " " + b + " refs/heads/main\n"}) {
    EXPECT_FALSE(parse_updates(bad)) << bad;
  }
}

}  // namespace
}  // namespace davit
