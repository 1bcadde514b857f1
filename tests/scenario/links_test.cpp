// What a link gives is what the app gets, whatever else has that name.
#include <gmock/gmock.h>

#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::Contains;
using testing::Pair;
using testing::SizeIs;

constexpr const char* kUrl = "postgres://u:p@127.0.0.1:20001/shop";

class Links : public Story {
 protected:
  void link() {
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
    NewLink link;
    link.app = world.shop.id;
    link.service = made.id;
    link.alias = "DATABASE";
    must(world.store().services().link(link));
  }
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
  EXPECT_THAT(environments(), testing::Each(testing::Not(Contains(Pair("DATABASE_URL", "global://y")))));
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

}  // namespace
}  // namespace davit::scenario
