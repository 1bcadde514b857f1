// Which names pass the door.
#include "base/ids.hpp"

#include <gtest/gtest.h>

#include <string>

namespace davit {
namespace {

TEST(Ids, AppNames) {
  for (const char* good : {"a", "7", "shop", "my-shop-2", "www.example.com", "a--b"}) {
    EXPECT_TRUE(check_app_name(good)) << good;
  }
  EXPECT_TRUE(check_app_name(std::string(63, 'a')));
  for (const char* bad : {"", "..", "a..b", "a/b", "../etc", "Shop", "my shop", "-a", "a-", ".a", "a.", "a_b",
                          "ä", "a\n", "a;b"}) {
    const auto result = check_app_name(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, Code::kInvalid);
    EXPECT_EQ(result.error().slug, "app-name-invalid");
    EXPECT_FALSE(result.error().hint.empty());
  }
  EXPECT_FALSE(check_app_name(std::string(64, 'a')));
  EXPECT_FALSE(check_app_name(std::string_view("a\0b", 3)));
}

TEST(Ids, ABadNameCannotBreakTheTerminalOrFloodIt) {
  const auto escape = check_app_name("\x1b[2Jx");
  EXPECT_EQ(escape.error().message.find('\x1b'), std::string::npos);
  EXPECT_LT(check_app_name(std::string(100'000, 'X')).error().message.size(), 200U);
}

TEST(Ids, Domains) {
  for (const char* good :
       {"localhost", "www.example.com", "*.example.com", "a-b.c", "_dmarc.example.com", "1.2.3.4"}) {
    EXPECT_TRUE(check_domain(good)) << good;
  }
  for (const char* bad : {"", "*", "*.", "a.*.com", "**.a", ".a", "a.", "a..b", "A.com", "a b", "a/b",
                          "-a.com", "a-.com", "a:80", "a;", "a{"}) {
    EXPECT_FALSE(check_domain(bad)) << bad;
  }
  EXPECT_FALSE(check_domain(std::string(64, 'a') + ".com"));
  std::string long_name;
  while (long_name.size() <= 253) long_name += "abcdefg.";
  EXPECT_FALSE(check_domain(long_name + "com"));
}

TEST(Ids, ConfigKeysProcessTypesAndPlugins) {
  EXPECT_TRUE(check_config_key("_A9"));
  for (const char* bad : {"", "9A", "A-B", "A B", "A=B", "Ä"}) EXPECT_FALSE(check_config_key(bad)) << bad;
  EXPECT_TRUE(check_process_type("web"));
  EXPECT_TRUE(check_process_type("Worker_2-fast"));
  for (const char* bad : {"", "-web", "_web", "we b", "web:", "a/b"})
    EXPECT_FALSE(check_process_type(bad)) << bad;
  EXPECT_FALSE(check_process_type(std::string(64, 'a')));
  EXPECT_TRUE(check_plugin_id("user-env-compile"));
  for (const char* bad : {"", "-a", "A", "a_b", "a/b"}) EXPECT_FALSE(check_plugin_id(bad)) << bad;
}

TEST(Ids, InstancesAreNamedByOwnerRevisionTypeAndNumber) {
  EXPECT_EQ(instance_id("shop", "d17", "web", 1), "shop.d17.web.1");
}

}  // namespace
}  // namespace davit
