// Services, the generations of their data, and links.
#include "store/services.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

class ServiceRows : public StoreTest {
 protected:
  Services& services() { return store().services(); }
  Service service(const std::string& name, const std::string& kind = "pg") {
    NewService wanted;
    wanted.kind = kind;
    wanted.name = name;
    wanted.runtime = "process";
    wanted.scheme = "pg";
    wanted.alias = "DATABASE";
    wanted.username = "u";
    wanted.password = Secret("p");
    wanted.database = name;
    return must(services().create(wanted));
  }
  void serve(const Service& service, std::uint32_t number) {
    must(services().serve_generation(service.id, {number, "15", "create", 0, {}}, "import"));
  }
  NewLink link(AppId app, const Service& service, const std::string& alias) {
    return {app, service.id, alias, "", false};
  }
  AppId shop_ = app("shop");
};

TEST_F(ServiceRows, ANameIsTakenOnceAKindAndFreeAgainInTheTrash) {
  const Service db = service("db");
  EXPECT_EQ(slug_of(services().create(db)), "service-taken");
  service("db", "other");
  must(services().move_to_trash(db.id));
  EXPECT_EQ(slug_of(services().get("pg", "db")), "service-not-found");
  EXPECT_EQ(must(services().trash("pg")).front().id, db.id);
  const Service second = service("db");
  EXPECT_NE(second.id, db.id);
  EXPECT_EQ(slug_of(services().take_from_trash(db.id, "db")), "service-taken");
  must(services().take_from_trash(db.id, "db-of-before"));
  reopen(StoreMode::kRead);
  EXPECT_EQ(must(services().list("pg")).size(), 2U);
  EXPECT_EQ(must(services().names("pg")), (std::vector<std::string>{"db", "db-of-before"}));
  EXPECT_EQ(must(services().get("pg", "db-of-before")).password, Secret("p"));
}

TEST_F(ServiceRows, OneGenerationServesAndTheOthersAreRetired) {
  const Service db = service("db");
  EXPECT_EQ(db.generation, 0U);
  EXPECT_EQ(must(services().new_generation(db.id)), 1U);
  serve(db, 1);
  EXPECT_EQ(must(services().new_generation(db.id)), 2U);
  EXPECT_EQ(must(services().get("pg", "db")).generation, 1U) << "what is made does not serve yet";
  serve(db, 2);
  const auto all = must(services().generations(db.id));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].retired_at_ms);
  EXPECT_EQ(all[0].retired_by, "import");
  EXPECT_FALSE(all[1].retired_at_ms);
  serve(db, 1);
  EXPECT_FALSE(must(services().generations(db.id))[0].retired_at_ms);
  EXPECT_EQ(must(services().generations(db.id))[0].retired_by, "");
  EXPECT_EQ(must(services().get("pg", "db")).version, "15");
  must(services().forget_generation(db.id, 2));
  EXPECT_EQ(must(services().new_generation(db.id)), 3U) << "no number is given twice";
}

TEST_F(ServiceRows, WhatIsDueIsKeptForEachGenerationAndGoesWithIt) {
  const Service db = service("db");
  serve(db, 1);
  serve(db, 2);
  must(services().set_due_since(db.id, 1, 5));
  must(services().set_due_since(db.id, 0, 6));
  must(services().set_due_since(db.id, 1, 7));
  EXPECT_EQ(must(services().due_since(db.id, 1)), 7);
  must(services().forget_generation(db.id, 1));
  EXPECT_FALSE(must(services().due_since(db.id, 1)));
  EXPECT_EQ(must(services().due_since(db.id, 0)), 6);
  must(services().set_due_since(db.id, 0, {}));
  EXPECT_FALSE(must(services().due_since(db.id, 0)));
  must(services().set_due_since(db.id, 0, 6));
  must(services().forget(db.id));
  EXPECT_FALSE(must(services().due_since(db.id, 0)));
}

