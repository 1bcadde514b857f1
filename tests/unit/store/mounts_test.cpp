// Mounts of apps, and names that are kept for a rename.
#include "store/mounts.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

class Mounts : public StoreTest {
 protected:
  davit::Mounts& mounts() { return store().mounts(); }
  AppId shop_ = app("shop");
};

TEST_F(Mounts, AreKeptByTarget) {
  const StorageMount uploads{"uploads", "/app/uploads", false, true, true};
  const StorageMount data{"/srv/data", "/data", true, false, false};
  must(mounts().add(shop_, uploads));
  must(mounts().add(shop_, data));
  reopen(StoreMode::kRead);
  EXPECT_EQ(must(mounts().of_app(shop_)), (std::vector<StorageMount>{uploads, data}));
}

TEST_F(Mounts, ATargetIsTakenOnce) {
  must(mounts().add(shop_, {"one", "/data"}));
  EXPECT_EQ(slug_of(mounts().add(shop_, {"two", "/data"})), "mount-exists");
  must(mounts().add(app("blog"), {"one", "/data"}));
  EXPECT_EQ(must(mounts().all()).size(), 2U);
  EXPECT_EQ(must(mounts().all()).front().app_name, "blog");
}

TEST_F(Mounts, GoByBothPathsAndWithTheApp) {
  must(mounts().add(shop_, {"one", "/data"}));
  EXPECT_FALSE(must(mounts().remove(shop_, "two", "/data")));
  EXPECT_TRUE(must(mounts().remove(shop_, "one", "/data")));
  must(mounts().add(shop_, {"one", "/data"}));
  must(store().apps().destroy(shop_));
  EXPECT_TRUE(must(mounts().all()).empty());
  EXPECT_EQ(slug_of(mounts().add(shop_, {"one", "/data"})), "app-not-found");
}

class ReservedNames : public Mounts {};

TEST_F(ReservedNames, AreTakenForEverybodyElse) {
  must(store().apps().reserve_name(shop_, "market"));
  EXPECT_EQ(slug_of(store().apps().create("market")), "name-taken");
  const AppId blog = app("blog");
  EXPECT_EQ(slug_of(store().apps().reserve_name(blog, "market")), "name-taken");
  EXPECT_EQ(slug_of(store().apps().rename(blog, "market")), "name-taken");
  EXPECT_EQ(slug_of(store().apps().reserve_name(blog, "shop")), "name-taken");
  must(store().apps().rename(shop_, "market"));
  EXPECT_EQ(must(store().apps().get(shop_)).name, "market");
  EXPECT_EQ(slug_of(store().apps().create("shop")), "name-taken") << "kept until all of it has moved";
  must(store().apps().reserve_name(shop_, std::nullopt));
  must(store().apps().create("shop"));
}

TEST_F(ReservedNames, AreFreeAgainWhenGivenBack) {
  must(store().apps().reserve_name(shop_, "market"));
  must(store().apps().reserve_name(shop_, std::nullopt));
  must(store().apps().create("market"));
  EXPECT_EQ(slug_of(store().apps().rename(shop_, "market")), "name-taken");
}

TEST_F(ReservedNames, LiveGroupsKeepTheirOwner) {
  must(store().live_groups().put({shop_, "", "d1", "web", 1, "process", 1, GroupState::kLive, 0, "", "[1]"}));
  must(store().apps().rename(shop_, "market"));
  must(store().live_groups().put({shop_, "", "d1", "web", 1, "process", 3, GroupState::kLive, 0}));
  const LiveGroup group = must(store().live_groups().of_app(shop_)).front();
  EXPECT_EQ(group.app_name, "market");
  EXPECT_EQ(group.owner, "shop");
  EXPECT_EQ(group.count, 3U);
  EXPECT_EQ(group.mounts_json, "[1]");
}

}  // namespace
}  // namespace davit
