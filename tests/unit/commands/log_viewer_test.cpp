// A log that is silent for long.
#include "commands/log_viewer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

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

}  // namespace
}  // namespace davit
