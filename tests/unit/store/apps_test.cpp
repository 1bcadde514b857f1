// Apps.
#include "store/apps.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

using Apps = StoreTest;
using Names = std::vector<std::string>;

TEST_F(Apps, ANewAppHasItsNameAndTime) {
  const App made = must(store().apps().create("shop"));
  EXPECT_EQ(made.name, "shop");
  EXPECT_EQ(made.created_at_ms, clock_.now_unix_ms());
  const App read = must(store().apps().get("shop"));
  EXPECT_EQ(read.id, made.id);
  EXPECT_EQ(read.created_at_ms, made.created_at_ms);
  EXPECT_FALSE(read.locked_at_ms);
  EXPECT_FALSE(read.deployed);
  EXPECT_EQ(must(store().apps().get(made.id)).name, "shop");
}

TEST_F(Apps, ANameIsTakenOnce) {
  app("shop");
  const auto again = store().apps().create("shop");
  EXPECT_EQ(slug_of(again), "name-taken");
  EXPECT_EQ(again.error().message, "Name is already taken");
  EXPECT_EQ(again.error().code, Code::kConflict);
}

TEST_F(Apps, BadNamesMakeNoApp) {
  for (const char* bad : {"", "..", "a/b", "Shop", "a b", "-a"}) {
    EXPECT_EQ(slug_of(store().apps().create(bad)), "app-name-invalid") << bad;
  }
  EXPECT_EQ(must(store().apps().names()), Names{});
}

TEST_F(Apps, AMissingAppIsNamed) {
  const auto missing = store().apps().get("nope");
  EXPECT_EQ(slug_of(missing), "app-not-found");
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_EQ(missing.error().message, "App nope does not exist");
  EXPECT_FALSE(must(store().apps().exists("nope")));
}

TEST_F(Apps, TheGlobalScopeIsNoApp) {
  EXPECT_FALSE(must(store().apps().exists("")));
  EXPECT_EQ(slug_of(store().apps().get("")), "app-not-found");
  EXPECT_EQ(slug_of(store().apps().get(AppId::kGlobal)), "app-not-found");
  EXPECT_EQ(slug_of(store().apps().destroy(AppId::kGlobal)), "app-not-found");
  EXPECT_EQ(slug_of(store().apps().rename(AppId::kGlobal, "x")), "app-not-found");
  EXPECT_EQ(slug_of(store().apps().lock(AppId::kGlobal)), "app-not-found");
  EXPECT_EQ(must(store().apps().list()).size(), 0U);
}

TEST_F(Apps, ListsAreSortedByBytes) {
  for (const char* name : {"b", "a10", "a2", "a.b", "a-b"}) app(name);
  EXPECT_EQ(must(store().apps().names()), (Names{"a-b", "a.b", "a10", "a2", "b"}));
  Names listed;
  for (const auto& found : must(store().apps().list())) listed.push_back(found.name);
  EXPECT_EQ(listed, must(store().apps().names()));
}

TEST_F(Apps, TheDefaultNameAmongItsDomainsFollowsARenamedApp) {
  const AppId shop = app("shop");
  const AppId other = app("other");
  must(store().domains().assign(AppId::kGlobal, {"localhost", "example.com"}));
  must(store().domains().assign(shop, {"shop.localhost", "shop.example.com", "shop.example.org"}));
  must(store().domains().assign(other, {"store.example.com"}));
  must(store().apps().rename(shop, "store"));
  const std::vector<std::string> renamed{"store.localhost", "shop.example.com", "shop.example.org"};
  EXPECT_EQ(must(store().domains().list(shop)), renamed) << "store.example.com is another app's";
  must(store().apps().rename(shop, "shop"));
  const std::vector<std::string> back{"shop.localhost", "shop.example.com", "shop.example.org"};
  EXPECT_EQ(must(store().domains().list(shop)), back);
}

TEST_F(Apps, ARenamedAppKeepsItsIdAndWhatBelongsToIt) {
  const AppId shop = app("shop");
  must(store().config().set_many(shop, {{"A", Secret("1")}}));
  must(store().apps().rename(shop, "store"));
  EXPECT_FALSE(must(store().apps().exists("shop")));
  EXPECT_EQ(must(store().apps().get("store")).id, shop);
  EXPECT_EQ(must(store().config().all(shop)).size(), 1U);
  EXPECT_EQ(must(store().apps().get(shop)).other_name, "shop");
  EXPECT_EQ(must(store().apps().get_by_any_name("shop")).id, shop);
  EXPECT_EQ(slug_of(store().apps().create("shop")), "name-taken") << "kept until all of it has moved";
  must(store().apps().reserve_name(shop, std::nullopt));
  EXPECT_EQ(slug_of(store().apps().get_by_any_name("shop")), "app-not-found");
  must(store().apps().create("shop"));
  app("other");
  EXPECT_EQ(slug_of(store().apps().rename(shop, "other")), "name-taken");
  EXPECT_EQ(slug_of(store().apps().rename(shop, "No")), "app-name-invalid");
  EXPECT_EQ(slug_of(store().apps().rename(AppId{99}, "x")), "app-not-found");
}

