// The suite against plugins that are right (in C, C++ by two compilers, and Rust) and against fixtures that
// break one rule each: every rule has a plugin that it catches, and catches for that reason only.
#include "plugin/conformance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace davit {
namespace {

using Level = ConformanceFinding::Level;
using testing::HasSubstr;

std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(DAVIT_FIXTURES) / (name + ".so");
}
std::filesystem::path example(const std::string& name) {
  return std::filesystem::path(DAVIT_BUILD_DIR) / "examples/plugins" / (name + ".so");
}

std::vector<ConformanceFinding> with_level(const ConformanceReport& report, Level level) {
  std::vector<ConformanceFinding> found;
  for (const ConformanceFinding& finding : report.findings) {
    if (finding.level == level) found.push_back(finding);
  }
  return found;
}

std::string text_of(const ConformanceReport& report) {
  std::string text;
  for (const ConformanceFinding& finding : report.findings) {
    static constexpr const char* kWords[] = {"ok", "warning", "PROBLEM"};
    text += std::string(kWords[static_cast<int>(finding.level)]) + " " + finding.check + ": " + finding.text +
            "\n";
  }
  return text;
}

class RightPlugin : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(RightPlugin, PassesWithoutProblemOrWarning) {
  if (!std::filesystem::exists(GetParam())) {
    ASSERT_FALSE(DAVIT_HAVE_RUST && GetParam().stem() == "hello-rust");
    ASSERT_FALSE(DAVIT_HAVE_CLANG && GetParam().stem() == "hello-clang");
    ASSERT_TRUE(GetParam().stem() == "hello-rust" || GetParam().stem() == "hello-clang") << GetParam();
    GTEST_SKIP() << GetParam() << " was not built: its compiler is missing";
  }
  const ConformanceReport report = check_conformance(GetParam());
  EXPECT_TRUE(report.passed()) << text_of(report);
  EXPECT_TRUE(with_level(report, Level::kWarning).empty()) << text_of(report);
  EXPECT_FALSE(report.id.empty());
  EXPECT_EQ(report.version, "0.1.0");
  EXPECT_GE(with_level(report, Level::kOk).size(), 5u) << text_of(report);
}

