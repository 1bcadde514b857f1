// Amounts as people write them, and quantities of processes.
#include "commands/resources.hpp"

#include <gtest/gtest.h>

#include "commands/ps_scale.hpp"

namespace davit {
namespace {

TEST(Resources, MemoryIsInMegabytesWithoutAUnit) {
  EXPECT_EQ(parse_resource("memory", "100"), 100ULL << 20);
  EXPECT_EQ(parse_resource("memory", "512m"), 512ULL << 20);
  EXPECT_EQ(parse_resource("memory", "1.5g"), 1536ULL << 20);
  EXPECT_EQ(parse_resource("memory", "65536k"), 64ULL << 20);
  EXPECT_EQ(parse_resource("memory", "8388608b"), 8ULL << 20);
  EXPECT_EQ(parse_resource("memory", "2GiB"), 2ULL << 30);
  EXPECT_EQ(parse_resource("memory", "10MB"), 10ULL << 20);
  for (const char* bad : {"", "m", "-1", "x", "1x", "1e9g", "nan"})
    EXPECT_FALSE(parse_resource("memory", bad)) << bad;
  // Nothing could start with it.
  for (const char* little : {"1", "5.9", "1b", "64k", "5m"})
    EXPECT_FALSE(parse_resource("memory", little)) << little;
  EXPECT_EQ(parse_resource("memory", "6"), 6ULL << 20);
  EXPECT_EQ(parse_resource("memory", "0"), 0ULL);
}

TEST(Resources, CpuIsInCores) {
  EXPECT_EQ(parse_resource("cpu", "0.5"), 500ULL);
  EXPECT_EQ(parse_resource("cpu", "2"), 2000ULL);
  EXPECT_EQ(parse_resource("cpu", "0.01"), 10ULL);
  for (const char* bad : {"", "-1", "x", "99999", "0.009", "0.0001"})
    EXPECT_FALSE(parse_resource("cpu", bad)) << bad;
  EXPECT_EQ(parse_resource("pids", "64"), 64ULL);
  EXPECT_FALSE(parse_resource("pids", "1.5"));
}

TEST(Quantities, AreTypesWithCounts) {
  const auto quantities = parse_quantities({"web=2", "worker=0"});
  ASSERT_TRUE(quantities);
  EXPECT_EQ(quantities->at("web"), 2U);
  EXPECT_EQ(quantities->at("worker"), 0U);
  EXPECT_EQ(parse_quantities({"web"}).error().message, "Missing count for process type web");
  EXPECT_EQ(parse_quantities({"web="}).error().message, "Missing count for process type web");
  for (const char* bad : {"web=x", "web=-1", "web=1001", "web=1 "}) {
    EXPECT_EQ(parse_quantities({bad}).error().message, "Invalid count for process type web") << bad;
  }
  EXPECT_FALSE(parse_quantities({"we b=1"}));
}

}  // namespace
}  // namespace davit
