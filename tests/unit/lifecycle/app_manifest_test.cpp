// app.json's healthchecks: read, refused in many ways, and kept with a release.
#include "lifecycle/app_manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(AppJson, WithoutHealthchecksSaysNothing) {
  EXPECT_THAT(*checks_of_app_json("{}"), IsEmpty());
  EXPECT_THAT(*checks_of_app_json(R"({"name":"shop","scripts":{}})"), IsEmpty());
  EXPECT_THAT(*checks_of_app_json(R"({"healthchecks":{}})"), IsEmpty());
}

TEST(AppJson, ReadsEveryMember) {
  const auto checks = checks_of_app_json(R"({"healthchecks":{"web":[{
    "type":"startup","name":"well","path":"/health","content":"ok","attempts":7,"timeout":2.5,"wait":1,
    "initialDelay":0.25,"httpHeaders":[{"name":"Host","value":"a.test"},{"name":"X","value":"y"}]}]}})");
  ASSERT_TRUE(checks);
  const HealthCheck& check = checks->at("web").at(0);
  EXPECT_EQ(check.kind, HealthCheck::Kind::kHttp);
  EXPECT_EQ(check.name, "well");
  EXPECT_EQ(check.path, "/health");
  EXPECT_EQ(check.content, "ok");
  EXPECT_EQ(check.attempts, 7U);
  EXPECT_EQ(check.timeout_ms, 2'500U);
  EXPECT_EQ(check.wait_ms, 1'000U);
  EXPECT_EQ(check.initial_delay_ms, 250U);
  EXPECT_EQ(check.headers.at("Host"), "a.test");
  EXPECT_EQ(check.headers.at("X"), "y");
}

TEST(AppJson, KnowsFourKinds) {
  const auto checks = checks_of_app_json(R"({"healthchecks":{
    "a":[{"listening":true}],"b":[{"path":"/"}],"c":[{"command":["true"]}],"d":[{"uptime":3}]}})");
  ASSERT_TRUE(checks);
  EXPECT_EQ(checks->at("a")[0].kind, HealthCheck::Kind::kListening);
  EXPECT_EQ(checks->at("b")[0].kind, HealthCheck::Kind::kHttp);
  EXPECT_EQ(checks->at("c")[0].kind, HealthCheck::Kind::kCommand);
  EXPECT_EQ(checks->at("d")[0].kind, HealthCheck::Kind::kUptime);
  EXPECT_EQ(checks->at("d")[0].uptime_ms, 3'000U);
}

TEST(AppJson, LeavesLivenessAndReadinessAlone) {
  const auto checks = checks_of_app_json(
      R"({"healthchecks":{"web":[{"type":"liveness","path":5},{"type":"readiness","attempts":"x"}]}})");
  ASSERT_TRUE(checks) << checks.error().text();
  EXPECT_EQ(checks->count("web"), 0U);
}

TEST(AppJson, KeepsTheOrderOfChecks) {
  const auto checks = checks_of_app_json(R"({"healthchecks":{"web":[{"path":"/b"},{"path":"/a"}]}})");
  ASSERT_TRUE(checks);
  EXPECT_EQ(checks->at("web")[0].path, "/b");
  EXPECT_EQ(checks->at("web")[1].path, "/a");
}

struct Broken {
  const char* name;
  std::string text;
  const char* says;
};
void PrintTo(const Broken& shown, std::ostream* stream) {
  *stream << shown.name;
}

class BrokenAppJson : public testing::TestWithParam<Broken> {};

TEST_P(BrokenAppJson, IsRefusedWithTheMembersName) {
  const auto checks = checks_of_app_json(GetParam().text);
  ASSERT_FALSE(checks);
  EXPECT_EQ(checks.error().code, Code::kInvalid);
  EXPECT_EQ(checks.error().slug, "app-json-invalid");
  EXPECT_THAT(checks.error().message, HasSubstr(GetParam().says));
  EXPECT_FALSE(checks.error().hint.empty());
}

