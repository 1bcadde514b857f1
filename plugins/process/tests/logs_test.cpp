// Log lines, folders over rotations, several instances by time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "log_line.hpp"
#include "log_merge.hpp"
#include "tests/temp_folder.hpp"

namespace davit::process_plugin {
namespace {

using testing::ElementsAre;
namespace fs = std::filesystem;

/// "2026-11-23 10:00:SS.mmm000000  text\n"
std::string stamped(int second, int ms, const std::string& text) {
  char stamp[64];
  std::snprintf(stamp, sizeof stamp, "2026-11-23 10:00:%02d.%03d000000  ", second, ms);
  return stamp + text + "\n";
}

void append(const std::string& file, const std::string& bytes) {
  std::ofstream(file, std::ios::app | std::ios::binary) << bytes;
}

class Logs : public testing::Test {
 protected:
  std::string folder(const std::string& name) {
    fs::create_directories(temp_ / name);
    return temp_ / name;
  }
  LogMerge merge() { return LogMerge(temp_.path(), selector_); }
  sdk::LogOutput collect() {
    return [this](const sdk::LogLine& line) {
      seen_.push_back(line.revision + "." + line.process_type + "." + std::to_string(line.number) + ":" +
                      line.text);
    };
  }
  std::vector<std::string> present(const sdk::LogQuery& query) {
    seen_.clear();
    LogMerge logs(temp_.path(), selector_);
    logs.read_present(query, collect());
    return seen_;
  }

