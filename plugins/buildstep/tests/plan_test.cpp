#include "plan.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::buildstep {
namespace {

PlanInputs inputs() {
  PlanInputs in;
  in.app = "shop";
  in.stack = "heroku-22";
  in.revision = "abc";
  in.request_id = "d7";
  in.source = "/h/src";
  in.cache = "/h/cache";
  in.driver = "/s/driver.sh";
  in.bin = "/s/bin";
  in.work = "/h/work";
  in.env = {{"SECRET", "s3cret"}, {"CURL_TIMEOUT", "60"}, {"CURL_CONNECT_TIMEOUT", "7"}, {"PATH", "/evil"}};
  in.limits.time_ms = 1000;
  return in;
}

Choice choice_of(bool detected) {
  Choice choice;
  choice.detected = detected;
  choice.rivals = 1;
  choice.packs = {parse_spec("https://a:b@example.com/x.git"), parse_spec("davit/procfile")};
  return choice;
}

TEST(Plan, TheDriverGetsFoldersAndLabels) {
  const sdk::Task task = task_of(inputs(), choice_of(false));
  EXPECT_THAT(task.argv, testing::ElementsAre("/bin/bash", "/davit/driver.sh", "list", "/build", "/cache",
                                              "/env", "/result", "https://***@example.com/x.git",
                                              "/buildpacks/0", "davit/procfile", "/buildpacks/1"));
  EXPECT_EQ(task_of(inputs(), choice_of(true)).argv.at(2), "detect:1");
}

TEST(Plan, TheAppsVariablesStayOutOfTheEnvironment) {
  const sdk::Task task = task_of(inputs(), choice_of(false));
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(task.env,
              testing::UnorderedElementsAre(
                  Pair{"PATH", "/davit/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                  Pair{"HOME", "/app"}, Pair{"APP_DIR", "/app"}, Pair{"STACK", "heroku-22"},
                  Pair{"SOURCE_VERSION", "abc"}, Pair{"REQUEST_ID", "d7"}, Pair{"LANG", "C.UTF-8"},
                  Pair{"CURL_TIMEOUT", "60"}, Pair{"CURL_CONNECT_TIMEOUT", "7"}));
}

TEST(Plan, EverythingButOurOwnProgramsBelongsToTheBuildsUser) {
  const sdk::Task task = task_of(inputs(), choice_of(false));
  ASSERT_EQ(task.mounts.size(), 9U);
  for (const sdk::Mount& mount : task.mounts) {
    const bool ours = mount.target.starts_with("/davit/");
    EXPECT_EQ(mount.flags, ours ? DAVIT_MOUNT_READ_ONLY : DAVIT_MOUNT_OWN) << mount.target;
  }
  EXPECT_TRUE(std::ranges::any_of(task.mounts, [](const auto& m) {
    return m.source == "/h/work/pack-1" && m.target == "/buildpacks/1";
  }));
  EXPECT_TRUE(task.user.empty()) << "the app user";
  EXPECT_EQ(task.fds[0], -1) << "stdin is /dev/null";
}

}  // namespace
}  // namespace davit::buildstep