INSTANTIATE_TEST_SUITE_P(Conformance, RightPlugin,
                         testing::Values(fixture("fixture-good"), fixture("template"), fixture("hello-clang"),
                                         example("hello-c"), example("hello-cpp"), example("hello-rust")),
                         [](const auto& info) {
                           std::string name = info.param.stem();
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

struct Broken {
  const char* mode;
  const char* check;  ///< the word of the finding that must be there
  const char* text;   ///< part of its text
};

class BrokenPlugin : public testing::TestWithParam<Broken> {};

TEST_P(BrokenPlugin, IsCaughtForItsOwnReason) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  if (std::string(GetParam().mode) == "segv")
    GTEST_SKIP() << "the sanitizer handles SIGSEGV itself and exits";
#endif
  ConformanceOptions options;
  options.timeout_ms = 3'000;
  const ConformanceReport report =
      check_conformance(fixture(std::string("fixture-") + GetParam().mode), options);
  EXPECT_FALSE(report.passed()) << text_of(report);
  const std::vector<ConformanceFinding> problems = with_level(report, Level::kProblem);
  ASSERT_FALSE(problems.empty());
  bool named = false;
  for (const ConformanceFinding& problem : problems) {
    EXPECT_EQ(problem.check, GetParam().check) << text_of(report);
    named = named || problem.text.find(GetParam().text) != std::string::npos;
  }
  EXPECT_TRUE(named) << "no finding says \"" << GetParam().text << "\":\n" << text_of(report);
}

INSTANTIATE_TEST_SUITE_P(
    Conformance, BrokenPlugin,
    testing::Values(
        Broken{"abort", "crash", "crashed (SIGABRT) in start()"},
        Broken{"segv", "crash", "crashed (SIGSEGV) in start()"},
        Broken{"loop", "hang", "did not return within 3000 ms in start()"},
        Broken{"exit", "crash", "ended the process (exit code 3) in start()"},
        Broken{"thread-left", "process", "2 thread(s) left running"},
        Broken{"child-left", "process", "a child process left running"},
        Broken{"writes-stdout", "silence", "start() wrote 6 bytes to fd 1 or 2"},
        Broken{"writes-stderr", "silence", "start() wrote 6 bytes to fd 1 or 2"},
        Broken{"silent-failure", "errors", "start() returned FAILED without saying why"},
        Broken{"bad-error-text", "host", "not UTF-8"},
        Broken{"missing-interface", "interfaces", "provides davit.hooks/1, but get_interface() answers NULL"},
        Broken{"short-table", "interfaces", "davit.hooks/1: struct_size"},
        Broken{"call-after-stop", "host", "calls log of the host after stop()"},
        Broken{"chdir", "process", "the working directory was changed to /"},
        Broken{"setenv", "process", "the environment was changed"},
        Broken{"signal-handler", "process", "the handler of signal 10 was changed"},
        Broken{"fd-left", "process", "file descriptor left open: /dev/null"},
        Broken{"refuses-unknown-event", "interfaces", "handle() of an unknown event answered FAILED"},
        Broken{"answers-unknown-interface", "interfaces", "answers an id that nobody knows"},
        Broken{"ignores-sink", "sinks", "examine() goes on after its sink refused"},
        Broken{"undeclared-use", "host", "asks the host for davit.host.secrets/1"},
        Broken{"other-thread-calls", "host", "from another thread than the call's"},
        Broken{"wrong-major", "descriptor", "built for ABI major 99"},
        Broken{"other-id", "descriptor", "the id is \"somebody-else\" in the descriptor"},
        Broken{"other-version", "descriptor", "the version is \"9.9.9\" in the descriptor"},
        Broken{"short-descriptor", "descriptor", "struct_size is 40"},
        Broken{"null-descriptor", "descriptor", "returned NULL"},
        Broken{"load-exit", "crash", "ended the process (exit code 7) in loading the file"},
        Broken{"load-hang", "hang", "in loading the file"},
        Broken{"load-writes", "silence", "loading wrote 7 bytes"},
        Broken{"second-life-fails", "create", "only one instance, ever"},
        Broken{"throws-raw", "crash", "crashed (SIGABRT) in start()"},
        Broken{"throws-load", "crash", "crashed (SIGABRT) in loading the file"}),
    [](const auto& info) {
      std::string name = info.param.mode;
      for (char& c : name) c = c == '-' ? '_' : c;
      return name;
    });

TEST(Conformance, PluginsThatAreShippedPass) {
  const std::filesystem::path shipped = std::filesystem::path(DAVIT_BUILD_DIR) / "lib/davit/plugins";
  if (!std::filesystem::exists(shipped)) GTEST_SKIP() << "no plugin of davit's own was built here";
  for (const auto& entry : std::filesystem::directory_iterator(shipped)) {
    if (entry.path().extension() != ".so") continue;
    const ConformanceReport report = check_conformance(entry.path());
    EXPECT_TRUE(report.passed()) << entry.path() << "\n" << text_of(report);
  }
}

TEST(Conformance, PluginsOfReleasedSdksStillPass) {
  const std::filesystem::path released =
      std::filesystem::path(DAVIT_SOURCE_DIR) / "tests/conformance/released";
  if (!std::filesystem::exists(released)) GTEST_SKIP() << "nothing has been released yet (sdk/abi/README.md)";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(released)) {
    if (entry.path().extension() != ".so") continue;
    const ConformanceReport report = check_conformance(entry.path());
    EXPECT_TRUE(report.passed()) << entry.path() << "\n" << text_of(report);
  }
}

TEST(Conformance, ALeaseKeptAfterStopIsAWarning) {
  const ConformanceReport report = check_conformance(fixture("fixture-lease-left"));
  EXPECT_TRUE(report.passed()) << text_of(report);
  const std::vector<ConformanceFinding> warnings = with_level(report, Level::kWarning);
  ASSERT_FALSE(warnings.empty());
  EXPECT_EQ(warnings[0].check, "leases");
  EXPECT_THAT(warnings[0].text, HasSubstr("leased a port for \"left\""));
}

TEST(Conformance, TheWrapperTurnsEveryExceptionIntoAStatusAndAnError) {
  const ConformanceReport report = check_conformance(fixture("fixture-throws-wrapped"));
  // Each function that threw is a problem of the plugin, with its own words: nothing crashed, nothing failed
  // silently.
  const std::string text = text_of(report);
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(text, HasSubstr("handle() of an unknown event answered INTERNAL: on_event"));
  EXPECT_THAT(text, HasSubstr("prepare() of an unknown event answered INTERNAL: the plugin threw something"));
  EXPECT_THAT(text, HasSubstr("undo() of an unknown event answered INTERNAL: the plugin ran out of memory"));
  EXPECT_THAT(text, HasSubstr("examine() answered FAILED: examine"));
  EXPECT_THAT(text, HasSubstr("detect() of an empty tree answered INTERNAL: detect"));
  EXPECT_THAT(text, testing::Not(HasSubstr("without saying why")));
  EXPECT_THAT(text, testing::Not(HasSubstr("crashed")));
}

}  // namespace
}  // namespace davit
