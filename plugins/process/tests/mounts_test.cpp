// Where folders are mounted: inside the app and inside each other, and through no link that an app has left.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "process_world.hpp"

namespace davit::test {
namespace {

TEST_F(RuntimeSuite, MountsInsideTheAppAndInsideEachOther) {
  if (!world->isolated()) GTEST_SKIP() << "needs a sandbox";
  sdk::Task wanted = task(
      "cat have/in some/where/in some.ini /data/in /data/sub/in; ls have;"
      "touch have/new some/where/new /data/sub/new && echo written;"
      "touch /data/new some.ini 2>/dev/null || echo read-only");
  wanted.artifact = world->artifact({{"have/hidden.txt", "x"}});
  const std::string ini = world->host_folder("etc") + "/ini";
  std::ofstream(ini) << "ini\n";
  wanted.mounts = {{world->host_folder("have"), "/app/have", DAVIT_MOUNT_OWN},
                   {world->host_folder("where"), "/app/some/where", DAVIT_MOUNT_OWN},
                   {ini, "/app/some.ini", DAVIT_MOUNT_READ_ONLY},
                   {world->host_folder("data"), "/data", DAVIT_MOUNT_READ_ONLY},
                   {world->host_folder("sub"), "/data/sub", DAVIT_MOUNT_OWN}};
  fs::permissions(wanted.mounts[1].source, fs::perms(0750));  // as storage has it
  fs::create_directory(wanted.mounts[3].source + "/sub");
  for (const sdk::Mount& mount : wanted.mounts) {
    if (mount.source != ini)
      std::ofstream(mount.source + "/in") << fs::path(mount.source).filename().string() << '\n';
  }
  EXPECT_EQ(task_output(wanted), "have\nwhere\nini\ndata\nsub\nin\nwritten\nread-only\n");
}

/// A folder with a davit-sandbox of an app's own, which bwrap would run as root if it were at /run/davit.
std::string bad_folder(World& world) {
  const std::string folder = world.host_folder("bad");
  std::ofstream(folder + "/davit-sandbox") << "#!/bin/sh\nid -u > /run/davit/ran\n";
  fs::permissions(folder + "/davit-sandbox", fs::perms(0755));
  return folder;
}

TEST_F(RuntimeSuite, NothingIsMountedThroughALinkOfTheApp) {
  if (!world->isolated()) GTEST_SKIP() << "needs a sandbox";
  const std::string data = world->host_folder("data");
  const std::string bad = bad_folder(*world);
  sdk::Task wanted = task("echo started");
  wanted.artifact = world->artifact({{"hello.txt", "hello\n"}});
  wanted.mounts = {{data, "/app/data", 0}, {bad, "/app/data/up", 0}};
  for (const std::string& to : {std::string("../../run/davit"), "/oldroot" + data + "/made",
                                "/oldroot" + dynamic_cast<ProcessWorld&>(*world).libexec()}) {
    fs::remove(data + "/up");
    fs::create_symlink(to, data + "/up");
    EXPECT_EQ(
        task_output(wanted, 125),
        "davit-sandbox: nothing can be mounted at /app/data/up: /app/data/up is a link; take it away, or "
        "mount elsewhere\n")
        << to;
  }
  EXPECT_FALSE(fs::exists(bad + "/ran"));
  EXPECT_FALSE(fs::exists(data + "/made")) << "bwrap made a folder outside the sandbox";
}

TEST_F(RuntimeSuite, NothingIsMountedThroughALinkOfTheSandbox) {
  if (!world->isolated()) GTEST_SKIP() << "needs a sandbox";
  sdk::Task wanted = task("echo started");
  wanted.artifact = world->artifact({{"hello.txt", "hello\n"}});
  for (const char* target : {"/var/tmp", "/var/tmp/up", "/lib/up"}) {
    wanted.mounts = {{world->host_folder("data"), "/tmp", 0}, {world->host_folder("up"), target, 0}};
    TestCall call;
    int code = -1;
    EXPECT_EQ(runtime().run_task(call, wanted, code), DAVIT_INVALID) << target;
    EXPECT_THAT(call.message, testing::HasSubstr("is a link in a sandbox")) << target;
  }
}

TEST_F(RuntimeSuite, ALinkThatAnInstanceLeavesIsNotFollowedWhenItStartsAgain) {
  if (!world->isolated()) GTEST_SKIP() << "needs a sandbox";
  const std::string to = "/oldroot" + dynamic_cast<ProcessWorld&>(*world).libexec();
  const std::string bad = bad_folder(*world);
  auto wanted =
      group("worker", "mv some gone && mkdir some && ln -s " + to + " some/where && echo left; exit 1");
  wanted.restart = DAVIT_RESTART_ALWAYS;
  wanted.mounts = {{bad, "/app/some/where", 0}};
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(wait_log("left"));
  EXPECT_TRUE(
      wait_log("davit-sandbox: nothing can be mounted at /app/some/where: /app/some/where is a link; take it "
               "away, or mount elsewhere"));
  EXPECT_FALSE(fs::exists(bad + "/ran"));
}

// Another instance of the app's may have been handed a descriptor of the folder.
TEST_F(RuntimeSuite, ALinkThatComesAndGoesIsNotFollowedEither) {
  if (geteuid() != 0 || !world->isolated()) GTEST_SKIP() << "needs root and a sandbox";
  const std::string data = world->host_folder("data");
  const std::string bad = bad_folder(*world);
  fs::create_directory(data + "/up");
  fs::create_symlink("/oldroot" + dynamic_cast<ProcessWorld&>(*world).libexec(), data + "/link");
  sdk::Task wanted = task("true");
  wanted.artifact = world->artifact({{"hello.txt", "hello\n"}});
  wanted.mounts = {{data, "/app/data", 0}, {bad, "/app/data/up", 0}};
  std::jthread change([&](const std::stop_token& stop) {
    while (!stop.stop_requested())
      renameat2(AT_FDCWD, (data + "/up").c_str(), AT_FDCWD, (data + "/link").c_str(), RENAME_EXCHANGE);
  });
  for (int i = 0; i < 50 && !fs::exists(bad + "/ran"); ++i) {
    TestCall call;
    int code = -1;
    EXPECT_EQ(runtime().run_task(call, wanted, code), DAVIT_OK) << call.message;
    EXPECT_TRUE(code == 0 || code == 125) << code;
  }
  EXPECT_FALSE(fs::exists(bad + "/ran"));
}

}  // namespace
}  // namespace davit::test
