// The breadcrumb page by itself.
#include "guard/breadcrumb.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace davit {
namespace {

TEST(Breadcrumb, WithoutAPageItDoesNothing) {
  Breadcrumb crumb;
  const auto call = crumb.enter("a", "b");
  crumb.finish(0);
  EXPECT_FALSE(crumb.mapped());
}

TEST(Breadcrumb, NestedCallsComeBack) {
  auto reader = BreadcrumbReader::create();
  ASSERT_TRUE(reader);
  auto crumb = Breadcrumb::map(::dup(reader->fd()));
  ASSERT_TRUE(crumb);
  EXPECT_EQ(reader->read().plugin, "");
  {
    const auto outer = crumb->enter("outer", "one", 60'000);
    const auto outer_deadline = reader->read().deadline_mono_ms;
    EXPECT_GT(outer_deadline, 0);
    {
      const auto inner = crumb->enter("inner", std::string(200, 'x'), 0);
      EXPECT_EQ(reader->read().plugin, "inner");
      EXPECT_EQ(reader->read().event, std::string(63, 'x')) << "cut, not overrun";
      EXPECT_EQ(reader->read().deadline_mono_ms, outer_deadline) << "the outer limit still holds";
    }
    EXPECT_EQ(reader->read().plugin, "outer");
    EXPECT_EQ(reader->read().event, "one");
  }
  EXPECT_EQ(reader->read().plugin, "");
  EXPECT_EQ(reader->read().deadline_mono_ms, 0);
  EXPECT_FALSE(reader->read().finished);
  crumb->finish(7);
  EXPECT_TRUE(reader->read().finished);
  EXPECT_EQ(reader->read().exit_code, 7);
}

TEST(Breadcrumb, OtherThreadsDoNotWrite) {
  auto reader = BreadcrumbReader::create();
  auto crumb = Breadcrumb::map(::dup(reader->fd()));
  ASSERT_TRUE(crumb);
  const auto call = crumb->enter("main", "event");
  std::thread([&] { const auto other = crumb->enter("other", "event"); }).join();
  EXPECT_EQ(reader->read().plugin, "main");
}

TEST(Breadcrumb, AReaderNeverSeesHalfAChange) {
  auto reader = BreadcrumbReader::create();
  auto crumb = Breadcrumb::map(::dup(reader->fd()));
  ASSERT_TRUE(crumb);
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  std::atomic<int> whole = 0;
  std::thread watcher([&] {
    while (!stop) {
      const auto seen = reader->read();
      if (seen.sequence % 2 != 0)
        continue;  // the writer was descheduled inside a change, and the reader says so
      ++whole;
      if (seen.plugin.empty() ? !seen.event.empty() : seen.plugin[0] != seen.event[0]) ++torn;
    }
  });
  for (int i = 0; i < 200'000; ++i) {
    const auto a = crumb->enter("aaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    const auto b = crumb->enter("bbbbbbbbbbbb", "bbbbbb");
  }
  stop = true;
  watcher.join();
  EXPECT_EQ(torn, 0);
  EXPECT_GT(whole, 0);
}

TEST(Breadcrumb, RefusesADescriptorThatIsNoPage) {
  EXPECT_FALSE(Breadcrumb::map(::open("/dev/null", O_RDWR | O_CLOEXEC)));
  EXPECT_FALSE(Breadcrumb::map(-1));
}

}  // namespace
}  // namespace davit
