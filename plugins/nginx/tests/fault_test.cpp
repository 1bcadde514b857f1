// What goes wrong with nginx itself: killed, refusing, behind the files.
#include <gmock/gmock.h>

#include <filesystem>

#include "davit/failure.hpp"
#include "engine.hpp"
#include "files/files.hpp"
#include "load.hpp"
#include "test_app.hpp"
#include "test_nginx.hpp"

namespace davit::nginx::test {
namespace {

Route route_to(const std::string& app, const std::vector<Peer>& peers) {
  return Route{app, "d1", {app + ".test"}, peers, false, true};
}

class FaultTest : public testing::TestWithParam<Switching> {
 protected:
  TestNginx nginx{GetParam()};
  Engine engine = nginx.engine();
};
INSTANTIATE_TEST_SUITE_P(BothWays, FaultTest, testing::Values(Switching::kSocket, Switching::kReload),
                         [](const auto& info) {
                           return info.param == Switching::kSocket ? "Socket" : "Reload";
                         });

TEST_P(FaultTest, KilledAndRestartedItKnowsItsRoutes) {
  TestApp app("one");
  engine.apply(route_to("one", {app.peer()}));
  nginx.inputs("two").properties["client-max-body-size"] = "2m";
  engine.apply(route_to("two", {app.peer()}));
  nginx.kill_master(SIGKILL);
  nginx.engine().ensure();
  EXPECT_EQ(nginx.get("one.test").body, "one");
  EXPECT_EQ(nginx.get("two.test").body, "one");
}

// The first worker answers while others still come up: none of them may keep the port when the master is
// killed then.
TEST_P(FaultTest, KilledWhileItsWorkersComeUpItLeavesNone) {
  nginx.settings().workers = 8;
  TestApp app("one");
  for (int i = 0; i < 5; ++i) {
    auto fresh = nginx.engine();
    fresh.apply(route_to("one", {app.peer()}));
    EXPECT_EQ(nginx.get("one.test").body, "one");
    nginx.kill_master(SIGKILL);
  }
}

TEST_P(FaultTest, NoOldWorkerAnswersOnceAChangeIsApplied) {
  nginx.settings().workers = 8;
  auto fresh = nginx.engine();
  TestApp one("one");
  TestApp two("two");
  for (int i = 0; i < 6; ++i) {
    TestApp& app = i % 2 == 0 ? one : two;
    fresh.apply(route_to("one", {app.peer()}));
    for (int request = 0; request < 40; ++request) {
      ASSERT_EQ(nginx.get("one.test").body, i % 2 == 0 ? "one" : "two")
          << "apply " << i << ", request " << request;
    }
  }
}

TEST_P(FaultTest, ARefusedConfigurationChangesNothing) {
  TestApp app("one");
  engine.apply(route_to("one", {app.peer()}));
  const auto extra = nginx.settings().root + "/site.d/two";
  files::make_dirs(extra);
  files::write_file(extra + "/mine.conf", "no_such_directive on;\n");
  nginx.inputs("two").extra_dir = extra;
  try {
    (void)engine.prepare(route_to("two", {app.peer()}));
    FAIL() << "nginx takes no_such_directive?";
  } catch (const sdk::Failure& failure) {
    EXPECT_EQ(failure.slug(), "config-refused");
    EXPECT_EQ(failure.status(), DAVIT_INVALID);
    EXPECT_THAT(failure.message(), testing::HasSubstr("unknown directive \"no_such_directive\" in " + extra));
  }
  // even if it is applied all the same
  EXPECT_THROW(engine.apply(route_to("two", {app.peer()})), sdk::Failure);
  EXPECT_EQ(nginx.get("one.test").body, "one");
  EXPECT_EQ(engine.owned(), std::vector<std::string>{"one"});
  EXPECT_FALSE(std::filesystem::exists(nginx.settings().root + "/sites/two.conf"));
  engine.validate();
  nginx.kill_master(SIGKILL);  // and what is on disk starts
  nginx.engine().ensure();
  EXPECT_EQ(nginx.get("one.test").body, "one");
}

TEST_P(FaultTest, UndoWhileNginxIsDownHoldsWhenItIsBack) {
  TestApp old_app("old");
  TestApp new_app("new");
  engine.apply(route_to("one", {old_app.peer()}));
  const auto token = engine.prepare(route_to("one", {new_app.peer()}));
  engine.apply(route_to("one", {new_app.peer()}));
  nginx.kill_master(SIGKILL);
  nginx.engine().undo("one", token);
  nginx.engine().ensure();
  EXPECT_EQ(nginx.get("one.test").body, "old");
}

TEST_P(FaultTest, FilesThatNginxHasNotReadAreLoadedByTheNextCommand) {
  TestApp app("one");
  engine.apply(route_to("one", {app.peer()}));
  const auto before = nginx.generation();
  // a worker that was killed between writing and the reload leaves this
  files::write_file(nginx.settings().root + "/generation.conf",
                    "set $davit_generation " + std::to_string(before + 1) + ";\n");
  nginx.engine().ensure();
  EXPECT_GT(nginx.generation(), before);
  EXPECT_EQ(nginx.get("one.test").body, "one");
}

TEST_P(FaultTest, AppliedWhileNginxIsDownItIsStarted) {
  TestApp app("one");
  EXPECT_FALSE(nginx.running());
  engine.apply(route_to("one", {app.peer()}));
  EXPECT_TRUE(nginx.running());
  EXPECT_EQ(nginx.get("one.test").body, "one");
}

TEST(Fault, AKilledWorkerLeavesNoCountBehind) {
  TestNginx nginx;
  auto engine = nginx.engine();
  TestApp app("one");
  const auto route = route_to("one", {app.peer()});
  engine.apply(route);
  std::thread slow([&] { nginx.get("one.test", "/?delay=1000"); });
  ControlClient control(nginx.settings().control);
  while (control.in_flight("one", route.peers, 0) == 0) std::this_thread::yield();
  // kill all workers, whichever has the request
  const auto master = files::read_file(nginx.settings().pid_file).value_or("");
  const auto pid = master.substr(0, master.find('\n'));
  std::istringstream children(files::read_file("/proc/" + pid + "/task/" + pid + "/children").value_or(""));
  for (pid_t child = 0; children >> child;) ::kill(child, SIGKILL);
  slow.join();
  engine.ensure();
  EXPECT_TRUE(engine.drain("one", route.peers, 5000));
}

TEST(Fault, ATooLongSocketPathIsNamed) {
  TestNginx nginx;
  nginx.settings().control = "/tmp/" + std::string(120, 'x');
  try {
    nginx.engine();
    FAIL();
  } catch (const sdk::Failure& failure) {
    EXPECT_EQ(failure.slug(), "path-too-long");
  }
}

TEST(Fault, TakenPortIsNamed) {
  TestNginx nginx;
  TestApp squatter("squatter", nginx.settings().http_port);
  try {
    nginx.engine().ensure();
    FAIL() << "two servers on one port?";
  } catch (const sdk::Failure& failure) {
    EXPECT_EQ(failure.slug(), "proxy-not-up");
    EXPECT_THAT(failure.message(), testing::HasSubstr("Address already in use"));
  }
}

}  // namespace
}  // namespace davit::nginx::test
