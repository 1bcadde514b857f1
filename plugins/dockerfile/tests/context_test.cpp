// Which entries of a tree go along.
#include "context.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/temp_folder.hpp"

namespace davit::dockerfile {
namespace fs = std::filesystem;
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

class Context : public testing::Test {
 protected:
  Context() {
    spec_.tree = folder_.path();
    spec_.dockerfile = "Dockerfile";
  }
  void write(const std::string& path, const std::string& text = "x") {
    fs::create_directories((spec_.tree / path).parent_path());
    std::ofstream(spec_.tree / path) << text;
  }
  std::vector<std::string> entries() {
    return context_entries(spec_, ignore_rules_of(spec_), [this] { ++looks_; });
  }

  const test::TempFolder folder_;
  ContextSpec spec_;
  int looks_ = 0;
};

TEST_F(Context, IsTheWholeTreeWithEmptyFoldersAndLinks) {
  write("Dockerfile");
  write("src/a");
  fs::create_directories(spec_.tree / "empty");
  fs::create_symlink("/etc", spec_.tree / "link");
  EXPECT_THAT(entries(), ElementsAre("Dockerfile", "empty", "link", "src", "src/a"));
  EXPECT_EQ(looks_, 5) << "whether the build is to end";
}

TEST_F(Context, IsWithoutWhatIsIgnoredButWithTheDockerfile) {
  write("docker/Dockerfile");
  write("docker/other");
  write("node_modules/a/b");
  write("a");
  write(".dockerignore", "node_modules\ndocker\n");
  spec_.dockerfile = "docker/Dockerfile";
  EXPECT_THAT(entries(), ElementsAre(".dockerignore", "a", "docker/Dockerfile"));
}

TEST_F(Context, WhatIsBroughtBackIsFoundInAnIgnoredFolder) {
  write("Dockerfile");
  write("dist/keep/a");
  write("dist/b");
  write(".dockerignore", "dist\n!dist/keep\n");
  EXPECT_THAT(entries(), ElementsAre(".dockerignore", "Dockerfile", "dist/keep", "dist/keep/a"));
}

TEST_F(Context, TheDockerfilesOwnRulesComeFirst) {
  write("Dockerfile");
  write("a");
  write("b");
  write(".dockerignore", "a\n");
  write("Dockerfile.dockerignore", "b\n");
  EXPECT_THAT(entries(), Contains("a"));
  EXPECT_THAT(entries(), Not(Contains("b")));
}

}  // namespace
}  // namespace davit::dockerfile
