// What a program gives, on its way to a file.
#include "service/stream_drain.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "process/unique_fd.hpp"

namespace davit {
namespace {

TEST(StreamDrain, AllOfItArrives) {
  char name[] = "/tmp/davit-drain-XXXXXX";
  const UniqueFd file(::mkstemp(name));
  ::unlink(name);
  const std::string bytes(1'000'000, 'x');
  auto drain = StreamDrain::open(file.get());
  ASSERT_TRUE(drain);
  ASSERT_EQ(::write(drain->fd(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  ASSERT_TRUE(drain->finish());
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_END), static_cast<off_t>(bytes.size()));
}

// However they are gathered.
TEST(StreamDrain, ManySmallWritesArriveInTheirOrder) {
  char name[] = "/tmp/davit-drain-XXXXXX";
  const UniqueFd file(::mkstemp(name));
  ::unlink(name);
  auto drain = StreamDrain::open(file.get());
  ASSERT_TRUE(drain);
  std::string all;
  for (int i = 0; i < 5000; ++i) {
    const std::string line = std::to_string(i) + "\n";
    ASSERT_EQ(::write(drain->fd(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
    all += line;
  }
  ASSERT_TRUE(drain->finish());
  std::string has(all.size() + 1, '\0');
  EXPECT_EQ(::pread(file.get(), has.data(), has.size(), 0), static_cast<ssize_t>(all.size()));
  has.resize(all.size());
  EXPECT_TRUE(has == all);
}

TEST(StreamDrain, AFullDiskIsAnErrorHoweverLittleIsLost) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  auto drain = StreamDrain::open(full.get());
  ASSERT_TRUE(drain);
  ASSERT_EQ(::write(drain->fd(), "x", 1), 1);
  const auto done = drain->finish();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text().find("No space left on device"), std::string::npos);
}

}  // namespace
}  // namespace davit
