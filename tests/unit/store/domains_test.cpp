// Domains and formation.
#include "store/domains.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

using Domains = StoreTest;
using Formation = StoreTest;
using List = std::vector<std::string>;

TEST_F(Domains, KeepTheOrderInWhichTheyCame) {
  const AppId shop = app("shop");
  auto& domains = store().domains();
  must(domains.add(shop, {"z.example.com", "a.example.com"}));
  must(domains.add(shop, {"*.example.com", "z.example.com"}));
  EXPECT_EQ(must(domains.list(shop)), (List{"z.example.com", "a.example.com", "*.example.com"}));
  must(domains.remove(shop, {"a.example.com"}));
  must(domains.add(shop, {"b.example.com"}));
  EXPECT_EQ(must(domains.list(shop)), (List{"z.example.com", "*.example.com", "b.example.com"}));
  must(domains.assign(shop, {"b.example.com", "c.example.com"}));
  EXPECT_EQ(must(domains.list(shop)), (List{"b.example.com", "c.example.com"}));
  must(domains.clear(shop));
  EXPECT_EQ(must(domains.list(shop)), List{});
}

TEST_F(Domains, ATakenDomainNamesItsAppAndNothingIsAdded) {
  const AppId shop = app("shop");
  const AppId blog = app("blog");
  auto& domains = store().domains();
  must(domains.add(shop, {"www.example.com", "*.example.com"}));
  const auto taken = domains.add(blog, {"blog.example.com", "www.example.com"});
  EXPECT_EQ(slug_of(taken), "domain-taken");
  EXPECT_EQ(taken.error().code, Code::kConflict);
  EXPECT_EQ(taken.error().message, "Domain www.example.com is already used by app shop");
  EXPECT_EQ(must(domains.list(blog)), List{});
  EXPECT_EQ(slug_of(domains.add(blog, {"*.example.com"})), "domain-taken");
  EXPECT_EQ(slug_of(domains.assign(blog, {"www.example.com"})), "domain-taken");
  must(domains.remove(shop, {"www.example.com"}));
  must(domains.add(blog, {"www.example.com"}));
  EXPECT_EQ(must(domains.owner_of("www.example.com"))->app_name, "blog");
}

TEST_F(Domains, TheGlobalOnesAreSuffixesAndCollideWithNobody) {
  const AppId shop = app("shop");
  auto& domains = store().domains();
  must(domains.add(AppId::kGlobal, {"example.com", "localhost"}));
  must(domains.add(shop, {"example.com"}));
  EXPECT_EQ(must(domains.list(AppId::kGlobal)), (List{"example.com", "localhost"}));
  EXPECT_EQ(must(domains.owner_of("example.com"))->app, shop);
  EXPECT_FALSE(must(domains.owner_of("localhost")));
}

TEST_F(Domains, BadAndMissingOnesChangeNothing) {
  const AppId shop = app("shop");
  auto& domains = store().domains();
  must(domains.add(shop, {"a.example.com"}));
  EXPECT_EQ(slug_of(domains.add(shop, {"ok.example.com", "not ok"})), "domain-invalid");
  EXPECT_EQ(slug_of(domains.assign(shop, {"not ok"})), "domain-invalid");
  EXPECT_EQ(slug_of(domains.remove(shop, {"a.example.com", "missing.example.com"})), "domain-not-found");
  EXPECT_EQ(must(domains.list(shop)), List{"a.example.com"});
}

TEST_F(Domains, AreEnabledUntilSomebodySaysNo) {
  const AppId shop = app("shop");
  EXPECT_TRUE(must(store().domains().enabled(shop)));
  must(store().domains().set_enabled(shop, false));
  EXPECT_FALSE(must(store().domains().enabled(shop)));
  EXPECT_TRUE(must(store().domains().enabled(app("other"))));
}

TEST_F(Formation, HoldsWhatWasSaidAndNoMore) {
  const AppId shop = app("shop");
  auto& formation = store().formation();
  EXPECT_TRUE(must(formation.get(shop)).empty());
  must(formation.set_many(shop, {{"web", 4}, {"worker", 0}}));
  must(formation.set_many(shop, {{"web", 2}}));
  EXPECT_EQ(must(formation.get(shop)), (Quantities{{"web", 2}, {"worker", 0}}));
  EXPECT_EQ(slug_of(formation.set_many(shop, {{"clock", 1}, {"not ok", 1}})), "process-type-invalid");
  EXPECT_EQ(must(formation.get(shop)).size(), 2U);
  must(formation.replace(shop, {{"clock", 1}}));
  EXPECT_EQ(must(formation.get(shop)), (Quantities{{"clock", 1}}));
}

}  // namespace
}  // namespace davit
