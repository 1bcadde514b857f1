// Logs stay small, and what nginx has open goes on.
#include "log_files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "files/files.hpp"
#include "tests/temp_folder.hpp"

namespace davit::nginx {
namespace {

namespace fs = std::filesystem;

class LogFiles : public testing::Test {
 protected:
  LogFiles() {
    settings.logs = folder / "logs";
    settings.access_logs = folder / "logs/apps";
    settings.run = folder / "run";
    files::make_dirs(settings.access_logs);
    files::make_dirs(settings.run);
  }
  void write(const std::string& name, const std::string& text) const {
    files::write_file(settings.logs + "/" + name, text);
  }
  std::optional<std::string> read(const std::string& name) const {
    return files::read_file(settings.logs + "/" + name);
  }

  davit::test::TempFolder folder{"davit-nginx-logs"};
  Settings settings;
};

TEST_F(LogFiles, AnErrorLogThatIsOpenIsEmptiedAndItsEndKept) {
  write("error.log", "0123456789");
  write("error.log.1", "before");
  write("small-error.log", "01234567");
  const files::Descriptor open(
      ::open((settings.logs + "/error.log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  bound_logs(settings, 8);
  EXPECT_EQ(read("error.log"), "");
  EXPECT_EQ(read("error.log.1"), "23456789");
  EXPECT_EQ(read("small-error.log"), "01234567");
  ASSERT_EQ(::write(open.get(), "more", 4), 4);
  EXPECT_EQ(read("error.log"), "more");
}

TEST_F(LogFiles, AccessLogsAreRenamedWhereNginxDoesNotDoIt) {
  write("apps/one-access.log", "0123456789");
  settings.switching = Switching::kSocket;
  bound_logs(settings, 8);
  EXPECT_EQ(read("apps/one-access.log.1"), std::nullopt);
  settings.switching = Switching::kReload;
  bound_logs(settings, 8);
  bound_logs(settings, 8);
  EXPECT_EQ(read("apps/one-access.log"), std::nullopt);
  EXPECT_EQ(read("apps/one-access.log.1"), "0123456789");
}

TEST_F(LogFiles, BothFilesGoWithTheirApp) {
  for (const auto* name :
       {"apps/one-access.log", "apps/one-access.log.1", "one-error.log", "one-error.log.1", "two-error.log"})
    write(name, "x");
  remove_logs(settings, "one");
  EXPECT_TRUE(fs::is_empty(settings.access_logs));
  EXPECT_EQ(read("one-error.log"), std::nullopt);
  EXPECT_EQ(read("one-error.log.1"), std::nullopt);
  EXPECT_EQ(read("two-error.log"), "x");
}

TEST_F(LogFiles, WhatIsNewIsReadAlsoAfterTheLogWasEmptied) {
  const LogSince from_nothing(settings);
  EXPECT_EQ(from_nothing.text(), "");
  write("error.log", "old\n");
  const LogSince log(settings);
  EXPECT_EQ(log.text(), "");
  write("error.log", "old\nnew\n");
  EXPECT_EQ(log.text(), "new\n");
  EXPECT_EQ(from_nothing.text(), "old\nnew\n");
  write("error.log", "x\n");
  EXPECT_EQ(log.text(), "x\n");
}

}  // namespace
}  // namespace davit::nginx
