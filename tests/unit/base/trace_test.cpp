// What a trace may show of a command line.
#include "base/trace.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

TEST(Trace, ShowsWordsAsAShellWouldTakeThem) {
  EXPECT_EQ(traced_argv({"git", "-C", "/a b", "log", "--format=%H"}), "git -C '/a b' log --format=%H");
  EXPECT_EQ(traced_argv({"sh", "-c", "echo 'x'", ""}), "sh -c 'echo '\\''x'\\''' ''");
}

TEST(Trace, HidesValuesAndPasswords) {
  EXPECT_EQ(traced_argv({"run", "--env", "TOKEN=hush"}), "run --env TOKEN=***");
  EXPECT_EQ(traced_argv({"git", "fetch", "https://ada:hush@example.com/x.git"}),
            "git fetch https://***@example.com/x.git");
  EXPECT_EQ(traced_argv({"https://example.com/a@b"}), "https://example.com/a@b");
}

}  // namespace
}  // namespace davit
