// Which hosts lead to an app.
#include "lifecycle/routes.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/fake_capabilities.hpp"
#include "tests/fakes/fake_probe.hpp"
#include "tests/fakes/fake_source_store.hpp"
#include "tests/unit/lifecycle/lifecycle_fixture.hpp"

namespace davit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Routes : public HomeTest {
 protected:
  std::vector<std::string> hosts() { return must(hosts_of(store(), shop)); }
  LifecycleServices services() {
    return {.store = store(),
            .bus = bus,
            .capabilities = plugins,
            .sources = sources,
            .probe = probe,
            .clock = clock,
            .home = home};
  }
  void live_web(unsigned count) { live_web(shop, count); }
  void live_web(const App& app, unsigned count) {
    must(store().live_groups().put({app.id, {}, "d1", "web", 1, "", count, GroupState::kLive, 0}));
    Group group;
    group.owner = app.name;
    group.revision = "d1";
    group.process_type = "web";
    group.count = count;
    group.listens = true;
    must(plugins.runtime_fake.apply(group, call));
  }

  EventBus bus;
  fakes::FakeCapabilities plugins;
  fakes::FakeSourceStore sources{plugins.record};
  fakes::FakeProbe probe;
  fakes::RecordedOutput out;
  CallContext call{.actor = "local:ada", .app = {}, .deployment = {}, .out = out};
};

TEST_F(Routes, WithoutAnyDomainThereIsNoHost) {
  EXPECT_THAT(hosts(), IsEmpty());
}

TEST_F(Routes, GlobalDomainsMakeDefaultNames) {
  must(store().domains().add(AppId::kGlobal, {"b.test", "a.test"}));
  EXPECT_THAT(hosts(), ElementsAre("shop.b.test", "shop.a.test"));
}

TEST_F(Routes, OwnDomainsReplaceThem) {
  must(store().domains().add(AppId::kGlobal, {"a.test"}));
  must(store().domains().add(shop.id, {"shop.example", "*.shop.example"}));
  EXPECT_THAT(hosts(), ElementsAre("shop.example", "*.shop.example"));
}

TEST_F(Routes, AnAppNamedLikeAHostIsItsOwnHost) {
  must(store().domains().add(AppId::kGlobal, {"a.test"}));
  shop = must(store().apps().create("www.shop.example"));
  EXPECT_THAT(hosts(), ElementsAre("www.shop.example"));
}

TEST_F(Routes, DisabledDomainsAreNone) {
  must(store().domains().add(shop.id, {"shop.example"}));
  must(store().domains().set_enabled(shop.id, false));
  EXPECT_THAT(hosts(), IsEmpty());
}

TEST_F(Routes, ARerouteTakesTheLiveInstances) {
  live_web(2);
  must(store().domains().add(shop.id, {"shop.example"}));
  must(reroute_app(services(), "shop", call));
  const Route& route = plugins.proxy_fake.routes.at("shop");
  EXPECT_THAT(route.hosts, ElementsAre("shop.example"));
  EXPECT_EQ(route.revision, "d1");
  EXPECT_EQ(route.endpoints.size(), 2U);
}

TEST_F(Routes, ARerouteThatFailsBringsTheOldOneBack) {
  live_web(1);
  must(store().domains().add(shop.id, {"old.example"}));
  must(reroute_app(services(), "shop", call));
  must(store().domains().assign(shop.id, {"new.example"}));
  plugins.record.fail_after("proxy.apply", {Code::kFailed, "no answer", "", "", {}});
  EXPECT_FALSE(reroute_app(services(), "shop", call));
  EXPECT_THAT(plugins.proxy_fake.routes.at("shop").hosts, ElementsAre("old.example"));
}

TEST_F(Routes, OneThatCannotBeReroutedKeepsTheOthersFromNothing) {
  live_web(1);
  live_web(must(store().apps().create("blog")), 1);
  must(store().domains().add(AppId::kGlobal, {"a.test"}));
  plugins.record.fail_next("proxy.apply", {Code::kConflict, "it belongs to cart", "take it there", "", {}});
  const std::vector<std::string> names{"shop", "blog"};
  EXPECT_FALSE(reroute_apps(services(), names, call));
  EXPECT_THAT(plugins.proxy_fake.routes.at("blog").hosts, ElementsAre("blog.a.test"));
  EXPECT_THAT(out.warnings,
              ElementsAre("shop keeps the routes that it had: it belongs to cart", "take it there"));
  EXPECT_TRUE(reroute_apps(services(), names, call));
}

TEST_F(Routes, ARerouteOfAnAppThatDoesNotRunIsNothing) {
  must(reroute_app(services(), "shop", call));
  EXPECT_TRUE(plugins.proxy_fake.routes.empty());
  plugins.has_proxy = false;
  live_web(1);
  must(reroute_app(services(), "shop", call));
  EXPECT_TRUE(plugins.proxy_fake.routes.empty());
}

}  // namespace
}  // namespace davit
