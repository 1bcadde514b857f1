// app.json: read, refused in many ways; and checks, kept with a release.
#include "lifecycle/app_manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lifecycle/release_extras.hpp"
#include "lifecycle/variables.hpp"

namespace davit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<HealthChecks> checks_of_app_json(std::string_view text) {
  DAVIT_TRY_ASSIGN(AppManifest manifest, manifest_of_app_json(text));
  return manifest.checks;
}

TEST(AppJson, WithoutHealthchecksSaysNothing) {
  EXPECT_THAT(*checks_of_app_json("{}"), IsEmpty());
  EXPECT_THAT(*checks_of_app_json(R"({"name":"shop","scripts":{}})"), IsEmpty());
  EXPECT_THAT(*checks_of_app_json(R"({"healthchecks":{}})"), IsEmpty());
}

TEST(AppJson, ReadsEveryMember) {
  const auto checks = checks_of_app_json(R"({"healthchecks":{"web":[{
    "type":"startup","name":"well","path":"/health","content":"ok","attempts":7,"timeout":2.5,"wait":1,
    "initialDelay":0.25,"status":[200,204],"warn":true,"description":"d","scheme":"http",
    "onFailure":{"command":["./report","now"]},"httpHeaders":[{"name":"Host","value":"a.test"},{"name":"X","value":"y"}]}]}})");
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
  EXPECT_THAT(check.statuses, ElementsAre(200, 204));
  EXPECT_TRUE(check.warn);
  EXPECT_THAT(check.on_failure, ElementsAre("./report", "now"));
  EXPECT_EQ(check.purpose, CheckPurpose::kStartup);
}

TEST(AppJson, KnowsFourKinds) {
  const auto checks = checks_of_app_json(R"({"healthchecks":{
    "web":[{"listening":true},{"path":"/"},{"name":"n"}],"c":[{"command":["true"]}],"d":[{"uptime":3},{}]}})");
  ASSERT_TRUE(checks) << checks.error().text();
  EXPECT_EQ(checks->at("web")[0].kind, HealthCheck::Kind::kListening);
  EXPECT_EQ(checks->at("web")[1].kind, HealthCheck::Kind::kHttp);
  EXPECT_EQ(checks->at("web")[2].kind, HealthCheck::Kind::kListening);
  EXPECT_EQ(checks->at("c")[0].kind, HealthCheck::Kind::kCommand);
  EXPECT_EQ(checks->at("d")[0].kind, HealthCheck::Kind::kUptime);
  EXPECT_EQ(checks->at("d")[0].uptime_ms, 3'000U);
  EXPECT_EQ(checks->at("d")[1].kind, HealthCheck::Kind::kUptime);
  EXPECT_EQ(checks->at("d")[1].uptime_ms, 1'000U);
}

TEST(AppJson, KnowsThreePurposes) {
  const auto checks = checks_of_app_json(R"({"healthchecks":{"web":[{"type":"liveness","path":"/live"},
    {"type":"readiness","path":"/ready","status":204},{"type":"startup","path":"/up"}]}})");
  ASSERT_TRUE(checks) << checks.error().text();
  EXPECT_EQ(checks_of(*checks, "web", CheckPurpose::kLiveness).at(0).path, "/live");
  EXPECT_EQ(checks_of(*checks, "web", CheckPurpose::kReadiness).at(0).path, "/ready");
  EXPECT_EQ(checks_of(*checks, "web", CheckPurpose::kStartup).at(0).path, "/up");
  EXPECT_THAT(checks_of(*checks, "worker", CheckPurpose::kStartup), IsEmpty());
  EXPECT_TRUE(has_watched_checks(*checks));
  EXPECT_FALSE(has_watched_checks(*checks_of_app_json(R"({"healthchecks":{"web":[{"path":"/"}]}})")));
}

