// Source trees out of real repositories.
#include "git/git_source_store.hpp"

#include <sys/stat.h>

#include "tests/unit/git/git_fixture.hpp"

namespace davit {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class SourceStoreTest : public GitTest {
 protected:
  SourceStoreTest() : folder_(root / "out") { fs::create_directories(folder_); }

  Result<CheckedOut> check_out(const std::string& revision, const SourceLimits& limits = {}) {
    deliver(revision);
    return sources_->check_out("shop", revision, folder_.string(), limits, call);
  }
  bool is_empty() { return fs::is_empty(folder_); }

  std::unique_ptr<SourceStore> sources_ = make_git_source_store(home, installation, *processes);
  fs::path folder_;
};

TEST_F(SourceStoreTest, WritesTheTreeAndNothingElse) {
  write("Procfile", "web: serve\n");
  write("deep/er/file", std::string("\0\xff", 2));
  write("bin/run", "#!/bin/sh\n");
  fs::permissions(work / "bin/run", fs::perms::owner_all);
  fs::create_symlink("../Procfile", work / "bin/link");
  const std::string revision = commit("First\n\nand a body");
  const CheckedOut found = must(check_out(revision));
  EXPECT_EQ(found.revision, revision);
  EXPECT_EQ(found.subject, "First");
  EXPECT_EQ(std::to_string(found.changed_unix_ms), git({"log", "-1", "--format=%ct"}) + "000");
  EXPECT_EQ(read(folder_ / "Procfile"), "web: serve\n");
  EXPECT_EQ(read(folder_ / "deep/er/file"), std::string("\0\xff", 2));
  EXPECT_EQ(read(folder_ / "bin/link"), "web: serve\n");
  EXPECT_TRUE(fs::is_symlink(folder_ / "bin/link"));
  struct stat info {};
  ASSERT_EQ(stat((folder_ / "bin/run").c_str(), &info), 0);
  EXPECT_TRUE(info.st_mode & S_IXUSR);
  EXPECT_FALSE(fs::exists(folder_ / ".git"));
  EXPECT_FALSE(fs::exists(folder_.string() + ".index"));
}

TEST_F(SourceStoreTest, ItsTimeIsOfTheNewestCommitThatChangedAFile) {
  const auto commit_at = [this](int seconds, const std::string& tree,
                                const std::vector<std::string>& parents) {
    std::string text = "tree " + tree + "\n";
    for (const std::string& parent : parents) text += "parent " + parent + "\n";
    for (const char* who : {"author", "committer"})
      text += std::string(who) + " Ada <ada@example.com> " + std::to_string(seconds) + " +0000\n";
    return git({"hash-object", "-t", "commit", "-w", "--stdin"}, text + "\na commit\n");
  };
  const auto seconds_of = [this](const std::string& revision) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    return must(check_out(revision)).changed_unix_ms / 1000;
  };
  const std::string file = blob("x");
  const std::string tree = git({"mktree"}, "100644 blob " + file + "\ta\n");
  const std::string first = commit_at(1'100, tree, {commit_at(1'000, git({"mktree"}), {})});
  const std::string again = commit_at(1'200, tree, {first});
  const std::string merge = commit_at(1'400, tree, {again, commit_at(1'300, tree, {first})});
  const std::string mode = commit_at(1'500, git({"mktree"}, "100755 blob " + file + "\ta\n"), {merge});
  const std::string back = commit_at(1'600, tree, {mode});
  EXPECT_EQ(seconds_of(first), 1'100);
  EXPECT_EQ(seconds_of(again), 1'100);
  EXPECT_EQ(seconds_of(merge), 1'100);
  EXPECT_EQ(seconds_of(mode), 1'500);
  EXPECT_EQ(seconds_of(back), 1'600);
}

TEST_F(SourceStoreTest, NamesMayBeOdd) {
  for (const char* name :
       {"with space", "tab\tand\nline", "-rf", "quote'\"", "\xff\xfe", "*", "a\\b", "héé"}) {
    write(name, name);
  }
  must(check_out(commit()));
  EXPECT_EQ(read(folder_ / "tab\tand\nline"), "tab\tand\nline");
  EXPECT_EQ(read(folder_ / "\xff\xfe"), "\xff\xfe");
  EXPECT_EQ(read(folder_ / "-rf"), "-rf");
}

TEST_F(SourceStoreTest, TwoCheckoutsOfOneRepositoryDoNotMeet) {
  write("n", "1");
  const std::string first = commit();
  write("n", "2");
  const std::string second = commit();
  must(check_out(first));
  const fs::path other = root / "other";
  fs::create_directories(other);
  deliver(second);
  must(sources_->check_out("shop", second, other.string(), {}, call));
  EXPECT_EQ(read(folder_ / "n"), "1");
  EXPECT_EQ(read(other / "n"), "2");
}

TEST_F(SourceStoreTest, AttributesOfTheTreeRunNothing) {
  // A filter named by the tree is not configured for us, so the bytes are written as they are.
  write(".gitattributes", "* filter=evil\n*.txt text eol=crlf\n");
  write("x", "bytes");
  must(check_out(commit()));
  EXPECT_EQ(read(folder_ / "x"), "bytes");
}

TEST_F(SourceStoreTest, ALinkThatLeadsOutIsRefusedBeforeAFileIsWritten) {
  for (const char* target : {"/etc/passwd", "../../secret", "a/../../x"}) {
    const std::string revision =
        commit_tree("100644 blob " + blob("x") + "\ta\n120000 blob " + blob(target) + "\tlink\n");
    const auto refused = check_out(revision);
    EXPECT_EQ(slug_of(refused), "tree-link") << target;
    EXPECT_TRUE(is_empty());
  }
}

TEST_F(SourceStoreTest, ManyLinksAreEachChecked) {
  std::string entries;
  for (int i = 100; i < 200; ++i)
    entries += "120000 blob " + blob("target") + "\tl" + std::to_string(i) + "\n";
  must(check_out(commit_tree(entries)));
  const auto refused = check_out(commit_tree(entries + "120000 blob " + blob("../x") + "\tz\n"));
  EXPECT_EQ(slug_of(refused), "tree-link");
  EXPECT_THAT(refused.error().message, HasSubstr("\"z\""));
}

TEST_F(SourceStoreTest, ASubmoduleIsRefused) {
  const auto refused =
      check_out(commit_tree(std::string("160000 commit ") + std::string(40, '1') + "\tlib\n"));
  EXPECT_EQ(slug_of(refused), "tree-submodule");
  EXPECT_TRUE(is_empty());
}

TEST_F(SourceStoreTest, ATreeWithAGitFolderIsRefused) {
  const std::string inner = git({"mktree"}, "100644 blob " + blob("[core]") + "\tconfig\n");
  for (const char* name : {".git", ".GIT"}) {
    const auto refused = check_out(commit_tree("040000 tree " + inner + "\t" + name + "\n"));
    EXPECT_FALSE(refused) << name;
    EXPECT_TRUE(is_empty()) << name;
  }
}

TEST_F(SourceStoreTest, AnEmptyTreeIsRefused) {
  EXPECT_EQ(slug_of(check_out(commit_tree(""))), "tree-empty");
}

TEST_F(SourceStoreTest, SizesAreLimited) {
  write("a", std::string(600, 'a'));
  write("b", std::string(600, 'b'));
  const std::string revision = commit();
  EXPECT_EQ(slug_of(check_out(revision, {1'000, 0})), "tree-too-large");
  EXPECT_EQ(slug_of(check_out(revision, {0, 1})), "tree-too-many");
  EXPECT_TRUE(is_empty());
  must(check_out(revision, {1'200, 2}));
}

TEST_F(SourceStoreTest, LfsPointersAreNamed) {
  write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
  for (const char* name : {"1.bin", "2.bin", "3.bin", "4.bin"}) {
    write(name, std::string("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"));
  }
  write("real.bin", "bytes");
  must(check_out(commit()));
  EXPECT_THAT(out.warnings, Contains(HasSubstr("4 files are Git LFS pointers")));
  EXPECT_THAT(out.warnings, Contains(HasSubstr("1.bin, 2.bin, 3.bin, ...")));
}

TEST_F(SourceStoreTest, WhatLooksLikeAPointerWithoutLfsIsAFile) {
  write("doc", "version https://git-lfs.github.com/spec/v1\n");
  must(check_out(commit()));
  EXPECT_THAT(out.warnings, IsEmpty());
}

TEST_F(SourceStoreTest, WhatIsNoCommitIsSaidSo) {
  EXPECT_EQ(sources_->check_out("shop", "--help", folder_.string(), {}, call).error().code, Code::kInvalid);
  EXPECT_EQ(sources_->check_out("shop", "main", folder_.string(), {}, call).error().code, Code::kInvalid);
  EXPECT_EQ(slug_of(sources_->check_out("shop", std::string(40, '1'), folder_.string(), {}, call)),
            "no-commit");
}

TEST_F(SourceStoreTest, KeptObjectsSurviveAGarbageCollection) {
  write("n", "1");
  const std::string revision = commit();
  deliver(revision);
  must(sources_->keep("shop", revision, "d7"));
  must(sources_->keep("shop", revision, "d7"));
  bare({"update-ref", "-d", "refs/test/" + revision});
  bare({"gc", "-q", "--prune=now"});
  EXPECT_EQ(bare({"rev-parse", "refs/davit/deploys/d7"}), revision);
  must(sources_->check_out("shop", revision, folder_.string(), {}, call));
  must(sources_->forget("shop", "d7"));
  must(sources_->forget("shop", "d7"));
  EXPECT_EQ(bare({"for-each-ref"}), "");
}

TEST_F(SourceStoreTest, ForgettingInARepositoryThatIsGoneIsFine) {
  must(sources_->remove("shop"));
  must(sources_->remove("shop"));
  EXPECT_FALSE(fs::exists(home.repo("shop")));
  must(sources_->forget("shop", "d7"));
}

class MoveRef : public SourceStoreTest {
 protected:
  MoveRef() {
    for (int i = 0; i < 3; ++i) {
      write("n", std::to_string(i));
      ids_.push_back(commit());
      deliver(ids_.back());
    }
  }
  bool move(const std::string& from, const std::string& to) {
    return must(sources_->move_ref("shop", "refs/heads/main", from, to));
  }
  std::string at() {
    const auto id =
        GitCommand(*processes, home.repo("shop").string()).run({"rev-parse", "-q", "--verify", "main"});
    return id ? std::string(trim(*id)) : "none";
  }
  std::vector<std::string> ids_;
};

TEST_F(MoveRef, MakesMovesAndIsContentWithWhatIsDone) {
  EXPECT_TRUE(move(std::string(kZeroId), ids_[0]));
  EXPECT_EQ(at(), ids_[0]);
  EXPECT_TRUE(move(ids_[0], ids_[1]));
  EXPECT_EQ(at(), ids_[1]);
  EXPECT_TRUE(move(ids_[0], ids_[1])) << "git moved it itself";
  EXPECT_TRUE(move(ids_[1], ids_[0])) << "a forced push goes back";
}

TEST_F(MoveRef, LeavesWhatSomebodyElseMoved) {
  EXPECT_TRUE(move("", ids_[0]));
  EXPECT_FALSE(move(std::string(kZeroId), ids_[1])) << "it was to be made, and is there";
  EXPECT_FALSE(move(ids_[1], ids_[2]));
  EXPECT_EQ(at(), ids_[0]);
}

TEST_F(MoveRef, DoesNotMakeWhatSomebodyDeleted) {
  EXPECT_FALSE(move(ids_[0], ids_[1]));
  EXPECT_EQ(at(), "none");
}

TEST_F(MoveRef, TakesAwayTheLocksOfAReceivePackThatWasKilled) {
  EXPECT_TRUE(move("", ids_[0]));
  std::ofstream(home.repo("shop") / "refs/heads/main.lock") << "";
  std::ofstream(home.repo("shop") / "HEAD.lock") << "";
  EXPECT_TRUE(move(ids_[0], ids_[1]));
  EXPECT_EQ(at(), ids_[1]);
  EXPECT_FALSE(fs::exists(home.repo("shop") / "HEAD.lock"));
}

TEST_F(SourceStoreTest, ARenamedRepositoryKeepsItsLimitAndRunsDavitForTheNewName) {
  must(set_push_limit(home, *processes, "shop", 4711));
  must(sources_->rename("shop", "store"));
  EXPECT_FALSE(fs::exists(home.repo("shop")));
  EXPECT_THAT(read(home.repo("store") / "config"), HasSubstr("4711"));
  EXPECT_THAT(repository_problems(home, installation, "store"), IsEmpty());
  must(sources_->rename("shop", "store"));  // once more, as after a death on the way
  EXPECT_THAT(read(home.repo("store") / "config"), HasSubstr("4711"));
}

}  // namespace
}  // namespace davit
