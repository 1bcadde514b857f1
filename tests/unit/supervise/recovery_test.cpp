// kill -9 of every process that stands between the home and an instance, and a reboot.
#include <fcntl.h>

#include "tests/unit/supervise/tree_fixture.hpp"

namespace davit {
namespace {

using test::TreeTest;
using ::testing::HasSubstr;

class RecoveryTest : public TreeTest {
 protected:
  // Runs until told, notes its pid and each stop.
  [[nodiscard]] Unit web(const std::string& name) const {
    return bash(name, "trap 'echo stopped-$$ >>" + name + "; exit 0' TERM; echo up-$$ >>" + name +
                          "; while :; do sleep 0.05; done");
  }
  UnitStatus started(const std::string& name) {
    ensure(web(name));
    const auto status = wait_up(name);
    EXPECT_TRUE(eventually([&] { return has_line(name, "up-" + std::to_string(status.pid)); }));
    return status;
  }
  void wait_for_another(const std::string& name, pid_t before) {
    ASSERT_TRUE(eventually([&] {
      const auto status = supervisor->status(name);
      return status && status->up && status->pid != before;
    })) << read_file(root() / "log").value_or("");
  }
};

TEST_F(RecoveryTest, KillOfTheAppRestartsIt) {
  const auto before = started("web");
  ::kill(before.pid, SIGKILL);
  const auto status = wait_exits("web", 1);
  EXPECT_EQ(status.last_signal, SIGKILL);
  wait_for_another("web", before.pid);
}

TEST_F(RecoveryTest, KillOfDavitUnitStopsItsAppAndRestarts) {
  const auto before = started("web");
  kill_and_wait(unit_pid("web"));
  wait_for_another("web", before.pid);
  EXPECT_FALSE(alive(before.pid)) << "never two at once";
  EXPECT_TRUE(has_line("web", "stopped-" + std::to_string(before.pid))) << "it got its stop signal";
  EXPECT_EQ(supervisor->status("web")->exits, 1U);
}

TEST_F(RecoveryTest, KillOfDavitUnitLeavesNoStubbornChild) {
  auto unit = bash("web",
                   "(trap '' TERM; echo $BASHPID >child; while :; do sleep 0.05; done) & trap '' TERM; "
                   "echo up >>seen; while :; do sleep 0.05; done");
  unit.stop_timeout_ms = 300;
  ensure(unit);
  const auto before = wait_up("web");
  ASSERT_TRUE(eventually([&] { return !text("child").empty() && has_line("seen", "up"); }));
  const pid_t child = std::stoi(text("child"));
  kill_and_wait(unit_pid("web"));
  wait_for_another("web", before.pid);
  EXPECT_FALSE(alive(before.pid));
  EXPECT_FALSE(alive(child));
}

TEST_F(RecoveryTest, KillOfDavitUnitThenRemoveLeavesNothing) {
  auto unit = bash("web", "trap '' TERM; echo up >>seen; while :; do sleep 0.05; done");
  unit.stop_timeout_ms = 300;
  ensure(unit);
  const auto before = wait_up("web");
  ASSERT_TRUE(eventually([&] { return has_line("seen", "up"); }));
  kill_and_wait(unit_pid("web"));
  ASSERT_TRUE(supervisor->remove("web", 0));
  EXPECT_FALSE(alive(before.pid));
}

// The session of a stopped unit is long gone, and its number is that of a stranger's.
TEST_F(RecoveryTest, ASessionOfAnotherWithTheSameNumberLives) {
  const pid_t stranger = ::fork();
  if (stranger == 0) {
    ::setsid();
    ::execl("/bin/sleep", "sleep", "1000", nullptr);
    ::_exit(127);
  }
  const auto down_with_its_number = [&](const std::string& name) {
    started(name);
    ASSERT_TRUE(supervisor->down(name));
    wait_down(name);
    auto state = *files(name).state();
    state.session = stranger;
    state.pid_start = 1;
    ASSERT_TRUE(write_file_volatile(files(name).file("state"),
                                    {reinterpret_cast<const char*>(&state), sizeof state}, 0600));
  };
  down_with_its_number("web.1");
  ASSERT_TRUE(supervisor->up("web.1"));
  wait_up("web.1");
  EXPECT_TRUE(alive(stranger)) << "a start killed it";
  down_with_its_number("web.2");
  ASSERT_TRUE(supervisor->remove("web.2", 0));
  EXPECT_TRUE(alive(stranger)) << "a removal killed it";
  ::kill(stranger, SIGKILL);
  ::waitpid(stranger, nullptr, 0);
}

TEST_F(RecoveryTest, KillOfS6SuperviseRestartsTheInstance) {
  const auto before = started("web");
  kill_and_wait(*files("web").supervisor());
  wait_for_another("web", before.pid);
  EXPECT_FALSE(alive(before.pid));
  EXPECT_TRUE(has_line("web", "stopped-" + std::to_string(before.pid)));
  EXPECT_EQ(supervisor->status("web")->exits, 1U) << "counted by the old davit-unit";
}

TEST_F(RecoveryTest, KillOfS6SvscanStopsNothingAndEnsureTreeTakesOver) {
  const auto one = started("web.1");
  const auto two = started("web.2");
  const auto supervisor_of_one = *files("web.1").supervisor();
  kill_and_wait(svscan_pid());
  EXPECT_FALSE(supervisor->tree_running());
  EXPECT_TRUE(supervisor->status("web.1")->up) << "status needs no s6-svscan";

  EXPECT_TRUE(*supervisor->ensure_tree());
  EXPECT_EQ(supervisor->status("web.1")->pid, one.pid);
  EXPECT_EQ(supervisor->status("web.2")->pid, two.pid);
  ensure(web("web.1"));
  EXPECT_EQ(supervisor->status("web.1")->pid, one.pid) << "the same definition is not touched";
  const auto three = started("web.3");
  EXPECT_TRUE(alive(three.pid));

  // An orphan whose supervisor dies goes over to the new tree; the quiet log is checked at the end.
  kill_and_wait(supervisor_of_one);
  wait_for_another("web.1", one.pid);
  EXPECT_EQ(supervisor->status("web.2")->pid, two.pid);
  EXPECT_TRUE(eventually([&] { return std::filesystem::is_symlink(root() / "scan" / "web.1"); }));
  EXPECT_TRUE(std::filesystem::is_symlink(root() / "orphans" / "web.2"));

  // An orphan can be stopped, replaced and removed like any unit.
  ensure(bash("web.2", "exec sleep 1000"));
  EXPECT_NE(wait_up("web.2").pid, two.pid);
  EXPECT_FALSE(alive(two.pid));
  ASSERT_TRUE(supervisor->remove("web.2", 0));
}

TEST_F(RecoveryTest, SvscanMayBeKilledAgainAndAgain) {
  const auto before = started("web.1");
  for (int i = 0; i < 3; ++i) {
    kill_and_wait(svscan_pid());
    EXPECT_TRUE(*supervisor->ensure_tree());
    started("other." + std::to_string(i));
  }
  EXPECT_EQ(supervisor->status("web.1")->pid, before.pid);
  EXPECT_EQ(supervisor->status("other.0")->starts, 1U);
}

TEST_F(RecoveryTest, TheAdopterMayBeKilledToo) {
  const auto before = started("web");
  const auto orphaned = *files("web").supervisor();
  kill_and_wait(svscan_pid());
  ASSERT_TRUE(*supervisor->ensure_tree());
  const auto adopter = detail::UnitFiles(root() / "units" / "%adopt");
  const auto running = [&] {
    const auto s6 = adopter.s6_status();
    return s6 && s6->pid != 0 && !s6->finishing ? s6->pid : 0;
  };
  ASSERT_TRUE(eventually([&] { return running() != 0; }));
  const pid_t first = running();
  kill_and_wait(first);
  ASSERT_TRUE(eventually([&] { return running() != 0 && running() != first; }));
  kill_and_wait(orphaned);
  wait_for_another("web", before.pid);
  EXPECT_TRUE(eventually([&] { return running() == 0; })) << "its work is done, and it is not started again";
}

TEST_F(RecoveryTest, ARemovalThatTookTooLongGoesOnWithTheNext) {
  auto unit = bash("web", "trap '' TERM; echo up >>seen; while :; do sleep 0.05; done");
  unit.stop_timeout_ms = 1'500;
  ensure(unit);
  const auto before = wait_up("web");
  ASSERT_TRUE(eventually([&] { return has_line("seen", "up"); }));
  const auto late = supervisor->remove("web", 50);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kTimeout);
  ASSERT_TRUE(supervisor->remove("web", 0));
  EXPECT_FALSE(alive(before.pid));
  EXPECT_TRUE(supervisor->list()->empty());
}

TEST_F(RecoveryTest, StopTreeStopsOrphansToo) {
  const auto before = started("web");
  kill_and_wait(svscan_pid());
  ASSERT_TRUE(supervisor->stop_tree(test::kPatienceMs)) << "without any s6-svscan";
  EXPECT_FALSE(alive(before.pid));
  EXPECT_TRUE(has_line("web", "stopped-" + std::to_string(before.pid)));
  ASSERT_TRUE(supervisor->ensure_tree());
  const auto again = wait_up("web");
  kill_and_wait(svscan_pid());
  ASSERT_TRUE(supervisor->ensure_tree());
  ASSERT_TRUE(supervisor->stop_tree(test::kPatienceMs)) << "beside a new one";
  EXPECT_FALSE(alive(again.pid));
}

TEST_F(RecoveryTest, AStartCanLeaveSomeUnitsForLater) {
  started("db");
  started("web.1");
  started("web.2");
  ASSERT_TRUE(supervisor->stop_tree(20'000));
  const auto is_web = [](std::string_view name) { return name.starts_with("web."); };
  ASSERT_TRUE(*supervisor->ensure_tree_holding(is_web));
  wait_up("db");
  EXPECT_FALSE(supervisor->status("web.1")->up);
  EXPECT_EQ(supervisor->list()->size(), 3U) << "they are there, and wait";
  ASSERT_TRUE(supervisor->release_held());
  wait_up("web.1");
  wait_up("web.2");
  // Whoever asks for one of them does not wait for the others.
  ASSERT_TRUE(supervisor->stop_tree(20'000));
  ASSERT_TRUE(*supervisor->ensure_tree_holding(is_web));
  ensure(web("web.1"));
  wait_up("web.1");
  // A start that died before it let them go: the next one has them all.
  ASSERT_TRUE(supervisor->stop_tree(20'000));
  ASSERT_TRUE(*supervisor->ensure_tree_holding(is_web));
  ASSERT_TRUE(supervisor->stop_tree(20'000));
  ASSERT_TRUE(*supervisor->ensure_tree());
  wait_up("web.2");
}

TEST_F(RecoveryTest, AfterARebootWhatWasWantedComesBack) {
  started("web.1");
  started("web.2");
  ASSERT_TRUE(supervisor->down("web.2"));
  wait_down("web.2");
  // All processes at once, nothing cleaned up.
  std::vector<pid_t> all = {svscan_pid(), supervisor->status("web.1")->pid, unit_pid("web.1")};
  for (const auto* name : {"web.1", "web.2"}) all.push_back(*files(name).supervisor());
  for (const pid_t pid : all) ::kill(pid, SIGSTOP);
  for (const pid_t pid : all) ::kill(pid, SIGKILL);
  ASSERT_TRUE(eventually([&] { return !supervisor->tree_running() && !files("web.1").supervisor(); }));
  // A state that tells of a process of another boot whose pid is somebody else's now: ours.
  auto state = *files("web.1").state();
  state.session = state.pid = ::getpid();
  std::snprintf(state.boot_id, sizeof state.boot_id, "another-boot");
  ASSERT_TRUE(write_file_volatile(files("web.1").file("state"),
                                  {reinterpret_cast<const char*>(&state), sizeof state}, 0600));
  EXPECT_EQ(supervisor->status("web.1")->phase, UnitPhase::kDown);
  ASSERT_TRUE(*supervisor->ensure_tree());
  wait_up("web.1");
  EXPECT_EQ(supervisor->status("web.2")->phase, UnitPhase::kDown);
}

TEST_F(RecoveryTest, AUnitThatWasHalfMadeIsNoUnit) {
  ASSERT_TRUE(supervisor->ensure_tree());
  std::filesystem::create_directories(root() / "units" / ".web" / "supervise");
  EXPECT_TRUE(supervisor->list()->empty());
  started("web");
}

}  // namespace
}  // namespace davit
