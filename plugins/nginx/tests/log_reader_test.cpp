// What of nginx's logs is shown to users.
#include "log_reader.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "davit/failure.hpp"
#include "files/files.hpp"
#include "tests/temp_folder.hpp"

namespace davit::nginx {
namespace {

namespace fs = std::filesystem;

class LogReader : public testing::Test {
 protected:
  LogReader() {
    raw.struct_size = sizeof raw;
    raw.host_data = this;
    raw.output = [](const davit_call* call, uint32_t, davit_str bytes) -> davit_status {
      static_cast<LogReader*>(call->host_data)->shown += sdk::copy(bytes);
      return DAVIT_OK;
    };
  }
  std::string show(std::size_t lines) {
    shown.clear();
    try {
      show_log(sdk::Call(&raw), {log, {}}, lines, false);
    } catch (const sdk::Failure& failure) {
      shown += failure.slug();
    }
    return shown;
  }

  davit::test::TempFolder folder{"davit-nginx-logs"};
  const std::string log = folder / "shop-access.log";
  davit_call raw{};
  std::string shown;
};

TEST_F(LogReader, TheLastLinesAlsoOfTheOlderFile) {
  EXPECT_EQ(show(2), "");
  files::write_file(log, "three\n");
  files::write_file(log + ".1", "one\ntwo\n");
  EXPECT_EQ(show(2), "two\nthree\n");
  EXPECT_EQ(show(0), "one\ntwo\nthree\n");
}

TEST_F(LogReader, WhatWorkersPutInPlaceOfAFileIsNotRead) {
  const std::string secret = folder / "secret";
  files::write_file(secret, "s3cret\n");
  for (const auto& name : {log, log + ".1"}) {
    fs::create_symlink(secret, name);
    ASSERT_EQ(show(0), "log-not-a-file") << name;
    EXPECT_EQ(show(5), "log-not-a-file") << name;
    fs::remove(name);
    ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
    EXPECT_EQ(show(0), "log-not-a-file") << name;
    fs::remove(name);
  }
}

}  // namespace
}  // namespace davit::nginx
