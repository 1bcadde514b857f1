#include "sandbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "davit/failure.hpp"
#include "instance_plan.hpp"

namespace davit::process_plugin {
namespace {

using testing::ElementsAre;

SystemView debian() {
  return SystemView{"/usr/bin/bwrap", "/opt/davit/libexec", "/home/d/etc", true, {}};
}

/// The words after the first `from`, `count` of them.
sdk::Strings after(const sdk::Strings& words, const std::string& from, std::size_t count) {
  const auto at = std::ranges::find(words, from);
  if (at == words.end()) return {};
  const auto left = static_cast<std::size_t>(words.end() - at);
  return {at, at + static_cast<std::ptrdiff_t>(std::min(count, left))};
}

bool has(const sdk::Strings& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

/// From bwrap on: davit-sandbox may have to mount something before.
sdk::Strings of_bwrap(const sdk::Strings& words) {
  return {std::ranges::find(words, "/usr/bin/bwrap"), words.end()};
}

std::size_t place(const sdk::Strings& words, const std::string& word) {
  return static_cast<std::size_t>(std::ranges::find(words, word) - words.begin());
}

TEST(Sandbox, OfRootDropsInsideAndHasNoUserNamespace) {
  SandboxSpec spec;
  spec.user = RunUser{61234, 61235, true};
  spec.app = "/run/a/app";
  spec.argv = {"bash", "-c", "x"};
  const sdk::Strings words = sandbox_argv(debian(), spec);
  EXPECT_EQ(words.front(), "/usr/bin/bwrap");
  EXPECT_FALSE(has(words, "--unshare-user"));
  EXPECT_THAT(after(words, "--info-fd", 2), ElementsAre("--info-fd", "9"));
  EXPECT_TRUE(has(words, "--as-pid-1"));
  EXPECT_TRUE(has(words, "--die-with-parent"));
  EXPECT_TRUE(has(words, "--new-session"));
  EXPECT_THAT(after(words, "--cap-drop", 2), ElementsAre("--cap-drop", "ALL"));
  EXPECT_FALSE(has(words, "CAP_SYS_ADMIN"));
  EXPECT_THAT(after(words, "--", 30),
              ElementsAre("--", "/run/davit/davit-sandbox", "inside", "--uid", "61234", "--gid", "61235",
                          "--lifeline", "--cwd", "/app", "--", "/run/davit/davit-init", "--lifeline-fd", "8",
                          "--", "bash", "-c", "x"));
}

TEST(Sandbox, OfANormalUserHasAUserNamespaceAndNoDrop) {
  SandboxSpec spec;
  spec.user = RunUser{1000, 1000, false};
  spec.argv = {"true"};
  const sdk::Strings words = sandbox_argv(debian(), spec);
  EXPECT_TRUE(has(words, "--unshare-user"));
  EXPECT_FALSE(has(words, "--cap-drop"));
  EXPECT_THAT(after(words, "--", 12),
              ElementsAre("--", "/run/davit/davit-sandbox", "inside", "--lifeline", "--cwd", "/", "--",
                          "/run/davit/davit-init", "--lifeline-fd", "8", "--", "true"));
}

TEST(Sandbox, NeverCarriesTheEnvironment) {
  const sdk::Strings words = sandbox_argv(debian(), SandboxSpec{});
  EXPECT_FALSE(has(words, "--setenv"));
  EXPECT_FALSE(has(words, "--clearenv"));
}

TEST(Sandbox, NetworkIsSharedUnlessForbidden) {
  SandboxSpec spec;
  EXPECT_FALSE(has(sandbox_argv(debian(), spec), "--unshare-net"));
  spec.share_network = false;
  EXPECT_TRUE(has(sandbox_argv(debian(), spec), "--unshare-net"));
}

TEST(Sandbox, NothingOfEtcAsAWholeAndNoRealAccounts) {
  const sdk::Strings words = sandbox_argv(debian(), SandboxSpec{});
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    if (!words[i].starts_with("--") || words[i].find("bind") == std::string::npos) continue;
    EXPECT_NE(words[i + 1], "/etc");
    EXPECT_NE(words[i + 1], "/etc/passwd");
    EXPECT_NE(words[i + 1], "/");
    EXPECT_NE(words[i + 1], "/home");
  }
  EXPECT_THAT(after(words, "/home/d/etc/passwd", 2), ElementsAre("/home/d/etc/passwd", "/etc/passwd"));
}

TEST(Sandbox, ShowsWhereDebianPackagesComeFromButNoPasswordsOfApt) {
  const sdk::Strings words = sandbox_argv(debian(), SandboxSpec{});
  // apt's own file wins over the empty one, which stands in where a machine has only sources.list.d
  EXPECT_LT(place(words, "/home/d/etc/sources.list"), place(words, "/etc/apt/sources.list.d"));
  EXPECT_THAT(after(words, "/home/d/etc/sources.list", 2),
              ElementsAre("/home/d/etc/sources.list", "/etc/apt/sources.list"));
  EXPECT_TRUE(has(words, "/etc/apt/trusted.gpg.d"));
  EXPECT_TRUE(has(words, "/var/lib/dpkg/status"));
  for (const std::string& word : words) EXPECT_FALSE(word.starts_with("/etc/apt/a")) << word;
}

TEST(Sandbox, MountsComeAfterAppInTheirOrderWithOpenParents) {
  SandboxSpec spec;
  spec.app = "/r/app";
  spec.mounts = {{"/host/data", "/app/data", 0},
                 {"/host/cache", "/var/cache/app", DAVIT_MOUNT_READ_ONLY},
                 {"/host/sub", "/var/cache/app/sub", 0}};
  const sdk::Strings words = of_bwrap(sandbox_argv(debian(), spec));
  EXPECT_LT(place(words, "/r/app"), place(words, "/host/data"));
  EXPECT_LT(place(words, "/host/data"), place(words, "/host/cache"));
  const std::size_t cache = place(words, "/host/cache");
  EXPECT_EQ(words[cache - 1], "--ro-bind");
  EXPECT_THAT(sdk::Strings(words.begin() + static_cast<std::ptrdiff_t>(cache) - 5,
                           words.begin() + static_cast<std::ptrdiff_t>(cache) - 1),
              ElementsAre("--perms", "0755", "--dir", "/var/cache"));
  EXPECT_EQ(words[place(words, "/host/sub") - 1], "--bind");
  EXPECT_FALSE(has(words, "/var/cache/app/sub") && has(words, "--dir /var/cache/app"));
}

TEST(Sandbox, WhatIsInsideTheAppOrAnotherMountIsMountedByDavitSandboxAsRoot) {
  SandboxSpec spec;
  spec.user = RunUser{61234, 61235, true};
  spec.app = "/r/app";
  spec.mounts = {{"/host/data", "/app/data", DAVIT_MOUNT_READ_ONLY},
                 {"/host/sub", "/app/data/sub", 0},
                 {"/host/assets", "/assets", DAVIT_MOUNT_READ_ONLY},
                 {"/host/cache", "/assets/cache", 0},
                 {"/host/other", "/assets2", DAVIT_MOUNT_READ_ONLY}};
  const sdk::Strings words = sandbox_argv(debian(), spec);
  const auto bwrap = std::ranges::find(words, "/usr/bin/bwrap");
  EXPECT_THAT(sdk::Strings(words.begin(), bwrap),
              ElementsAre("/opt/davit/libexec/davit-sandbox", "mount",                                     //
                          "--around", "/app", "--folder", "/r/app", "--target", "/app/data",               //
                          "--source", "/host/data", "--read-only",                                         //
                          "--around", "/app", "--folder", "/r/app", "--target", "/app/data/sub",           //
                          "--source", "/host/sub",                                                         //
                          "--around", "/assets", "--folder", "/host/assets", "--target", "/assets",        //
                          "--source", "/host/assets", "--read-only",                                       //
                          "--around", "/assets", "--folder", "/host/assets", "--target", "/assets/cache",  //
                          "--source", "/host/cache", "--"));
  const sdk::Strings rest(bwrap, words.end());
  for (const char* inner : {"/app/data", "/app/data/sub", "/assets/cache"}) EXPECT_FALSE(has(rest, inner));
  EXPECT_THAT(after(rest, "/r/app", 2), ElementsAre("/r/app", "/app"));
  EXPECT_EQ(rest[place(rest, "/host/assets") - 1], "--bind") << "or the cache would be read-only, too";
  EXPECT_EQ(rest[place(rest, "/host/other") - 1], "--ro-bind");
}

TEST(Sandbox, OfANormalUserItIsLookedAtAndBwrapMountsIt) {
  SandboxSpec spec;
  spec.app = "/r/app";
  spec.mounts = {{"/host/data", "/data", DAVIT_MOUNT_READ_ONLY}, {"/host/up", "/app/up", 0}};
  const sdk::Strings words = sandbox_argv(debian(), spec);
  EXPECT_THAT(after(words, "mount", 8),
              ElementsAre("mount", "--around", "/app", "--folder", "/r/app", "--target", "/app/up", "--"));
  EXPECT_THAT(after(words, "/host/up", 2), ElementsAre("/host/up", "/app/up"));
  EXPECT_EQ(words[place(words, "/host/data") - 1], "--ro-bind");
}

TEST(Sandbox, NothingIsMountedOverDavitsOwnPrograms) {
  SandboxSpec spec;
  spec.mounts = {{"/host/data", "/run/data", 0}};
  const sdk::Strings words = sandbox_argv(debian(), spec);
  EXPECT_LT(place(words, "/host/data"), place(words, "/opt/davit/libexec"));
  EXPECT_THROW(check_mounts({{"/tmp", "/run/davit", 0}}), sdk::Failure);
}

TEST(Sandbox, TerminalSignalAndLimitsReachTheInside) {
  SandboxSpec spec;
  spec.tty = true;
  spec.stop_signal = 2;
  spec.file_bytes = 1000;
  spec.open_files = 64;
  spec.argv = {"sh"};
  const sdk::Strings words = sandbox_argv(debian(), spec);
  EXPECT_THAT(after(words, "--open-files", 4), ElementsAre("--open-files", "64", "--file-bytes", "1000"));
  EXPECT_THAT(
      after(words, "/run/davit/davit-init", 8),
      ElementsAre("/run/davit/davit-init", "--lifeline-fd", "8", "--tty", "--stop-signal", "2", "--", "sh"));
}

TEST(Sandbox, IsTheSameForTheSameSpec) {
  SandboxSpec spec;
  spec.app = "/r/app";
  spec.argv = {"sh"};
  EXPECT_EQ(sandbox_argv(debian(), spec), sandbox_argv(debian(), spec));
}

TEST(Sandbox, CwdIsAppOnlyWhereThereIsOne) {
  SandboxSpec spec;
  EXPECT_EQ(default_cwd(spec), "/");
  spec.mounts = {{"/x", "/app", 0}};
  EXPECT_EQ(default_cwd(spec), "/app");
  spec.cwd = "/build";
  EXPECT_EQ(default_cwd(spec), "/build");
}

}  // namespace
}  // namespace davit::process_plugin
