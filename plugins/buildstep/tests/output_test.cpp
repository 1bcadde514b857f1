#include "output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::buildstep {
namespace {

class Recorder : public Screen {
 public:
  void step(std::string_view text) override { lines.push_back("step|" + std::string(text)); }
  void header(std::string_view text) override { lines.push_back("header|" + std::string(text)); }
  void warning(std::string_view text) override { lines.push_back("warning|" + std::string(text)); }
  void detail(std::string_view text) override { lines.push_back("detail|" + std::string(text)); }
  std::vector<std::string> lines;
};

TEST(Output, SortsLinesHoweverTheyAreCut) {
  const std::string text =
      "-----> Installing\n       one\ntwo\r\n\n !     careful\n=====> Next\n         deeper\nlast";
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    Recorder screen;
    BuildOutput output(screen);
    output.write(text.substr(0, cut));
    output.write(text.substr(cut));
    output.flush();
    EXPECT_THAT(screen.lines,
                testing::ElementsAre("step|Installing", "detail|one", "detail|two", "detail|",
                                     "warning|careful", "header|Next", "detail|  deeper", "detail|last"));
  }
}

TEST(Output, RedrawnProgressShowsItsLastState) {
  Recorder screen;
  BuildOutput output(screen);
  output.write("10%\r50%\r100%\r\n");
  EXPECT_THAT(screen.lines, testing::ElementsAre("detail|100%"));
}

TEST(Output, EndlessLinesDoNotPileUp) {
  Recorder screen;
  BuildOutput output(screen);
  for (int i = 0; i < 100; ++i) output.write(std::string(1000, 'x'));
  EXPECT_GE(screen.lines.size(), 5U);
}

}  // namespace
}  // namespace davit::buildstep
