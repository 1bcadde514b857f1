// The pure parts: names, secrets, rows. What the commands print is a golden test, what a build sees an
// end-to-end test.
#include "names.hpp"

#include <gtest/gtest.h>

#include "secrets.hpp"
#include "variables.hpp"

namespace davit::build_env {
namespace {

TEST(Names, Patterns) {
  EXPECT_TRUE(matches("PATH", "PATH"));
  EXPECT_FALSE(matches("PATH", "PATHS"));
  EXPECT_FALSE(matches("PATH", "XPATH"));
  EXPECT_TRUE(matches("GIT_*", "GIT_DIR"));
  EXPECT_TRUE(matches("*_PATH", "LD_LIBRARY_PATH"));
  EXPECT_TRUE(matches("A*B*C", "AxxBxBxC"));
  EXPECT_FALSE(matches("A*B*C", "AxxBxBx"));
  EXPECT_TRUE(matches("*", "ANY"));
  EXPECT_TRUE(matches("**", ""));
  EXPECT_FALSE(matches("", "A"));
}

TEST(Names, WhatBreaksABuildIsKeptOutUnlessItIsAllowed) {
  const NameRules none({}, {});
  for (const char* name : {"PATH", "LD_PRELOAD", "GIT_DIR", "BASH_ENV", "HOME", "DAVIT_DOWNLOADS",
                           "GIT_COMMON_DIR", "C_INCLUDE_PATH", "GCONV_PATH", "PYTHONHOME", "STACK"})
    EXPECT_FALSE(none.allows(name)) << name;
  for (const char* name : {"NODE_ENV", "CURL_TIMEOUT", "GIT_AUTHOR_NAME", "MY_PATH", "LANG", "PIP_INDEX_URL",
                           "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "RUBYOPT", "NODE_OPTIONS", "PYTHONPATH",
                           "JAVA_TOOL_OPTIONS", "LDFLAGS", "BUNDLE_WITHOUT"})
    EXPECT_TRUE(none.allows(name)) << name;
  const NameRules strict({"*"}, {"NODE_*", "LD_LIBRARY_PATH"});
  EXPECT_TRUE(strict.allows("NODE_ENV"));
  EXPECT_TRUE(strict.allows("LD_LIBRARY_PATH"));
  EXPECT_FALSE(strict.allows("RAILS_ENV"));
}

TEST(Names, Variables) {
  EXPECT_TRUE(is_variable("_a1"));
  for (const char* name : {"", "1a", "a b", "a-b", "a=b", "\xc3\xa9"})
    EXPECT_FALSE(is_variable(name)) << name;
}

TEST(Secrets, ByTheWordsOfTheName) {
  for (const char* name : {"SECRET_KEY_BASE", "NPM_TOKEN", "DB_PASSWORD", "db_pass", "STRIPE_API_KEY",
                           "DB_PWD", "AUTH", "PGPASSWORD", "APP_SECRETS", "OAUTHTOKEN", "MYSQL_ROOTPASSWD"})
    EXPECT_TRUE(is_secret_name(name, {})) << name;
  for (const char* name : {"NODE_ENV", "KEYBOARD", "MONKEY", "STRIPE_PUBLIC_KEY", "PWD", "OLDPWD",
                           "PASSENGER_PORT", "TOKENIZER", "PASSWORD_PUBLIC"})
    EXPECT_FALSE(is_secret_name(name, {})) << name;
  EXPECT_TRUE(is_secret_name("LICENSE_ID", {"LICENSE*"}));
}

TEST(Secrets, OfUrls) {
  using List = std::vector<std::string>;
  EXPECT_EQ(secrets_of_urls("mysql://shop:s3c:ret@db:3306/shop"), List{"s3c:ret"});
  EXPECT_EQ(secrets_of_urls("https://x:a@b@host/path?q=@"), List{"a@b"});
  EXPECT_EQ(secrets_of_urls("https://u:firstpass@a/ https://u:secondpass@b/"),
            (List{"firstpass", "secondpass"}));
  EXPECT_EQ(secrets_of_urls("https://u:firstpass@a,https://u:secondpass@b"),
            (List{"firstpass", "secondpass"}));
  EXPECT_EQ(secrets_of_urls("git+https://ghp_abcdef123456@github.com/x.git"), List{"ghp_abcdef123456"});
  EXPECT_EQ(secrets_of_urls("https://ghp_abcdef123456:x-oauth-basic@github.com"),
            (List{"x-oauth-basic", "ghp_abcdef123456"}));
  for (const char* value : {"https://host/a:b@c", "https://user@host/", "https://user:@host/",
                            "user:pass@host", "ssh://a-user-of-a-long-name@host", "://", ""})
    EXPECT_EQ(secrets_of_urls(value), List{}) << value;
}

TEST(Variables, RowsKeepEveryByte) {
  const std::string bytes("a\0b\n\xff=s", 7);
  for (const bool secret : {true, false}) {
    const Variable back = variable_of(row_of({bytes, secret}));
    EXPECT_EQ(back.value, bytes);
    EXPECT_EQ(back.secret, secret);
  }
  EXPECT_EQ(variable_of(row_of({"", false})).value, "");
}

}  // namespace
}  // namespace davit::build_env
