// Fetching from a repository beside ours, and addresses that are refused.
#include "git/remote.hpp"

#include "tests/unit/git/git_fixture.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;

class Remote : public GitTest {
 protected:
  Result<FetchedRef> fetch(const std::string& ref) {
    const GitCommand git(*processes, home.repo("shop").string());
    return fetch_ref(git, *processes, {work.string(), ref, true});
  }
};

TEST_F(Remote, FetchesItsHeadABranchATagAndACommit) {
  write("a", "1");
  const std::string first = commit();
  git({"tag", "-a", "-m", "one", "v1"});
  git({"checkout", "-q", "-b", "next"});
  write("a", "2");
  const std::string second = commit();
  git({"config", "uploadpack.allowAnySHA1InWant", "true"});

  FetchedRef got = must(fetch(""));
  EXPECT_EQ(got.revision, second);
  EXPECT_EQ(got.branch, "next");  // its HEAD
  got = must(fetch("main"));
  EXPECT_EQ(got.revision, first);
  EXPECT_EQ(got.branch, "main");
  got = must(fetch("v1"));
  EXPECT_EQ(got.revision, first);
  EXPECT_EQ(got.branch, "");
  EXPECT_EQ(must(fetch(first)).revision, first);
  EXPECT_EQ(bare({"cat-file", "-t", second}), "commit");
  EXPECT_EQ(bare({"for-each-ref"}), "");
}

TEST_F(Remote, WhatIsNotThereIsSaid) {
  write("a", "1");
  commit();
  const auto missing = fetch("nosuch");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().slug, "no-such-ref");
  const GitCommand git(*processes, home.repo("shop").string());
  const auto nowhere = fetch_ref(git, *processes, {(root / "nowhere").string(), "", true});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().slug, "fetch-failed");
  EXPECT_THAT(nowhere.error().message, HasSubstr("does not appear to be a git repository"));
}

TEST(RemoteUrl, OnlyAddressesOfRepositoriesAreTaken) {
  for (const char* url : {"https://example.com/x.git", "http://u:p@example.com/x", "ssh://git@example.com/x",
                          "git@example.com:x/y.git", "git://example.com/x"})
    EXPECT_TRUE(check_fetch({url, "main", false})) << url;
  for (const char* url : {"", "-x", "--upload-pack=touch /tmp/x", "ext::sh -c id", "ext::id", "/etc",
                          "file:///etc", "https://example.com/a b", "foo"})
    EXPECT_FALSE(check_fetch({url, "main", false})) << url;
  EXPECT_TRUE(check_fetch({"/srv/x.git", "", true}));
  for (const char* ref : {"-x", "a..b", "a b", "a:b", "a~1"})
    EXPECT_FALSE(check_fetch({"https://example.com/x", ref, false})) << ref;
}

TEST(RemoteUrl, APasswordIsNotShown) {
  EXPECT_EQ(shown_url("https://ada:hush@example.com/x.git"), "https://***@example.com/x.git");
  EXPECT_EQ(shown_url("https://example.com/a@b"), "https://example.com/a@b");
  EXPECT_EQ(shown_url("git@example.com:x"), "git@example.com:x");
}

}  // namespace
}  // namespace davit
