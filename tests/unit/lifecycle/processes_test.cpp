// From releases to argv, quantities, artifacts and limits.
#include "lifecycle/processes.hpp"
#include "lifecycle/release_extras.hpp"

#include <gmock/gmock.h>

#include "tests/unit/lifecycle/lifecycle_fixture.hpp"

namespace davit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Release release_with(std::vector<ReleaseProcess> processes) {
  Release release;
  release.spec.processes = std::move(processes);
  return release;
}

using Words = std::vector<std::string>;

TEST(Argv, TheLinesShellTextIsOneWord) {
  const ReleaseProcess process{"web", "serve -p $PORT && echo \"a b\"; rm 'x'", {"/exec", "--"}, ""};
  EXPECT_THAT(argv_of(release_with({process}), process),
              ElementsAre("/exec", "--", "bash", "-c", process.command));
}

TEST(Argv, WordsOfARunStayWords) {
  const Release release = release_with({{"web", "serve", {"/exec"}, ""}});
  EXPECT_THAT(argv_of(release, Words{"echo", "a b", "$HOME", ""}),
              ElementsAre("/exec", "echo", "a b", "$HOME", ""));
}

TEST(Argv, AProcessTypeRunsItsCommand) {
  const Release release = release_with({{"web", "serve", {"/exec"}, ""}, {"seed", "load it", {"/exec"}, ""}});
  EXPECT_THAT(argv_of(release, Words{"seed"}), ElementsAre("/exec", "bash", "-c", "load it"));
  EXPECT_THAT(argv_of(release, Words{"seed", "now"}), ElementsAre("/exec", "seed", "now"));
}

TEST(Argv, AReleaseWithoutProcessesHasNoLauncher) {
  EXPECT_THAT(argv_of(release_with({}), Words{"ls"}), ElementsAre("ls"));
}

TEST(Argv, AnImageNeedsNoShellForPlainWords) {
  Release release = release_with({{"web", "", {}, ""},
                                  {"worker", "/work  --queue=fast", {}, ""},
                                  {"seed", "load $FILE && done", {}, ""},
                                  {"debug", "LOG=1 /work", {}, ""},
                                  {"clock", "exec  /tick 5", {}, ""},
                                  {"moved", "exec cd", {}, ""},
                                  {"named", "exec -a tick /tick", {}, ""}});
  release.spec.artifact.kind = ArtifactKind::kImage;
  const auto& types = release.spec.processes;
  EXPECT_THAT(argv_of(release, types[0]), IsEmpty());
  EXPECT_THAT(argv_of(release, types[1]), ElementsAre("/work", "--queue=fast"));
  EXPECT_THAT(argv_of(release, types[2]), ElementsAre("/bin/sh", "-c", "load $FILE && done"));
  EXPECT_THAT(argv_of(release, types[3]), ElementsAre("/bin/sh", "-c", "LOG=1 /work"));
  EXPECT_THAT(argv_of(release, types[4]), ElementsAre("/tick", "5"));
  EXPECT_THAT(argv_of(release, types[5]), ElementsAre("/bin/sh", "-c", "exec cd"));
  EXPECT_THAT(argv_of(release, types[6]), ElementsAre("/bin/sh", "-c", "exec -a tick /tick"));
  EXPECT_THAT(argv_of(release, Words{"web"}), IsEmpty());
  EXPECT_THAT(argv_of(release, Words{"ls", "-l"}), ElementsAre("ls", "-l"));
}

TEST(Wanted, OneWebAndNothingElseByDefault) {
  const Release release =
      release_with({{"web", "", {}, ""}, {"worker", "", {}, ""}, {"release", "", {}, ""}});
  EXPECT_THAT(wanted_quantities(release, {}), ElementsAre(Pair("web", 1), Pair("worker", 0)));
  EXPECT_THAT(wanted_quantities(release, {{"web", 0}, {"worker", 5}, {"gone", 3}, {"release", 2}}),
              ElementsAre(Pair("web", 0), Pair("worker", 5)));
}

TEST(ConfigDefaults, TravelWithTheProcesses) {
  ReleaseSpec spec;
  EXPECT_THAT(extras_of(spec).config_defaults, IsEmpty());
  spec.processes = {{"web", "", {}, extras_to_json({{{"A", "1"}, {"B", "\"\n"}}, {}, {}})}};
  EXPECT_THAT(extras_of(spec).config_defaults, ElementsAre(Pair("A", "1"), Pair("B", "\"\n")));
  EXPECT_EQ(extras_to_json({}), "");
  const std::string built = extras_to_json({{}, {}, {}, "docker", "sha256:1"});
  spec.processes = {{"web", "", {}, built}};
  EXPECT_EQ(extras_of(spec).built_runtime, "docker");
  EXPECT_EQ(extras_of(spec).built_stack, "sha256:1");
  spec.processes[0].extras_json = "{\"config_defaults\":[1]}";
  EXPECT_THAT(extras_of(spec).config_defaults, IsEmpty());
  spec.processes[0].extras_json = "not json";
  EXPECT_THAT(extras_of(spec).config_defaults, IsEmpty());
}

class ProcessLimits : public HomeTest {};

TEST_F(ProcessLimits, ATypesOwnLimitComesBeforeTheDefault) {
  auto& properties = store().properties();
  must(properties.set(shop.id, "resource", "_default_.limit.memory", "1000"));
  must(properties.set(shop.id, "resource", "web.limit.memory", "2000"));
  must(properties.set(AppId::kGlobal, "resource", "_default_.limit.cpu", "500"));
  must(properties.set(shop.id, "resource", "web.limit.pids", "many"));
  const Limits web = limits_of(store(), shop.id, "web");
  EXPECT_EQ(web.memory_bytes, 2000U);
  EXPECT_EQ(web.cpu_millis, 500U);
  EXPECT_EQ(web.pids, 0U);
  EXPECT_EQ(limits_of(store(), shop.id, "worker").memory_bytes, 1000U);
}

TEST_F(ProcessLimits, TheRuntimeIsTheAppsElseTheHomes) {
  EXPECT_EQ(must(runtime_of(store(), shop.id)), "");
  must(store().properties().set(AppId::kGlobal, "ps", "runtime", "one"));
  EXPECT_EQ(must(runtime_of(store(), shop.id)), "one");
  must(store().properties().set(shop.id, "ps", "runtime", "two"));
  EXPECT_EQ(must(runtime_of(store(), shop.id)), "two");
}

}  // namespace
}  // namespace davit
