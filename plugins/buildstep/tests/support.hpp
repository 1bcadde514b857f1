// What buildstep's tests need around it: real programs by posix_spawn, a stand-in for the sandbox that runs
// the driver for real with its folders mapped to host paths, a screen that records, a temporary folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "build.hpp"
#include "seams.hpp"
#include "tests/temp_folder.hpp"

namespace davit::buildstep::testing_support {

class RealPrograms : public Programs {
 public:
  int run(const Program& program) override;
  std::vector<sdk::Strings> seen;  ///< argv of all that ran
};

/// No isolation: BUILD, CACHE and so on are the host's own folders. What is tested is the driver and the
/// buildpacks.
class MappedSandbox : public Sandbox {
 public:
  explicit MappedSandbox(Programs& programs) : programs_(programs) {}
  int run(const sdk::Task& task) override;
  sdk::Task last;

 private:
  Programs& programs_;
};

class RecordingScreen : public Screen {
 public:
  void step(std::string_view text) override { add("-----> ", text); }
  void header(std::string_view text) override { add("=====> ", text); }
  void warning(std::string_view text) override { add(" !     ", text); }
  void detail(std::string_view text) override { add("       ", text); }
  std::string text;

 private:
  void add(std::string_view arrow, std::string_view line) { text.append(arrow).append(line).append("\n"); }
};

/// A temporary folder with helpers; removed at the end.
class FolderTest : public testing::Test {
 protected:
  /// Writes a file below root_; a mode with execute bits makes a script.
  void put(const std::string& name, const std::string& text, unsigned mode = 0644);
  std::string get(const std::filesystem::path& file) const;
  int sh(const sdk::Strings& argv);  ///< a program in root_'s name; exit code; its output in said_
  /// A buildpack of three scripts; an empty text leaves the script out.
  void put_pack(const std::string& name, const std::string& detect, const std::string& compile,
                const std::string& release = "");

  const test::TempFolder folder_;
  const std::filesystem::path root_ = folder_.path();
  std::string said_;
  RealPrograms programs_;
};

/// A whole build in a temporary folder: root_/src is the app.
class BuildTest : public FolderTest {
 protected:
  void SetUp() override;
  BuildOutcome build();
  /// The message of the failure that the build ends with; fails the test if it succeeds.
  std::string failure();

  BuildConfig config_;
  sdk::Pairs env_;
  RecordingScreen screen_;
  MappedSandbox sandbox_{programs_};
};

}  // namespace davit::buildstep::testing_support