TEST_F(Apps, LocksPersistWithTheirFirstTime) {
  const AppId shop = app("shop");
  const UnixMs locked_at_ms = clock_.now_unix_ms();
  must(store().apps().lock(shop));
  clock_.advance_ms(5'000);
  must(store().apps().lock(shop));
  reopen(StoreMode::kWrite);
  EXPECT_EQ(must(store().apps().get("shop")).locked_at_ms, locked_at_ms);
  must(store().apps().unlock(shop));
  EXPECT_FALSE(must(store().apps().get("shop")).locked_at_ms);
}

TEST_F(Apps, DeployedMeansALiveRelease) {
  const AppId shop = app("shop");
  const auto release = must(store().releases().create(shop, {}));
  EXPECT_FALSE(must(store().apps().get("shop")).deployed);
  must(store().releases().mark_live(shop, release.version));
  EXPECT_TRUE(must(store().apps().get("shop")).deployed);
  EXPECT_TRUE(must(store().apps().list()).front().deployed);
}

TEST_F(Apps, DestroyTakesEverythingButTheHistory) {
  const AppId shop = app("shop");
  const AppId other = app("other");
  for (const AppId owner : {shop, other, AppId::kGlobal}) {
    must(store().config().set_many(owner, {{"A", Secret("1")}}));
    must(store().properties().set(owner, "ps", "restart-policy", "always"));
    must(store().lists().assign({owner, "buildpacks", "urls"}, {"x"}));
    must(store().plugin_kv().set("nginx", owner, "k", "v"));
  }
  must(store().domains().add(shop, {"shop.example.com"}));
  must(store().formation().set_many(shop, {{"web", 2}}));
  ReleaseSpec spec;
  spec.config = {{"A", Secret("1")}};
  spec.processes = {{"web", "run", {}, ""}};
  must(store().releases().create(shop, spec));
  must(store().live_groups().put({shop, "", "d1", "web", 1, "process", 1, GroupState::kLive, 0}));
  const auto deployment = must(store().journal().open({shop, "push", "{}", "ann", {}}));

  must(store().apps().destroy(shop));

  EXPECT_FALSE(must(store().apps().exists("shop")));
  EXPECT_TRUE(must(store().config().all(shop)).empty());
  EXPECT_TRUE(must(store().properties().list(shop)).empty());
  EXPECT_TRUE(must(store().lists().items({shop, "buildpacks", "urls"})).empty());
  EXPECT_TRUE(must(store().releases().list(shop)).empty());
  EXPECT_TRUE(must(store().live_groups().all()).empty());
  EXPECT_TRUE(must(store().plugin_kv().list("nginx", shop)).empty());
  EXPECT_FALSE(must(store().domains().owner_of("shop.example.com")));
  EXPECT_EQ(must(store().journal().get(deployment.id)).app_name, "shop");
  EXPECT_EQ(must(store().config().all(other)).size(), 1U);
  EXPECT_EQ(must(store().config().all(AppId::kGlobal)).size(), 1U);
  must(store().check());
  EXPECT_EQ(slug_of(store().apps().destroy(shop)), "app-not-found");
  // An id is never used twice: a new app of that name does not inherit the history.
  const AppId again = app("shop");
  EXPECT_NE(again, shop);
  EXPECT_TRUE(must(store().journal().history(again)).empty());
}

TEST_F(Apps, WritingForAnAppThatIsGoneIsAnError) {
  const AppId gone{4711};
  EXPECT_EQ(slug_of(store().config().set_many(gone, {{"A", Secret("1")}})), "app-not-found");
  EXPECT_EQ(slug_of(store().properties().set(gone, "ps", "k", "v")), "app-not-found");
  EXPECT_EQ(slug_of(store().lists().assign({gone, "g", "k"}, {"v"})), "app-not-found");
  EXPECT_EQ(slug_of(store().domains().add(gone, {"a.b"})), "app-not-found");
  EXPECT_EQ(slug_of(store().domains().set_enabled(gone, true)), "app-not-found");
  EXPECT_EQ(slug_of(store().formation().set_many(gone, {{"web", 1}})), "app-not-found");
  EXPECT_EQ(slug_of(store().releases().create(gone, {})), "app-not-found");
  EXPECT_EQ(slug_of(store().journal().open({gone, "push", "{}", "ann", {}})), "app-not-found");
  EXPECT_EQ(slug_of(store().plugin_kv().set("p", gone, "k", "v")), "app-not-found");
  EXPECT_EQ(
      slug_of(store().live_groups().put({gone, "", "d1", "web", 1, "process", 1, GroupState::kLive, 0})),
      "app-not-found");
}

}  // namespace
}  // namespace davit
