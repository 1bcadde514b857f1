// What comes over ssh is split without a shell, and names an app or nothing.
#include "cli/ssh_words.hpp"

#include <gtest/gtest.h>

#include "base/ids.hpp"

namespace davit {
namespace {

using Words = std::vector<std::string>;

TEST(SshWords, SplitsAsAShellWould) {
  EXPECT_EQ(*split_ssh_command(" apps:list  --format json "), (Words{"apps:list", "--format", "json"}));
  EXPECT_EQ(*split_ssh_command("config:set shop 'A=b c' \"D=\\\"e\\\" $F\""),
            (Words{"config:set", "shop", "A=b c", "D=\"e\" $F"}));
  EXPECT_EQ(*split_ssh_command("a\\ b ''"), (Words{"a b", ""}));
  EXPECT_EQ(*split_ssh_command(""), Words{});
}

TEST(SshWords, NothingOfAShellMeansAnything) {
  EXPECT_EQ(*split_ssh_command("apps:list; rm -rf / | $(id) `id` > x && *"),
            (Words{"apps:list;", "rm", "-rf", "/", "|", "$(id)", "`id`", ">", "x", "&&", "*"}));
}

TEST(SshWords, RefusesWhatIsBroken) {
  EXPECT_FALSE(split_ssh_command("a 'b"));
  EXPECT_FALSE(split_ssh_command("a \"b"));
  EXPECT_FALSE(split_ssh_command(std::string_view("a\0b", 3)));
  EXPECT_FALSE(split_ssh_command(std::string(200 * 1024, 'x')));
}

TEST(GitRequest, TakesTheFormsOfARepositorysName) {
  for (const char* form :
       {"'shop'", "'/shop'", "'shop.git'", "'/shop.git'", "'~/shop'", "'~/shop.git'", "shop/", "//shop"}) {
    const auto words = split_ssh_command(std::string("git-receive-pack ") + form);
    ASSERT_TRUE(words && is_git_request(*words)) << form;
    const auto request = git_request(*words);
    ASSERT_TRUE(request) << form;
    EXPECT_EQ(request->app, "shop") << form;
    EXPECT_EQ(request->service, "git-receive-pack");
  }
  const Words spaced{"git", "upload-pack", "shop"};
  ASSERT_TRUE(is_git_request(spaced));
  EXPECT_EQ(git_request(spaced)->service, "git-upload-pack");
}

// As git:ssh does it.
bool names_an_app(const std::string& path) {
  const auto request = git_request({"git-upload-pack", path});
  return request && check_app_name(request->app);
}

TEST(GitRequest, NothingElseIsAnApp) {
  EXPECT_TRUE(names_an_app("www.shop.example"));
  for (const char* path : {"", "/", "..", "../shop", "/../etc", "shop/../x", "/srv/shop.git", "~root/shop",
                           "Shop", "shop ", "-shop", "shop\n", "shop;ls", ".git", "a/.git"}) {
    EXPECT_FALSE(names_an_app(path)) << path;
  }
  EXPECT_FALSE(names_an_app(std::string(64, 'a')));
}

TEST(GitRequest, RefusesPathsAndFlags) {
  EXPECT_FALSE(git_request({"git-upload-pack", "../etc"}));
  EXPECT_FALSE(git_request({"git-upload-pack", "a/b"}));
  EXPECT_FALSE(git_request({"git-upload-pack", "/"}));
  EXPECT_FALSE(git_request({"git-upload-pack"}));
  EXPECT_FALSE(git_request({"git-upload-pack", "--upload-pack=x", "shop"}));
  EXPECT_FALSE(is_git_request({"git-shell", "x"}));
  EXPECT_FALSE(is_git_request({"git", "push"}));
}

}  // namespace
}  // namespace davit