TEST(AppJson, SaysWhatItDoesNotDo) {
  const auto manifest = manifest_of_app_json(R"({"healthchecks":{"web":[{"path":"/","port":5000,
    "onFailure":{"url":"http://x.test/"}}]},"formation":{"web":{"size":"standard-1x"}}})");
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_THAT(manifest->warnings, ElementsAre(HasSubstr("healthchecks.web[0].port is not used"),
                                              HasSubstr("healthchecks.web[0].onFailure.url is not called"),
                                              HasSubstr("formation.web.size has no meaning")));
}

TEST(AppJson, ReadsTheFormation) {
  const auto manifest = manifest_of_app_json(
      R"({"formation":{"web":{"quantity":3,"max_parallel":1},"worker":{"quantity":0},"other":{}}})");
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->formation.at("web"), (FormationEntry{3, 1}));
  EXPECT_EQ(manifest->formation.at("worker"), (FormationEntry{0, 0}));
  EXPECT_EQ(manifest->formation.at("other"), (FormationEntry{std::nullopt, 0}));
}

TEST(AppJson, ReadsScriptsUnderBothNames) {
  const auto dokku = manifest_of_app_json(
      R"({"scripts":{"dokku":{"predeploy":"a","postdeploy":"b"},"postdeploy":"c","test":"make"}})");
  ASSERT_TRUE(dokku) << dokku.error().text();
  EXPECT_EQ(dokku->scripts, (DeployScripts{"a", "b", "c"}));
  const auto davit =
      manifest_of_app_json(R"({"scripts":{"davit":{"predeploy":"a"},"dokku":{"predeploy":"a"}}})");
  ASSERT_TRUE(davit) << davit.error().text();
  EXPECT_EQ(davit->scripts.predeploy, "a");
}

