// Migrations: from the first schema on, forward only.
#include <fstream>
#include <sstream>

#include "store/database.hpp"
#include "store/migrations.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

class Migrations : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<Database> raw() const {
    sqlite3* connection = nullptr;
    EXPECT_EQ(sqlite3_open(file_.c_str(), &connection), SQLITE_OK);
    return std::make_unique<Database>(connection, file_);
  }
  void load_fixture(const std::string& name) const {
    std::ifstream file(std::string(DAVIT_SOURCE_DIR) + "/tests/unit/store/fixtures/" + name);
    ASSERT_TRUE(file) << name;
    std::stringstream sql;
    sql << file.rdbuf();
    must(raw()->script(sql.str().c_str()));
  }
  static std::string schema_of(Database& database) {
    std::string text;
    must(database.each("SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
                       [&](Row row) { text += row.text(0) + "\n"; }));
    return text;
  }

  test::TempFolder folder_;
  std::filesystem::path file_ = folder_.path() / "davit.db";
  fakes::FakeClock clock_;
};

TEST_F(Migrations, VersionsCountFromOneWithoutGaps) {
  std::uint32_t expected = 1;
  for (const auto& migration : known_migrations()) EXPECT_EQ(migration.to_version, expected++);
  EXPECT_EQ(newest_schema_version(), expected - 1);
}

// The fixture is the dump of a store that schema 1 wrote. It is never made anew: that is what it is for.
TEST_F(Migrations, AStoreOfTheFirstReleaseOpensWithAllItHad) {
  load_fixture("schema_v1.sql");
  Store store = must(Store::open(file_, StoreMode::kRead, clock_));
  const App shop = must(store.apps().get("shop"));
  EXPECT_EQ(must(store.apps().names()), (std::vector<std::string>{"blog", "shop"}));
  EXPECT_TRUE(shop.deployed);
  EXPECT_TRUE(must(store.apps().get("blog")).locked_at_ms);
  EXPECT_EQ(
      must(store.config().merged(shop.id)),
      (ConfigMap{{"GLOBAL", Secret("yes")}, {"LINES", Secret("a\nb")}, {"RAW", Secret("\x01\xFF'\"")}}));
  EXPECT_EQ(must(store.properties().effective(shop.id, "ps", "restart-policy")), "on-failure:10");
  EXPECT_EQ(must(store.lists().items({shop.id, "buildpacks", "urls"})),
            (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(must(store.domains().list(shop.id)), (std::vector<std::string>{"shop.example.com"}));
  EXPECT_EQ(must(store.formation().get(shop.id)), (Quantities{{"web", 2}}));
  const auto release = must(store.releases().current(shop.id));
  ASSERT_TRUE(release);
  EXPECT_EQ(release->version, 2U);
  EXPECT_EQ(release->spec.artifact.ref, "slugs/shop/abc.tar.zst");
  EXPECT_EQ(release->spec.processes.front().launcher_argv, (std::vector<std::string>{"/exec", "web"}));
  EXPECT_EQ(release->spec.formation, (Quantities{{"web", 2}}));
  EXPECT_EQ(must(store.releases().previous_live(shop.id)), 1U);
  const auto deployment = must(store.journal().get("d2"));
  EXPECT_EQ(deployment.state, DeploymentState::kDraining);
  EXPECT_EQ(deployment.owner, (ProcessIdentity{"boot", 42, 4242}));
  EXPECT_EQ(must(store.journal().steps("d2")).front().token, std::string("t\0k", 3));
  EXPECT_EQ(must(store.live_groups().live(shop.id)).front().revision, "d2");
  EXPECT_EQ(must(store.live_groups().live(shop.id)).front().owner, "shop");  // since schema 2
  EXPECT_TRUE(must(store.mounts().of_app(shop.id)).empty());
  EXPECT_EQ(must(store.ports().of_owner("shop.d2.web.1")), std::vector<std::uint16_t>{5000});
  EXPECT_EQ(must(store.plugin_kv().get("nginx", shop.id, "k")), std::string("v\0", 2));
  must(store.check());
}

TEST_F(Migrations, AnUpdatedStoreHasTheSchemaOfANewOne) {
  load_fixture("schema_v1.sql");
  must(Store::open(file_, StoreMode::kWrite, clock_));
  const std::string updated = schema_of(*raw());
  std::filesystem::remove(file_);
  must(Store::open(file_, StoreMode::kCreate, clock_));
  EXPECT_EQ(updated, schema_of(*raw()));
}

constexpr Migration kFuture[] = {{1, "CREATE TABLE a (x); INSERT INTO a VALUES (1);"},
                                 {2, "ALTER TABLE a ADD COLUMN y DEFAULT 7;"},
                                 {3, "CREATE TABLE b (x);"}};

TEST_F(Migrations, OnlyTheMissingStepsRun) {
  must(migrate(*raw(), std::span(kFuture).first(1)));
  auto database = raw();
  must(migrate(*database, kFuture));
  EXPECT_EQ(must(read_schema_version(*database)), 3U);
  EXPECT_EQ(must(database->first("SELECT y FROM a", [](Row row) { return row.integer(0); })), 7);
  must(migrate(*database, kFuture));
  EXPECT_EQ(must(database->first("SELECT count(*) FROM a", [](Row row) { return row.integer(0); })), 1);
}

TEST_F(Migrations, AStepThatFailsLeavesTheStoreAsItWas) {
  must(migrate(*raw(), std::span(kFuture).first(1)));
  constexpr Migration kBroken[] = {{1, ""}, {2, "CREATE TABLE c (x);"}, {3, "CREATE TABLE c (x);"}};
  auto database = raw();
  const auto before = schema_of(*database);
  const auto result = migrate(*database, kBroken);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text().find("schema 3"), std::string::npos);
  EXPECT_EQ(schema_of(*database), before);
  EXPECT_EQ(must(read_schema_version(*database)), 1U);
}

TEST_F(Migrations, RowsThatBelongToNothingStopIt) {
  constexpr Migration kOrphan[] = {{1,
                                    "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES "
                                    "p(id)); INSERT INTO c VALUES (5);"}};
  EXPECT_EQ(slug_of(migrate(*raw(), kOrphan)), "store-corrupt");
  EXPECT_EQ(must(read_schema_version(*raw())), 0U);
}

TEST_F(Migrations, ANewerStoreIsRefused) {
  must(migrate(*raw(), kFuture));
  EXPECT_EQ(slug_of(migrate(*raw(), std::span(kFuture).first(2))), "store-too-new");
}

}  // namespace
}  // namespace davit
