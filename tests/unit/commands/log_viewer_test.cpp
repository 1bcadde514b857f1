// A log that is silent for long, and one that never ends its line.
#include "commands/log_viewer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "process/unique_fd.hpp"
#include "tests/temp_folder.hpp"

namespace davit {
namespace {

/// Ends the deployment as soon as it has heard enough.
class Listener final : public UserOutput {
 public:
  explicit Listener(int done_fd) : done_fd_(done_fd) {}
  void result(std::string_view bytes) override {
    heard += bytes;
    if (heard.find(", 0 s\n") != std::string::npos && !std::exchange(ended_, true))
      (void)!::write(done_fd_, "committed 0\n", 12);
  }
  void header(std::string_view) override {}
  void step(std::string_view) override {}
  void detail(std::string_view) override {}
  void warning(std::string_view) override {}
  void progress(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
  std::string heard;

 private:
  int done_fd_;
  bool ended_ = false;
};

class Pieces final : public UserOutput {
 public:
  void result(std::string_view line) override {
    bytes += line.size() - 1;
    longest = std::max(longest, line.size());
  }
  void header(std::string_view) override {}
  void step(std::string_view) override {}
  void detail(std::string_view) override {}
  void warning(std::string_view) override {}
  void progress(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
  std::size_t bytes = 0, longest = 0;
};

TEST(LogViewer, SaysThatSomethingStillGoesOn) {
  const test::TempFolder folder;
  std::ofstream(folder / "log") << "-----> Building\n";
  int done[2];
  ASSERT_EQ(::pipe2(done, O_CLOEXEC), 0);
  const UniqueFd from(done[0]), to(done[1]);
  Listener out(to.get());
  const CallContext context{.actor = "t", .app = "shop", .deployment = "d1", .out = out};
  LogViewer viewer(folder / "log", context);
  viewer.tell_of_silence([] { return std::string("building"); }, 20);
  const auto ended = viewer.follow(from.get());
  ASSERT_TRUE(ended && *ended);
  EXPECT_EQ((*ended)->state, "committed");
  EXPECT_THAT(out.heard, testing::StartsWith("-----> Building\n       still building, 0 s\n"));
}

TEST(LogViewer, KeepsNoLineWithoutAnEnd) {
  const test::TempFolder folder;
  constexpr std::size_t kBytes = 1 << 20;
  std::ofstream(folder / "log") << std::string(kBytes, 'y');
  Pieces out;
  const CallContext context{.actor = "t", .app = "shop", .deployment = "d1", .out = out};
  LogViewer viewer(folder / "log", context);
  ASSERT_TRUE(viewer.follow(-1));
  EXPECT_EQ(out.bytes, kBytes);
  EXPECT_LE(out.longest, std::size_t{128 * 1024});
}

}  // namespace
}  // namespace davit