TEST(AppJson, ReadsVariables) {
  const auto manifest = manifest_of_app_json(R"({"env":{"A":"1","B":{"generator":"secret"},
    "C":{"value":"2","description":"c","required":false,"sync":true},"D":{"description":"d"}}})");
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->env.at("A").value, "1");
  EXPECT_TRUE(manifest->env.at("A").required);
  EXPECT_TRUE(manifest->env.at("B").generated);
  EXPECT_FALSE(manifest->env.at("C").required);
  EXPECT_TRUE(manifest->env.at("C").sync);
  EXPECT_EQ(manifest->env.at("D").description, "d");
  EXPECT_FALSE(manifest->env.at("D").value);
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
  const auto checks = manifest_of_app_json(GetParam().text);
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
    testing::Values(
        Broken{"Empty", "", "not a JSON object"}, Broken{"Text", "hello", "not a JSON object"},
        Broken{"Cut", R"({"healthchecks":{"web":[{)", "not a JSON object"},
        Broken{"List", "[]", "not a JSON object"},
        Broken{"Bytes", std::string("{\"a\":\"\xff\xfe\"}"), "not a JSON object"},
        Broken{"Deep", std::string(100'000, '['), "not a JSON object"},
        Broken{"ChecksAreAList", R"({"healthchecks":[]})", "healthchecks must be"},
        Broken{"TypeIsAnObject", R"({"healthchecks":{"web":{}}})", "healthchecks.web must be"},
        Broken{"EntryIsAText", of_web("\"/\""), "healthchecks.web[0] must be"},
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
        Broken{"TooManyAttempts", of_web(R"({"attempts":18446744073709551615})"), "attempts"},
        Broken{"UnknownMember", of_web(R"({"path":"/","atempts":3})"), "web[0].atempts is not known"},
        Broken{"UnknownPurpose", of_web(R"({"type":"alive"})"), "startup, liveness or readiness"},
        Broken{"TwoWays", of_web(R"({"path":"/","uptime":3})"), "path and uptime"},
        Broken{"ContentWithoutPath", of_web(R"({"listening":true,"content":"x"})"), "content belongs"},
        Broken{"ListeningIsAText", of_web(R"({"listening":"yes"})"), "listening must be true or false"},
        Broken{"PathWithALineBreak", of_web(R"({"path":"/a\nb: c"})"), "begins with /"},
        Broken{"StatusIsHuge", of_web(R"({"path":"/","status":1000})"), "status must be"},
        Broken{"StatusIsEmpty", of_web(R"({"path":"/","status":[]})"), "status must be"},
        Broken{"StatusIsAText", of_web(R"({"path":"/","status":["200"]})"), "status must be"},
        Broken{"HeadersAreAnObject", of_web(R"({"path":"/","httpHeaders":{"A":"b"}})"), "httpHeaders must"},
        Broken{"HeaderWithoutValue", of_web(R"({"path":"/","httpHeaders":[{"name":"A"}]})"),
               "httpHeaders[0] must be"},
        Broken{"HeaderSplits", of_web(R"({"path":"/","httpHeaders":[{"name":"A","value":"b\r\nC: d"}]})"),
               "one line"},
        Broken{"PortIsZero", of_web(R"({"path":"/","port":0})"), "port must be"},
        Broken{"SchemeIsHttps", of_web(R"({"path":"/","scheme":"https"})"), "scheme must be http"},
        Broken{"WarnIsANumber", of_web(R"({"path":"/","warn":1})"), "warn must be"},
        Broken{"OnFailureIsAText", of_web(R"({"path":"/","onFailure":"x"})"), "onFailure must be"},
        Broken{"UptimeForLiveness", of_web(R"({"type":"liveness","uptime":3})"), "uptime"},
        Broken{"WorkerHasNoPort", R"({"healthchecks":{"worker":[{"path":"/"}]}})", "only web has a port"},
        Broken{"NoProcessType", R"({"healthchecks":{"a b":[]}})", "is no process type"},
        Broken{"FormationIsAList", R"({"formation":[]})", "formation must be"},
        Broken{"QuantityIsNegative", R"({"formation":{"web":{"quantity":-1}}})", "web.quantity must be"},
        Broken{"QuantityIsHuge", R"({"formation":{"web":{"quantity":1001}}})", "web.quantity must be"},
        Broken{"QuantityIsAText", R"({"formation":{"web":{"quantity":"2"}}})", "web.quantity must be"},
        Broken{"NoParallel", R"({"formation":{"web":{"max_parallel":0}}})", "max_parallel must be"},
        Broken{"FormationTypo", R"({"formation":{"web":{"quantitiy":1}}})", "quantitiy is not known"},
        Broken{"ScriptsAreAText", R"({"scripts":"make"})", "scripts must be"},
        Broken{"ScriptIsAList", R"({"scripts":{"dokku":{"predeploy":["a"]}}})", "predeploy must be a text"},
        Broken{"ScriptIsEmpty", R"({"scripts":{"postdeploy":" "}})", "postdeploy must be a command"},
        Broken{"ScriptUnknown", R"({"scripts":{"dokku":{"predelpoy":"a"}}})", "predelpoy is not known"},
        Broken{"ScriptTwice", R"({"scripts":{"dokku":{"predeploy":"a"},"davit":{"predeploy":"b"}}})",
               "said twice"},
        Broken{"EnvIsAList", R"({"env":["A"]})", "env must be"},
        Broken{"EnvNameIsBad", R"({"env":{"A-B":"1"}})", "env.A-B is no name"},
        Broken{"EnvValueIsANumber", R"({"env":{"A":5}})", "env.A must be a text or an object"},
        Broken{"EnvGeneratorUnknown", R"({"env":{"A":{"generator":"uuid"}}})", "generator must be secret"},
        Broken{"EnvBoth", R"({"env":{"A":{"generator":"secret","value":"1"}}})", "beside a value"},
        Broken{"EnvSyncWithoutValue", R"({"env":{"A":{"sync":true}}})", "there is none"},
        Broken{"EnvRequiredIsAText", R"({"env":{"A":{"required":"no"}}})", "required must be"}),
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
  check.purpose = CheckPurpose::kReadiness;
  check.statuses = {204};
  check.warn = true;
  check.on_failure = {"r"};
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
  EXPECT_EQ(back.purpose, CheckPurpose::kReadiness);
  EXPECT_EQ(back.statuses, check.statuses);
  EXPECT_TRUE(back.warn);
  EXPECT_EQ(back.on_failure, check.on_failure);
  EXPECT_EQ(read.at("web")[1].kind, HealthCheck::Kind::kListening);
  EXPECT_THAT(checks_from_json(""), IsEmpty());
  EXPECT_THAT(checks_from_json("{}"), IsEmpty());
}

ReleaseSpec spec_with(const ReleaseExtras& extras) {
  ReleaseSpec spec;
  for (const char* type : {"web", "worker", "clock"})
    spec.processes.push_back({type, "", {}, extras_to_json(extras)});
  return spec;
}

TEST(Extras, ComeBackAsTheyWere) {
  ReleaseExtras extras;
  extras.config_defaults = {{"A", "\"1\n"}};
  extras.formation = {{"web", {2, 1}}, {"worker", {std::nullopt, 3}}};
  extras.scripts = {"a", "b", "c"};
  const ReleaseExtras back = extras_of(spec_with(extras));
  EXPECT_EQ(back.config_defaults, extras.config_defaults);
  EXPECT_EQ(back.formation, extras.formation);
  EXPECT_EQ(back.scripts, extras.scripts);
  EXPECT_TRUE(back.fixes_formation());
  EXPECT_EQ(extras_to_json({}), "");
}

TEST(Extras, WhateverTheDatabaseHolds) {
  for (const char* text : {"", "[]", "5", "{", R"({"formation":5,"scripts":[],"config_defaults":{"A":1}})",
                           R"({"formation":{"web":{"quantity":"x","max_parallel":-1}}})"}) {
    ReleaseSpec spec;
    spec.processes = {{"web", "", {}, text}};
    const ReleaseExtras extras = extras_of(spec);
    EXPECT_TRUE(extras.config_defaults.empty()) << text;
    EXPECT_EQ(extras.scripts, DeployScripts{}) << text;
  }
  EXPECT_FALSE(extras_of(ReleaseSpec{}).fixes_formation());
}

TEST(Extras, AQuantityFixesEveryType) {
  ReleaseExtras extras;
  extras.formation = {{"worker", {4, 0}}, {"gone", {9, 0}}};
  EXPECT_EQ(manifest_quantities(spec_with(extras)), (Quantities{{"clock", 0}, {"web", 0}, {"worker", 4}}));
  extras.formation = {{"web", {std::nullopt, 2}}};
  EXPECT_TRUE(manifest_quantities(spec_with(extras)).empty()) << "max_parallel alone fixes nothing";
}

WantedVariables wanted_variables() {
  return manifest_of_app_json(R"({"env":{"PLAIN":"1","OPTIONAL":{"value":"2","required":false},
    "SECRET":{"generator":"secret"},"SYNCED":{"value":"3","sync":true},"OURS":{"required":true}}})")
      ->env;
}