std::string of_web(const std::string& entry) {
  return R"({"healthchecks":{"web":[)" + entry + "]}}";
}

INSTANTIATE_TEST_SUITE_P(
    Ways, BrokenAppJson,
    testing::Values(Broken{"Empty", "", "not a JSON object"}, Broken{"Text", "hello", "not a JSON object"},
                    Broken{"Cut", R"({"healthchecks":{"web":[{)", "not a JSON object"},
                    Broken{"List", "[]", "not a JSON object"},
                    Broken{"Bytes", std::string("{\"a\":\"\xff\xfe\"}"), "not a JSON object"},
                    Broken{"Deep", std::string(100'000, '['), "not a JSON object"},
                    Broken{"ChecksAreAList", R"({"healthchecks":[]})", "healthchecks: it must be"},
                    Broken{"TypeIsAnObject", R"({"healthchecks":{"web":{}}})",
                           "healthchecks.web: it must be"},
                    Broken{"EntryIsAText", of_web("\"/\""), "each entry"},
                    Broken{"KindIsANumber", of_web(R"({"type":5})"), "type must be a text"},
                    Broken{"PathIsANumber", of_web(R"({"path":5})"), "path must be"},
                    Broken{"PathIsRelative", of_web(R"({"path":"health"})"), "begins with /"},
                    Broken{"CommandIsAText", of_web(R"({"command":"true"})"), "command must be"},
                    Broken{"CommandIsEmpty", of_web(R"({"command":[]})"), "command must be"},
                    Broken{"CommandHasANumber", of_web(R"({"command":["a",1]})"), "command must be"},
                    Broken{"NegativeTimeout", of_web(R"({"path":"/","timeout":-1})"), "timeout must be"},
                    Broken{"EndlessWait", of_web(R"({"path":"/","wait":1e99})"), "wait must be"},
                    Broken{"WaitIsAText", of_web(R"({"path":"/","wait":"5"})"), "wait must be"},
                    Broken{"NoAttempts", of_web(R"({"path":"/","attempts":0})"), "attempts must be"},
                    Broken{"HalfAnAttempt", of_web(R"({"path":"/","attempts":1.5})"), "attempts must be"},
                    Broken{"TooManyAttempts", of_web(R"({"attempts":18446744073709551615})"), "attempts"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ReleaseChecks, ComeBackAsTheyWere) {
  HealthChecks checks;
  HealthCheck check;
  check.kind = HealthCheck::Kind::kCommand;
  check.name = "n\"1";
  check.path = "/p";
  check.content = "c\n";
  check.headers = {{"Host", "h"}};
  check.command = {"a", "b c"};
  check.initial_delay_ms = 1;
  check.uptime_ms = 2;
  check.timeout_ms = 3;
  check.wait_ms = 4;
  check.attempts = 5;
  checks["web"] = {check, HealthCheck{}};
  const HealthChecks read = checks_from_json(checks_to_json(checks));
  ASSERT_EQ(read.at("web").size(), 2U);
  const HealthCheck& back = read.at("web")[0];
  EXPECT_EQ(back.kind, check.kind);
  EXPECT_EQ(back.name, check.name);
  EXPECT_EQ(back.path, check.path);
  EXPECT_EQ(back.content, check.content);
  EXPECT_EQ(back.headers, check.headers);
  EXPECT_EQ(back.command, check.command);
  EXPECT_EQ(back.initial_delay_ms, 1U);
  EXPECT_EQ(back.uptime_ms, 2U);
  EXPECT_EQ(back.timeout_ms, 3U);
  EXPECT_EQ(back.wait_ms, 4U);
  EXPECT_EQ(back.attempts, 5U);
  EXPECT_EQ(read.at("web")[1].kind, HealthCheck::Kind::kListening);
  EXPECT_THAT(checks_from_json(""), IsEmpty());
  EXPECT_THAT(checks_from_json("{}"), IsEmpty());
}

}  // namespace
}  // namespace davit
