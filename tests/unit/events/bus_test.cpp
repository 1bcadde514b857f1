// The event bus: order, vetoes, filters and notices.
#include "events/bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_capabilities.hpp"

namespace davit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RecordingHook final : public Hook {
 public:
  RecordingHook(std::string plugin, int order, std::vector<std::string>& calls, Result<> answer = {})
      : plugin_(std::move(plugin)), order_(order), calls_(calls), answer_(std::move(answer)) {}
  [[nodiscard]] std::string_view plugin() const override { return plugin_; }
  [[nodiscard]] std::string_view version() const override { return "1.0.0"; }
  [[nodiscard]] int order() const override { return order_; }
  Result<> handle(const Event& event, const CallContext&) override {
    calls_.push_back(plugin_);
    if (const auto* env = std::get_if<EnvEvent*>(&event.payload)) (*env)->env["LAST"] = plugin_;
    return answer_;
  }
  Result<std::string> prepare(const Event&, const CallContext&) override { return "token"; }
  Result<> apply(const Event&, std::string_view, const CallContext&) override { return {}; }
  Result<> undo(const Event&, std::string_view, const CallContext&) override { return {}; }

 private:
  std::string plugin_;
  int order_;
  std::vector<std::string>& calls_;
  Result<> answer_;
};

class EventBusTest : public ::testing::Test {
 protected:
  void listen(std::string_view event, std::string plugin, int order, Result<> answer = {}) {
    bus_.subscribe(event,
                   std::make_unique<RecordingHook>(std::move(plugin), order, calls_, std::move(answer)));
  }
  EventBus bus_;
  std::vector<std::string> calls_;
  fakes::RecordedOutput out_;
  CallContext context_{.actor = "test", .app = "shop", .deployment = {}, .out = out_};
};

TEST_F(EventBusTest, CallsByOrderThenByPluginIdWhateverTheOrderOfSubscription) {
  listen("deploy.begin", "late", 200);
  listen("deploy.begin", "b", 100);
  listen("deploy.begin", "a", 100);
  listen("deploy.begin", "early", -1);
  ASSERT_TRUE(bus_.ask({event_id::kDeployBegin, {}, {}}, context_));
  EXPECT_THAT(calls_, ElementsAre("early", "a", "b", "late"));
}

TEST_F(EventBusTest, FirstVetoEndsTheGateAndNamesPluginAndEvent) {
  listen("deploy.begin", "guard", 1, fail(Code::kDenied, "It is Friday", "Wait for Monday", "friday"));
  listen("deploy.begin", "later", 2);
  const auto answer = bus_.ask({event_id::kDeployBegin, {}, {}}, context_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kDenied);
  EXPECT_EQ(answer.error().slug, "friday");
  EXPECT_EQ(answer.error().hint, "Wait for Monday");
  EXPECT_EQ(answer.error().text(), "plugin guard: It is Friday");
  EXPECT_THAT(calls_, ElementsAre("guard"));
}

TEST_F(EventBusTest, FiltersEditOneValueInTurn) {
  listen("env.resolve", "first", 1);
  listen("env.resolve", "second", 2);
  TextMap env;
  EnvEvent payload{"shop", "run", "web", env};
  ASSERT_TRUE(bus_.filter({event_id::kEnvResolve, &payload, {}}, context_));
  EXPECT_EQ(env["LAST"], "second");
}

TEST_F(EventBusTest, NoticesReachEverybodyAndFailuresBecomeWarnings) {
  listen("deploy.finished", "broken", 1, fail(Code::kInternal, "No network"));
  listen("deploy.finished", "fine", 2);
  bus_.tell({event_id::kDeployFinished, {}, {}}, context_);
  EXPECT_THAT(calls_, ElementsAre("broken", "fine"));
  EXPECT_THAT(out_.warnings, ElementsAre(HasSubstr("plugin broken, deploy.finished: No network")));
}

TEST_F(EventBusTest, StepsAreGivenInOrderAndEventsWithoutHooksAreSilent) {
  listen("route.switch", "b", 5);
  listen("route.switch", "a", 5);
  const auto steps = bus_.steps("route.switch");
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0]->plugin(), "a");
  EXPECT_EQ(steps[1]->plugin(), "b");
  EXPECT_TRUE(bus_.steps("app.create").empty());
  EXPECT_TRUE(bus_.ask({"app.create", {}, {}}, context_));
}

TEST(EventTypes, KindsAreThoseOfTheHeaderAndUnknownIdsAreNotices) {
  EXPECT_EQ(kind_of("deploy.begin"), EventKind::kGate);
  EXPECT_EQ(kind_of("env.resolve"), EventKind::kFilter);
  EXPECT_EQ(kind_of("route.switch"), EventKind::kStep);
  EXPECT_EQ(kind_of("process.drain"), EventKind::kNotice);
  EXPECT_EQ(kind_of("app.destroy"), EventKind::kNotice);
  EXPECT_EQ(kind_of("someone.word"), EventKind::kNotice);
  EXPECT_EQ(kind_of("property.change"), EventKind::kGate);
  EXPECT_EQ(event_types().size(), 28U);
}

}  // namespace
}  // namespace davit