  test::TempFolder temp_;
  sdk::Selector selector_{DAVIT_OWNER_APP, "shop", "", "", 0};
  std::vector<std::string> seen_;
};

TEST(LogLineText, IsUtcWithMilliseconds) {
  const auto line = parse_stamped("2026-11-23 10:05:00.123456789  hello  world");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->unix_ms, 1795428300123);  // date -u -d '2026-11-23 10:05:00' +%s
  EXPECT_EQ(line->text, "hello  world");
  EXPECT_EQ(parse_stamped("2026-11-23 10:05:00.123456789  ")->text, "");
}

TEST(LogLineText, WithoutATimeIsNoStampedLine) {
  EXPECT_FALSE(parse_stamped(""));
  EXPECT_FALSE(parse_stamped("hello"));
  EXPECT_FALSE(parse_stamped("2026-11-23 10:05:00.123456789 one blank"));
  EXPECT_FALSE(parse_stamped("2026-13-45 10:05:00.123456789  no such day"));
}

TEST_F(Logs, OfSeveralInstancesComeByTime) {
  append(folder("d1.web.1") + "/current", stamped(1, 0, "a") + stamped(3, 0, "c"));
  append(folder("d1.web.2") + "/current", stamped(2, 0, "b") + stamped(3, 0, "d"));
  EXPECT_THAT(present({}), ElementsAre("d1.web.1:a", "d1.web.2:b", "d1.web.1:c", "d1.web.2:d"));
}

TEST_F(Logs, GoOverRotatedFilesInOrder) {
  const std::string web = folder("d1.web.1");
  append(web + "/@400000006740000000000002.s", stamped(2, 0, "two"));
  append(web + "/@400000006740000000000001.u", stamped(1, 0, "one"));
  append(web + "/current", stamped(3, 0, "three"));
  append(web + "/state", "not a log");
  append(web + "/lock", "");
  EXPECT_THAT(present({}), ElementsAre("d1.web.1:one", "d1.web.1:two", "d1.web.1:three"));
}

TEST_F(Logs, TheLastLinesReachIntoOldFilesAndAreCountedOverAllInstances) {
  const std::string web = folder("d1.web.1");
  append(web + "/@400000006740000000000001.s", stamped(1, 0, "1") + stamped(2, 0, "2"));
  append(web + "/current", stamped(4, 0, "4"));
  append(folder("d2.web.1") + "/current", stamped(3, 0, "3") + stamped(5, 0, "5"));
  EXPECT_THAT(present({false, 1, 0}), ElementsAre("d2.web.1:5"));
  EXPECT_THAT(present({false, 4, 0}), ElementsAre("d1.web.1:2", "d2.web.1:3", "d1.web.1:4", "d2.web.1:5"));
  EXPECT_EQ(present({false, 100, 0}).size(), 5U);
}

TEST_F(Logs, TheLastLinesOfAFileLargerThanABlock) {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += stamped(i / 100, i % 100, "line " + std::to_string(i));
  append(folder("d1.web.1") + "/current", many);
  const auto lines = present({false, 3000, 0});
  ASSERT_EQ(lines.size(), 3000U);
  EXPECT_EQ(lines.front(), "d1.web.1:line 2000");
  EXPECT_EQ(lines.back(), "d1.web.1:line 4999");
}

TEST_F(Logs, TheEndOfARunIsNoLine) {
  const std::string end = "\x1e";
  append(folder("d1.web.1") + "/current", stamped(1, 0, "a") + stamped(2, 0, end) + stamped(3, 0, "b" + end) +
                                              stamped(4, 0, "") + stamped(5, 0, end) + stamped(6, 0, end));
  EXPECT_THAT(present({}), ElementsAre("d1.web.1:a", "d1.web.1:b", "d1.web.1:"));
  EXPECT_THAT(present({false, 1, 0}), ElementsAre("d1.web.1:"));
  EXPECT_THAT(present({false, 2, 0}), ElementsAre("d1.web.1:b", "d1.web.1:"));
  EXPECT_THAT(present({false, 3, 0}), ElementsAre("d1.web.1:a", "d1.web.1:b", "d1.web.1:"));
}

TEST_F(Logs, SinceLeavesTheOlderOut) {
  append(folder("d1.web.1") + "/current", stamped(1, 0, "old") + stamped(2, 500, "new"));
  EXPECT_THAT(present({false, 0, parse_stamped(stamped(2, 500, ""))->unix_ms}), ElementsAre("d1.web.1:new"));
}

TEST_F(Logs, ASelectorLeavesOtherTypesOut) {
  append(folder("d1.web.1") + "/current", stamped(1, 0, "web"));
  append(folder("d1.worker.1") + "/current", stamped(1, 0, "worker"));
  append(folder("strange") + "/current", stamped(1, 0, "strange"));
  selector_.process_type = "worker";
  EXPECT_THAT(present({}), ElementsAre("d1.worker.1:worker"));
}

TEST_F(Logs, AnyBytesAndLinesWithoutATimeAreKept) {
  append(folder("d1.web.1") + "/current",
         stamped(1, 0, std::string("a\0b\xff", 4)) + "no time\n" + stamped(2, 0, "c"));
  EXPECT_THAT(present({}),
              ElementsAre(std::string("d1.web.1:a\0b\xff", 13), "d1.web.1:no time", "d1.web.1:c"));
}

TEST_F(Logs, NoFolderIsNoLine) {
  selector_.owner = "nobody";
  LogMerge logs(temp_ / "nothing", selector_);
  logs.read_present({}, collect());
  EXPECT_TRUE(seen_.empty());
}

TEST_F(Logs, FollowGoesOnOverWritesRotationsAndNewInstances) {
  const std::string web = folder("d1.web.1");
  append(web + "/current", stamped(1, 0, "one"));
  LogMerge logs(temp_.path(), selector_);
  logs.read_present({}, collect());
  logs.read_new(0, collect());
  EXPECT_THAT(seen_, ElementsAre("d1.web.1:one"));

  append(web + "/current", stamped(2, 0, "two").substr(0, 20));  // half a line
  logs.read_new(1000, collect());
  EXPECT_EQ(seen_.size(), 1U);
  append(web + "/current", stamped(2, 0, "two").substr(20));
  logs.read_new(1000, collect());
  EXPECT_EQ(seen_.back(), "d1.web.1:two");

  append(web + "/current", stamped(3, 0, "three"));
  fs::rename(web + "/current", web + "/@400000006740000000000001.s");
  append(web + "/current", stamped(4, 0, "four"));
  append(folder("d2.web.1") + "/current", stamped(5, 0, "five"));
  logs.read_new(1000, collect());
  logs.read_new(0, collect());
  EXPECT_THAT(
      seen_, ElementsAre("d1.web.1:one", "d1.web.1:two", "d1.web.1:three", "d1.web.1:four", "d2.web.1:five"));
}

TEST_F(Logs, FollowNoticesAnOwnerThatDidNotLogBefore) {
  LogMerge logs(temp_ / "later", selector_);
  logs.read_new(0, collect());
  fs::create_directories(temp_ / "later/d1.web.1");
  append(temp_ / "later/d1.web.1/current", stamped(1, 0, "hello"));
  logs.read_new(50, collect());
  EXPECT_THAT(seen_, ElementsAre("d1.web.1:hello"));
}

}  // namespace
}  // namespace davit::process_plugin
