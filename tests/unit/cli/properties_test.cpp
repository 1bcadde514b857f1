// GROUP:set checks and GROUP:report rows, on a real store.
#include "cli/properties.hpp"

#include <gtest/gtest.h>

#include "store/store.hpp"
#include "tests/temp_folder.hpp"

namespace davit {
namespace {

PropertyGroup group() {
  return {"ps",
          "ps",
          {{"restart-policy", "on-failure:10", true, true, check_restart_policy},
           {"restore", "true", false, true, check_boolean}}};
}

TEST(PropertyCheck, HasDokkusTexts) {
  EXPECT_EQ(check_property(group(), false, "", "").error().message, "No property specified");
  EXPECT_EQ(check_property(group(), false, "", "").error().hint, "Name one of: restart-policy, restore");
  EXPECT_EQ(check_property(group(), false, "nope", "x").error().message,
            "Invalid property specified, valid properties include: restart-policy, restore");
  EXPECT_EQ(check_property(group(), true, "restore", "true").error().message,
            "Property cannot be specified globally");
  EXPECT_TRUE(check_property(group(), true, "restart-policy", "always"));
  EXPECT_TRUE(check_property(group(), false, "restore", ""));  // unsetting needs no good value
  EXPECT_FALSE(check_property(group(), false, "restore", "maybe"));
}

TEST(PropertyCheck, RestartPolicies) {
  for (const char* good : {"always", "no", "unless-stopped", "on-failure", "on-failure:20"})
    EXPECT_TRUE(check_restart_policy(good)) << good;
  for (const char* bad : {"", "sometimes", "on-failure:", "on-failure:x", "on-failure:-1"})
    EXPECT_FALSE(check_restart_policy(bad)) << bad;
}

TEST(PropertyCheck, Branches) {
  for (const char* good : {"main", "feature/x", "v1.0"}) EXPECT_TRUE(check_branch(good)) << good;
  for (const char* bad : {"-x", "a..b", "a b", "a~1", "x.lock", "/a", "a//b", "a/.b", "a\tb", "a@{b"})
    EXPECT_FALSE(check_branch(bad)) << bad;
}

TEST(PropertyCheck, PathsStayInTheSource) {
  EXPECT_TRUE(check_relative_path(".davit/Procfile"));
  EXPECT_FALSE(check_relative_path("/etc/passwd"));
  EXPECT_FALSE(check_relative_path("a/../../b"));
}

TEST(PropertyReport, HasThreeKeysForWhatCanBeGlobal) {
  const test::TempFolder folder;
  const SystemClock clock;
  auto store = Store::open(folder / "davit.db", StoreMode::kCreate, clock);
  ASSERT_TRUE(store);
  const auto app = store->apps().create("shop");
  ASSERT_TRUE(app);
  ASSERT_TRUE(store->properties().set(AppId::kGlobal, "ps", "restart-policy", "always"));

  Report report("ps", "shop");
  ASSERT_TRUE(report_properties(report, group(), store->properties(), app->id));
  EXPECT_EQ(report.value("--ps-restart-policy"), "");
  EXPECT_EQ(report.value("--ps-global-restart-policy"), "always");
  EXPECT_EQ(report.value("--ps-computed-restart-policy"), "always");
  EXPECT_EQ(report.value("--ps-restore"), "true");

  ASSERT_TRUE(store->properties().set(app->id, "ps", "restart-policy", "no"));
  Report own("ps", "shop");
  ASSERT_TRUE(report_properties(own, group(), store->properties(), app->id));
  EXPECT_EQ(own.value("--ps-computed-restart-policy"), "no");

  Report global("ps", "Global");
  ASSERT_TRUE(report_properties(global, group(), store->properties(), AppId::kGlobal));
  EXPECT_FALSE(global.value("--ps-restart-policy"));
  EXPECT_FALSE(global.value("--ps-restore"));
}

}  // namespace
}  // namespace davit
