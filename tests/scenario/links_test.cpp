// What a link gives is what the app gets, whatever else has that name.
#include <gmock/gmock.h>

#include "lifecycle/link_change.hpp"
#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

constexpr const char* kUrl = "postgres://u:p@127.0.0.1:20001/shop";

class Links : public Story {
 protected:
  Service orders() {
    NewService service;
    service.kind = "postgres";
    service.name = "orders";
    service.scheme = "postgres";
    service.alias = "DATABASE";
    service.username = "u";
    service.database = "shop";
    service.password = Secret("p");
    const Service made = must(world.store().services().create(service));
    must(world.store().services().set_port(made.id, 20'001));
    return made;
  }
  NewLink to(const Service& service, const std::string& alias = "DATABASE") {
    return {world.shop.id, service.id, alias, "", false};
  }
  void link() { must(world.store().services().link(to(orders()))); }
  /// As link, unlink and promote do.
  Result<> change(const LinkChange& change) {
    return world.deploy("config", R"({"links":)" + to_json(change) + "}");
  }
  void change_in_vain(const LinkChange& wanted) {
    world.plugins.runtime_fake.exits_at_start = 2;
    EXPECT_FALSE(change(wanted));
    world.plugins.runtime_fake.exits_at_start = 0;
  }
  std::vector<ServiceLink> links() { return must(world.store().services().links_of_app(world.shop.id)); }
  /// Of each group that runs.
  std::vector<TextMap> environments() {
    std::vector<TextMap> found;
    for (const auto& [name, group] : world.plugins.runtime_fake.groups) found.push_back(group.env);
    return found;
  }
};

TEST_F(Links, TheConfigOfAllAppsDoesNotHideThem) {
  must(world.push());
  link();
  must(world.store().config().set_many(AppId::kGlobal, {{"DATABASE_URL", Secret("global://y")}}));
  must(world.deploy("config"));
  EXPECT_THAT(environments(), Contains(Contains(Pair("DATABASE_URL", kUrl))));
  EXPECT_THAT(environments(), testing::Each(Not(Contains(Pair("DATABASE_URL", "global://y")))));
}

TEST_F(Links, AppJsonDoesNotHideThem) {
  link();
  world.sources.trees[kFirst]["app.json"] =
      R"({"env":{"DATABASE_URL":{"value":"fromappjson://z"},"OTHER":{"value":"o"}}})";
  must(world.push());
  EXPECT_THAT(environments(), Contains(Contains(Pair("DATABASE_URL", kUrl))));
  EXPECT_THAT(environments(), Contains(Contains(Pair("OTHER", "o"))));
  EXPECT_THAT(must(world.store().config().all(world.shop.id)), SizeIs(1)) << "just OTHER";
}

TEST_F(Links, WhatIsSetIsNotMissingWhereABuildDoesNotGetIt) {
  link();
  must(world.store().config().set_many(world.shop.id, {{"PATH", Secret("/opt")}}));
  world.sources.trees[kFirst]["app.json"] = R"({"env":{"STACK":{"value":"x"},"PATH":{},"DATABASE_URL":{}}})";
  auto hook = std::make_unique<fakes::FakeHook>(world.record, world.marks, "blocker");
  hook->on_handle = [](const Event& event) -> Result<> {
    EnvEvent& resolved = *std::get<EnvEvent*>(event.payload);
    if (resolved.phase == "build") resolved.env.clear();
    return {};
  };
  world.bus.subscribe(event_id::kEnvResolve, std::move(hook));
  must(world.push());
  EXPECT_EQ(world.plugins.runtime_fake.groups.at("shop.d1.web").env.at("STACK"), "x");
}

TEST_F(Links, OneThatIsTakenBackIsNotRecordedEither) {
  must(world.push());
  const Service service = orders();
  change_in_vain({{to(service)}, {}, {}});
  EXPECT_THAT(links(), IsEmpty());
  must(change({{to(service)}, {}, {}}));
  EXPECT_THAT(links(), SizeIs(1));
  EXPECT_THAT(environments(), ElementsAre(Contains(Pair("DATABASE_URL", kUrl))));
}

TEST_F(Links, AnUnlinkThatIsTakenBackKeepsTheServiceFromBeingDestroyed) {
  link();
  must(world.push());
  const ServiceId service = links().front().service;
  change_in_vain({});
  EXPECT_THAT(environments(), ElementsAre(Contains(Pair("DATABASE_URL", kUrl))));
  EXPECT_EQ(slug_of(world.store().services().move_to_trash(service)), "service-linked");
  must(change({}));
  EXPECT_THAT(environments(), ElementsAre(Not(Contains(Pair("DATABASE_URL", kUrl)))));
  must(world.store().services().move_to_trash(service));
}

TEST_F(Links, AVariableThatMakesRoomMovesWithWhatRuns) {
  must(world.store().config().set_many(world.shop.id, {{"DATABASE_URL", Secret("by-hand")}}));
  must(world.store().services().link(to(orders(), "NOTES")));
  must(world.push());
  const LinkChange promoted{{to(must(world.store().services().get("postgres", "orders")))},
                            "DATABASE_URL",
                            "DAVIT_POSTGRES_AQUA_URL"};
  change_in_vain(promoted);
  EXPECT_EQ(links().front().alias, "NOTES");
  EXPECT_TRUE(must(world.store().config().all(world.shop.id)).contains("DATABASE_URL"));
  must(change(promoted));
  EXPECT_EQ(links().front().alias, "DATABASE");
  EXPECT_THAT(environments(), ElementsAre(AllOf(Contains(Pair("DATABASE_URL", kUrl)),
                                                Contains(Pair("DAVIT_POSTGRES_AQUA_URL", "by-hand")),
                                                Not(Contains(Key("NOTES_URL"))))));
  const ConfigMap config = must(world.store().config().all(world.shop.id));
  EXPECT_THAT(config, ElementsAre(Pair("DAVIT_POSTGRES_AQUA_URL", Secret("by-hand"))));
}

TEST_F(Links, OneToAServiceThatIsDestroyedMeanwhileIsTakenBack) {
  must(world.push());
  const Service service = orders();
  world.record.on("proxy.apply", [&] { must(world.store().services().move_to_trash(service.id)); });
  EXPECT_EQ(slug_of(change({{to(service)}, {}, {}})), "service-not-found");
  EXPECT_EQ(world.state(), DeploymentState::kUndone);
  EXPECT_THAT(world.answering(), ElementsAre("shop.d1.web.1"));
}

}  // namespace
}  // namespace davit::scenario