TEST_F(ServiceRows, BackupsAreKnownInTheOrderInWhichTheyWereTaken) {
  const Service db = service("db"), other = service("other");
  for (const char* path : {"/b/2", "/b/1", "/b/3"}) must(services().add_backup(db.id, path));
  must(services().add_backup(other.id, "/b/4"));
  must(services().add_backup(db.id, "/b/2"));
  EXPECT_EQ(must(services().backups(db.id)), (std::vector<std::string>{"/b/1", "/b/3", "/b/2"}));
  must(services().move_backup("/b/1", "/c/1"));
  must(services().forget_backup("/b/3"));
  EXPECT_EQ(must(services().backups(db.id)), (std::vector<std::string>{"/c/1", "/b/2"}));
  must(services().forget(db.id));
  EXPECT_EQ(must(services().backups(other.id)), std::vector<std::string>{"/b/4"});
}

TEST_F(ServiceRows, ALinkedServiceStays) {
  const Service db = service("db");
  must(services().link(link(shop_, db, "DATABASE")));
  EXPECT_EQ(slug_of(services().move_to_trash(db.id)), "service-linked");
  EXPECT_FALSE(services().forget(db.id));
  must(services().assign_links(shop_, {}));
  must(services().move_to_trash(db.id));
  EXPECT_EQ(slug_of(services().link(link(shop_, db, "DATABASE"))), "service-not-found");
}

TEST_F(ServiceRows, AnAppHasEachServiceAndEachNameOnce) {
  const Service one = service("one"), two = service("two");
  must(services().link(link(shop_, one, "DATABASE")));
  EXPECT_EQ(slug_of(services().link(link(shop_, one, "OTHER"))), "already-linked");
  EXPECT_EQ(slug_of(services().link(link(shop_, two, "DATABASE"))), "alias-taken");
  must(services().link(link(shop_, two, "OTHER")));
  must(services().link(link(app("blog"), two, "DATABASE")));
  EXPECT_EQ(must(services().links_of_app(shop_)).size(), 2U);
  must(services().assign_links(shop_, {link(shop_, one, "OTHER"), link(shop_, two, "DATABASE")}));
  EXPECT_EQ(must(services().links_of_app(shop_)).front().service_name, "two");
  EXPECT_EQ(slug_of(services().assign_links(shop_, {link(shop_, one, "A"), link(shop_, two, "A")})),
            "alias-taken");
  EXPECT_EQ(must(services().links_of_app(shop_)).size(), 2U) << "all or none";
  EXPECT_EQ(must(services().links_of_service(two.id)).front().app_name, "blog");
  EXPECT_EQ(must(services().links_of_kind("pg")).size(), 3U);
  EXPECT_TRUE(must(services().links_of_kind("other")).empty());
}

TEST_F(ServiceRows, LinksFollowTheAppByItsId) {
  const Service db = service("db");
  must(services().link(link(shop_, db, "DATABASE")));
  must(store().apps().rename(shop_, "store"));
  EXPECT_EQ(must(services().links_of_service(db.id)).front().app_name, "store");
  must(store().apps().destroy(shop_));
  EXPECT_TRUE(must(services().links_of_service(db.id)).empty());
}

TEST_F(ServiceRows, KindsHaveNumbersOfTheirOwn) {
  EXPECT_EQ(must(services().number_of_kind("pg")), 0U);
  EXPECT_EQ(must(services().number_of_kind("redis")), 1U);
  EXPECT_EQ(must(services().number_of_kind("pg")), 0U);
}

TEST_F(ServiceRows, SettingsAreUnsetByNothing) {
  const Service db = service("db");
  must(services().set_setting(db.id, "memory", "1g"));
  must(services().set_setting(db.id, "memory", "2g"));
  EXPECT_EQ(must(services().setting(db.id, "memory")), "2g");
  must(services().set_setting(db.id, "memory", std::nullopt));
  EXPECT_FALSE(must(services().setting(db.id, "memory")));
}

}  // namespace
}  // namespace davit
