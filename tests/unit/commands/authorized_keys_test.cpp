// The lines of authorized_keys.
#include "commands/authorized_keys.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

const Home kHome{"/srv/it's here", "/etc/davit/plugins.toml"};
const Installation kInstallation{"/opt/davit"};
constexpr const char* kKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA ada@laptop";

TEST(AuthorizedKeys, ALineIsReadBack) {
  const auto key = parse_public_key("ada", kKey);
  ASSERT_TRUE(key) << key.error().text();
  const std::string line = authorized_line(*key, kHome, kInstallation);
  EXPECT_EQ(
      line,
      "command=\"DAVIT_HOME='/srv/it'\\''s here' DAVIT_ETC='/etc/davit' '/opt/davit/bin/davit' git:ssh ada\","
      "restrict,pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA ada@laptop\n");
  const auto keys = davit_keys(line);
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].name, "ada");
  EXPECT_EQ(keys[0].type, "ssh-ed25519");
  EXPECT_EQ(keys[0].blob, "AAAAC3NzaC1lZDI1NTE5AAAA");
  EXPECT_EQ(keys[0].comment, "ada@laptop");
}

TEST(AuthorizedKeys, OtherLinesStayAsTheyAre) {
  const std::string ours = authorized_line(*parse_public_key("ada", kKey), kHome, kInstallation);
  const std::string others = "# mine\nssh-rsa AAAA me\ncommand=\"/bin/true\" ssh-rsa AAAA x\nno newline";
  const std::string text = "# first\n" + ours + others;
  EXPECT_EQ(davit_keys(text).size(), 1U);
  EXPECT_EQ(without_keys(text, [](const AuthorizedKey& key) { return key.name == "ada"; }),
            "# first\n" + others);
  EXPECT_EQ(without_keys(text, [](const AuthorizedKey& key) { return key.name == "bob"; }), text);
}

TEST(AuthorizedKeys, RefusesWhatIsNoPublicKey) {
  for (const char* bad :
       {"", "# only a comment\n", "hello", "ssh-ed25519", "ssh-ed25519 !!!", "command=\"x\" ssh-ed25519 AAAA",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "ssh-rsa AAAA\nssh-rsa BBBB\n"}) {
    EXPECT_FALSE(parse_public_key("ada", bad)) << bad;
  }
}

TEST(AuthorizedKeys, NamesAreSafeInAFileAndACommand) {
  for (const char* good : {"ada", "ada@laptop", "a.b_c-d", "A1"}) EXPECT_TRUE(check_key_name(good)) << good;
  for (const char* bad : {"", "-x", "a b", "a\"b", "a;b", "a\nb", "$x", "@x"})
    EXPECT_FALSE(check_key_name(bad)) << bad;
  EXPECT_FALSE(check_key_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace davit