ConfigMap settle(const ConfigMap& now, bool first) {
  return variables_to_set(wanted_variables(), now, first, [] { return "generated"; });
}

TEST(Variables, TheFirstBuildSetsWhatHasAValue) {
  const ConfigMap set = settle({}, true);
  EXPECT_EQ(set, (ConfigMap{{"OPTIONAL", Secret("2")},
                            {"PLAIN", Secret("1")},
                            {"SECRET", Secret("generated")},
                            {"SYNCED", Secret("3")}}));
}

TEST(Variables, WhatIsSetStaysUnlessItSaysSync) {
  const ConfigMap now{
      {"PLAIN", Secret("x")}, {"SECRET", Secret("y")}, {"SYNCED", Secret("z")}, {"OPTIONAL", Secret("")}};
  EXPECT_EQ(settle(now, true), (ConfigMap{{"SYNCED", Secret("3")}}));
}

TEST(Variables, LaterOnlyWhatIsRequiredComesBack) {
  EXPECT_EQ(settle({}, false),
            (ConfigMap{{"PLAIN", Secret("1")}, {"SECRET", Secret("generated")}, {"SYNCED", Secret("3")}}));
}

TEST(Variables, SecretsDiffer) {
  const auto one = random_secret();
  const auto two = random_secret();
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->size(), 64U);
  EXPECT_EQ(one->find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(*one, *two);
}

}  // namespace
}  // namespace davit
