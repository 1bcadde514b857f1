// Logs of units: times, rotation, the killed logger, and a dropped user's /dev/stdout.
#include <sys/stat.h>

#include <fstream>
#include <regex>

#include "tests/unit/supervise/tree_fixture.hpp"

namespace davit {
namespace {

using test::TreeTest;
using ::testing::HasSubstr;

class LogTest : public TreeTest {
 protected:
  [[nodiscard]] Unit logged(const std::string& name, const std::string& script) const {
    auto unit = bash(name, script);
    unit.log = UnitLog{dir / "logs" / name, 4096, 3};
    unit.restart = RestartPolicy::kNo;
    return unit;
  }
  [[nodiscard]] std::string log_of(const std::string& name) const {
    return text("logs/" + name + "/current");
  }
};

TEST_F(LogTest, EachLineHasAUtcTimeAndTheLastIsThereWhenTheUnitIsDown) {
  ensure(logged("web", "echo out; echo err >&2; printf last"));
  wait_down("web");
  const std::regex line("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{9}  (out|err|last\x1e|\x1e)\n");
  EXPECT_TRUE(std::regex_match(std::regex_replace(log_of("web"), line, ""), std::regex(""))) << log_of("web");
  EXPECT_THAT(log_of("web"), HasSubstr("  last\x1e\n"));
  const auto now = iso8601_utc(SystemClock().now_unix_ms());
  EXPECT_EQ(log_of("web").substr(0, 10), now.substr(0, 10));
  struct stat info {};
  ASSERT_EQ(::stat((dir / "logs" / "web").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(LogTest, FullFilesRotateAndTheOldestGo) {
  ensure(logged("web", "for i in $(seq 1 3000); do echo line-$i-of-some-length; done"));
  wait_down("web");
  std::vector<std::string> old_files;
  for (const auto& entry : std::filesystem::directory_iterator(dir / "logs" / "web")) {
    EXPECT_LE(entry.file_size(), 4096U + 64 * 1024) << "s6-log looks after each of its writes";
    if (entry.path().filename().native().starts_with("@")) old_files.push_back(entry.path().filename());
  }
  EXPECT_EQ(old_files.size(), 3U);
  const auto newest = *std::ranges::max_element(old_files);
  EXPECT_THAT(text("logs/web/" + newest) + log_of("web"), HasSubstr("line-3000-of"));
}

TEST_F(LogTest, AKilledLoggerIsReplacedAndTheAppGoesOn) {
  auto unit = logged("web", "i=0; while :; do i=$((i+1)); echo tick-$i; sleep 0.05; done");
  ensure(unit);
  const auto before = wait_up("web");
  ASSERT_TRUE(eventually([&] { return log_of("web").find("tick-2\n") != std::string::npos; }));
  // The logger is the other child of davit-unit.
  pid_t logger = 0;
  std::istringstream children(*read_file("/proc/" + std::to_string(unit_pid("web")) + "/task/" +
                                         std::to_string(unit_pid("web")) + "/children"));
  for (pid_t child = 0; children >> child;) {
    if (child != before.pid) logger = child;
  }
  ASSERT_GT(logger, 0);
  kill_and_wait(logger);
  const auto size = log_of("web").size();
  EXPECT_TRUE(eventually([&] { return log_of("web").size() > size; }));
  EXPECT_EQ(wait_up("web").pid, before.pid) << "the app never noticed";
}

TEST_F(LogTest, KillOfDavitUnitLosesNoLine) {
  auto unit = logged("web", "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done");
  ensure(unit);
  wait_up("web");
  ASSERT_TRUE(eventually([&] { return log_of("web").find("hello") != std::string::npos; }));
  kill_and_wait(unit_pid("web"));
  EXPECT_TRUE(eventually([&] { return log_of("web").find("bye") != std::string::npos; }));
  wait_down("web");
}

TEST_F(LogTest, ADroppedUserMayOpenDevStdout) {
  if (::getuid() != 0) GTEST_SKIP() << "NEEDS ROOT: a unit of another user";
  auto unit =
      logged("web",
             "echo one >/dev/stdout; echo two >/dev/stderr; id -u; id -G; grep NoNewPrivs /proc/self/status; "
             "grep CapBnd /proc/self/status");
  unit.run_as = RunAs{54321, 54321, {}};
  unit.cwd = "/";
  ensure(unit);
  wait_down("web");
  for (const auto* expected : {"one", "two", "54321", "NoNewPrivs:\t1", "CapBnd:\t0000000000000000"}) {
    EXPECT_THAT(log_of("web"), HasSubstr(std::string("  ") + expected + "\n"));
  }
}

}  // namespace
}  // namespace davit
