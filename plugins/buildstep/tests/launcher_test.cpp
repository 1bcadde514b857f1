// The launcher is run for real by bash: what counts is what a process sees.
#include "launcher.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "files.hpp"
#include "support.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

class Launcher : public testing_support::FolderTest {
 protected:
  /// Starts `command` as a Procfile line would be, in root_; its output.
  std::string start(const std::string& command, const sdk::Pairs& env) {
    const auto script =
        read_small_file(fs::path(DAVIT_SOURCE_DIR) / "plugins/buildstep/share/launcher.sh", 1 << 20).value();
    Program program;
    program.argv = {"/usr/bin/env", "--chdir=" + root_.string()};
    const sdk::Strings launcher = launcher_argv(script);
    program.argv.insert(program.argv.end(), launcher.begin(), launcher.end());
    program.argv.insert(program.argv.end(), {"bash", "-c", command});
    program.env = {{"PATH", "/usr/bin:/bin"}};
    program.env.insert(program.env.end(), env.begin(), env.end());
    std::string out;
    program.out = [&out](std::string_view chunk) { out.append(chunk); };
    code_ = programs_.run(program);
    return out;
  }
  int code_ = 0;
};

TEST_F(Launcher, WhatTheAppSetsWins) {
  put(".profile.d/a.sh", "export GREETING=\"${GREETING:-from the script}\"\n");
  EXPECT_EQ(start("echo $GREETING", {{"GREETING", "from the app"}}), "from the app\n");
  EXPECT_EQ(start("echo $GREETING", {}), "from the script\n");
}

TEST_F(Launcher, ScriptsRunInOrderAndProfileLast) {
  put(".profile.d/20-b.sh", "export ORDER=${ORDER}b\n");
  put(".profile.d/10-a.sh", "export ORDER=${ORDER}a\n");
  put(".profile.d/notes.txt", "export ORDER=wrong\n");
  put(".profile", "export ORDER=${ORDER}p\n");
  EXPECT_EQ(start("echo $ORDER", {}), "abp\n");
}

TEST_F(Launcher, ScriptsCannotLoseTheCommandOrTheFolder) {
  put(".profile.d/a.sh", "set -- evil; cd /; declare -x LOCAL=seen\n");
  EXPECT_EQ(start("echo \"$LOCAL $PWD\"; exit 7", {}), "seen " + root_.string() + "\n");
  EXPECT_EQ(code_, 7);
}

TEST_F(Launcher, LeavesNothingOfItsOwn) {
  put(".profile.d/a.sh", ":\n");
  EXPECT_EQ(start("env | grep -c _davit; true", {}), "0\n");
}

TEST_F(Launcher, PathComesFromTheScripts) {
  put("tools/hello", "#!/bin/sh\necho hello\n", 0755);
  put(".profile.d/path.sh", "export PATH=\"$PWD/tools:$PATH\"\n");
  EXPECT_EQ(start("hello", {}), "hello\n");
}

TEST_F(Launcher, AMissingCommandIs127) {
  start("exec no-such-program", {});
  EXPECT_EQ(code_, 127);
}

}  // namespace
}  // namespace davit::buildstep
