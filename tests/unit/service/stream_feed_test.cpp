// A stream on its way into a program.
#include "service/stream_feed.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <thread>

namespace davit {
namespace {

/// A pipe whose writing end gives `text`, and then ends.
class Source {
 public:
  explicit Source(std::string text) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    reader_ = UniqueFd(ends[0]);
    thread_ = std::thread([text = std::move(text), writer = ends[1]] {
      for (std::size_t at = 0; at < text.size();) {
        const ssize_t put = ::write(writer, text.data() + at, text.size() - at);
        if (put <= 0) break;
        at += static_cast<std::size_t>(put);
      }
      close(writer);
    });
  }
  ~Source() {
    reader_.reset();
    thread_.join();
  }
  [[nodiscard]] int fd() const { return reader_.get(); }

 private:
  UniqueFd reader_;
  std::thread thread_;
};

std::string drain(int fd) {
  std::string text;
  char buffer[65536];
  for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

TEST(Feed, PassesEveryByteOn) {
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i) text += std::to_string(i) + "\n";
  text += "the end";
  const Source source(text);
  auto feed = StreamFeed::open(source.fd());
  ASSERT_TRUE(feed);
  EXPECT_EQ(feed->head(), text.substr(0, 512));
  const auto fd = feed->start();
  ASSERT_TRUE(fd);
  EXPECT_TRUE(drain(*fd) == text);
  ASSERT_TRUE(feed->finish());
  EXPECT_EQ(feed->bytes(), text.size());
  EXPECT_TRUE(feed->ended_with("the end"));
  EXPECT_FALSE(feed->ended_with("another end"));
  EXPECT_TRUE(feed->ended_with(""));
}

TEST(Feed, AShortStreamIsAllHead) {
  const Source source("x");
  auto feed = StreamFeed::open(source.fd());
  ASSERT_TRUE(feed);
  EXPECT_EQ(feed->head(), "x");
  EXPECT_EQ(drain(feed->start().value()), "x");
}

TEST(Feed, NothingIsAnError) {
  const Source source("");
  const auto feed = StreamFeed::open(source.fd());
  ASSERT_FALSE(feed);
  EXPECT_EQ(feed.error().slug, "no-data");
}

TEST(Feed, AProgramThatReadsNothingIsNotWaitedFor) {
  const UniqueFd source(::memfd_create("davit-test", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(source.get(), 3'000'000), 0);  // more than a pipe holds
  auto feed = StreamFeed::open(source.get());
  ASSERT_TRUE(feed);
  ASSERT_TRUE(feed->start());
  EXPECT_TRUE(feed->finish());
}

TEST(Feed, AProgramThatGoesFirstLeavesNobodyWaiting) {
  int ends[2];  // a source that never ends
  ASSERT_EQ(pipe(ends), 0);
  const UniqueFd reader(ends[0]), writer(ends[1]);
  ASSERT_EQ(::write(writer.get(), std::string(600, 'x').data(), 600), 600);
  auto feed = StreamFeed::open(reader.get());
  ASSERT_TRUE(feed);
  ASSERT_TRUE(feed->start());
  EXPECT_TRUE(feed->finish());
}

}  // namespace
}  // namespace davit
