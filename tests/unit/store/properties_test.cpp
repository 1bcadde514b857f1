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
  must(properties.set(AppId::kGlobal, "nginx", "c", "global"));
  EXPECT_EQ(must(properties.group(shop, "nginx")), (PropertyMap{{"a", ""}, {"b", "2"}}));
  EXPECT_EQ(must(properties.effective_group(shop, "nginx")),
            (PropertyMap{{"a", ""}, {"b", "2"}, {"c", "global"}}));
  const auto all = must(properties.list(shop));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].group + all[1].group + all[1].key + all[2].key, "gitnginxab");
  must(properties.unset_group(shop, "nginx"));
  EXPECT_TRUE(must(properties.group(shop, "nginx")).empty());
  EXPECT_EQ(must(properties.group(shop, "git")).size(), 1U);
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

TEST_F(OrderedLists, ItemsStandWhereTheyWerePut) {
  const ListKey urls{app("shop"), "buildpacks", "urls"};
  auto& lists = store().lists();
  EXPECT_EQ(must(lists.items(urls)), Items{});
  must(lists.add(urls, "b"));
  must(lists.add(urls, "d", 9));
  must(lists.add(urls, "a", 1));
  must(lists.add(urls, "c", 3));
  EXPECT_EQ(must(lists.items(urls)), (Items{"a", "b", "c", "d"}));
  must(lists.replace(urls, 2, "B"));
  must(lists.replace(urls, 5, "e"));
  EXPECT_EQ(must(lists.items(urls)), (Items{"a", "B", "c", "d", "e"}));
  must(lists.remove_at(urls, 1));
  EXPECT_TRUE(must(lists.remove(urls, "d")));
  EXPECT_FALSE(must(lists.remove(urls, "d")));
  EXPECT_EQ(must(lists.items(urls)), (Items{"B", "c", "e"}));
}

TEST_F(OrderedLists, ABadIndexSaysWhichAreGoodAndChangesNothing) {
  const ListKey urls{app("shop"), "buildpacks", "urls"};
  auto& lists = store().lists();
  must(lists.assign(urls, {"a", "b"}));
  EXPECT_EQ(slug_of(lists.add(urls, "x", 0)), "index-invalid");
  EXPECT_EQ(slug_of(lists.replace(urls, 0, "x")), "index-invalid");
  EXPECT_EQ(slug_of(lists.replace(urls, 4, "x")), "index-invalid");
  EXPECT_EQ(slug_of(lists.remove_at(urls, 0)), "index-invalid");
  const auto beyond = lists.remove_at(urls, 3);
  EXPECT_EQ(beyond.error().hint, "The list has the positions 1 to 2");
  EXPECT_EQ(must(lists.items(urls)), (Items{"a", "b"}));
}

TEST_F(OrderedLists, ListsOfOtherScopesAndKeysAreLeftAlone) {
  const AppId shop = app("shop");
  auto& lists = store().lists();
  must(lists.assign({shop, "docker-options", "build"}, {"x", "x"}));
  must(lists.assign({shop, "docker-options", "run"}, {"y"}));
  must(lists.assign({AppId::kGlobal, "docker-options", "build"}, {"z"}));
  must(lists.clear({shop, "docker-options", "build"}));
  EXPECT_EQ(must(lists.items({shop, "docker-options", "build"})), Items{});
  EXPECT_EQ(must(lists.items({shop, "docker-options", "run"})), Items{"y"});
  EXPECT_EQ(must(lists.items({AppId::kGlobal, "docker-options", "build"})), Items{"z"});
}

}  // namespace
}  // namespace davit
