// Properties and ordered lists.
#include "store/properties.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

using Properties = StoreTest;
using OrderedLists = StoreTest;
using Items = std::vector<std::string>;

TEST_F(Properties, TheAppsValueCoversTheGlobalOne) {
  const AppId shop = app("shop");
  auto& properties = store().properties();
  EXPECT_FALSE(must(properties.effective(shop, "ps", "restart-policy")));
  must(properties.set(AppId::kGlobal, "ps", "restart-policy", "always"));
  EXPECT_EQ(must(properties.effective(shop, "ps", "restart-policy")), "always");
  EXPECT_FALSE(must(properties.get(shop, "ps", "restart-policy")));
  must(properties.set(shop, "ps", "restart-policy", "no"));
  must(properties.set(shop, "ps", "restart-policy", "on-failure:10"));
  EXPECT_EQ(must(properties.effective(shop, "ps", "restart-policy")), "on-failure:10");
  EXPECT_EQ(must(properties.get(AppId::kGlobal, "ps", "restart-policy")), "always");
  EXPECT_TRUE(must(properties.unset(shop, "ps", "restart-policy")));
  EXPECT_FALSE(must(properties.unset(shop, "ps", "restart-policy")));
  EXPECT_EQ(must(properties.effective(shop, "ps", "restart-policy")), "always");
}

TEST_F(Properties, GroupsDoNotMix) {
  const AppId shop = app("shop");
  auto& properties = store().properties();
  must(properties.set(shop, "nginx", "b", "2"));
  must(properties.set(shop, "nginx", "a", ""));
  must(properties.set(shop, "git", "a", "x"));
  must(properties.set(AppId::kGlobal, "nginx", "b", "global"));
  EXPECT_EQ(must(properties.group(shop, "nginx")), (PropertyMap{{"a", ""}, {"b", "2"}}));
  const auto all = must(properties.list(shop));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].group + all[1].group + all[1].key + all[2].key, "gitnginxab");
}

TEST_F(Properties, ANumberIsWholeOrNone) {
  const AppId shop = app("shop");
  auto& properties = store().properties();
  EXPECT_EQ(properties.number(shop, "ps", "limit", 30), 30U);
  must(properties.set(AppId::kGlobal, "ps", "limit", "7"));
  EXPECT_EQ(properties.number(shop, "ps", "limit", 30), 7U);
  must(properties.set(shop, "ps", "limit", "0"));
  EXPECT_EQ(properties.number(shop, "ps", "limit", 30), 0U) << "that is a number, and somebody's wish";
  for (const char* other : {"", "5x", "-1", " 5", "99999999999999999999"}) {
    must(properties.set(shop, "ps", "limit", other));
    EXPECT_EQ(properties.number(shop, "ps", "limit", 30), 30U) << other;
  }
}

TEST_F(Properties, OneKeyIsFoundEverywhere) {
  const AppId shop = app("shop");
  const AppId blog = app("blog");
  auto& properties = store().properties();
  must(properties.set(blog, "host", "runtime", "docker"));
  must(properties.set(shop, "host", "runtime", "process"));
  must(properties.set(shop, "host", "other", "x"));
  const auto found = must(properties.everywhere("host", "runtime"));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].scope, shop);
  EXPECT_EQ(found[1].value, "docker");
}

TEST_F(OrderedLists, ItemsStandInTheOrderThatTheyWereGiven) {
  const ListKey urls{app("shop"), "buildpacks", "urls"};
  auto& lists = store().lists();
  EXPECT_EQ(must(lists.items(urls)), Items{});
  must(lists.assign(urls, {"b", "a", "c"}));
  EXPECT_EQ(must(lists.items(urls)), (Items{"b", "a", "c"}));
  must(lists.assign(urls, {"c", "b"}));
  EXPECT_EQ(must(lists.items(urls)), (Items{"c", "b"}));
}

TEST_F(OrderedLists, ListsOfOtherScopesAndKeysAreLeftAlone) {
  const AppId shop = app("shop");
  auto& lists = store().lists();
  must(lists.assign({shop, "docker-options", "build"}, {"x", "x"}));
  must(lists.assign({shop, "docker-options", "run"}, {"y"}));
  must(lists.assign({AppId::kGlobal, "docker-options", "build"}, {"z"}));
  must(lists.assign({shop, "docker-options", "build"}, {}));
  EXPECT_EQ(must(lists.items({shop, "docker-options", "build"})), Items{});
  EXPECT_EQ(must(lists.items({shop, "docker-options", "run"})), Items{"y"});
  EXPECT_EQ(must(lists.items({AppId::kGlobal, "docker-options", "build"})), Items{"z"});
}

}  // namespace
}  // namespace davit
