// Port leases.
#include "store/ports.hpp"

#include <set>

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

using Numbers = std::vector<std::uint16_t>;

class Ports : public StoreTest {
 protected:
  Result<Numbers> lease(const std::string& owner, std::size_t count = 1, PortRange range = {5000, 5003}) {
    return store().ports().lease(range, owner, count,
                                 [&](std::uint16_t port) { return !taken_.contains(port); });
  }
  std::set<std::uint16_t> taken_;  // by strangers
};

TEST_F(Ports, TwoOwnersNeverShare) {
  EXPECT_EQ(must(lease("a")), Numbers{5000});
  EXPECT_EQ(must(lease("b", 2)), (Numbers{5001, 5002}));
  EXPECT_EQ(must(store().ports().of_owner("b")), (Numbers{5001, 5002}));
  const auto all = must(store().ports().list());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].owner, "a");
}

TEST_F(Ports, OwnersAreFoundByHowTheirNamesBegin) {
  for (const char* owner : {"s:1:g2", "s:1", "s:1:g1", "s:10:g1"}) must(lease(owner));
  EXPECT_EQ(must(store().ports().owners("s:1:")), (std::vector<std::string>{"s:1:g1", "s:1:g2"}));
}

TEST_F(Ports, AskingAgainGivesTheSame) {
  EXPECT_EQ(must(lease("a", 2)), (Numbers{5000, 5001}));
  taken_ = {5000, 5001};  // by now the owner itself listens there
  EXPECT_EQ(must(lease("a", 2)), (Numbers{5000, 5001}));
  EXPECT_EQ(must(lease("a", 1)), Numbers{5000});
  EXPECT_EQ(must(lease("a", 3)), (Numbers{5000, 5001, 5002}));
}

TEST_F(Ports, AReleasedPortIsGivenOutLast) {
  must(lease("a"));
  must(lease("b"));
  clock_.advance_ms(1);
  EXPECT_EQ(must(store().ports().release("b")), 1U);
  clock_.advance_ms(1);
  EXPECT_EQ(must(store().ports().release("a")), 1U);
  EXPECT_EQ(must(store().ports().release("a")), 0U);
  EXPECT_EQ(must(lease("c", 4)), (Numbers{5002, 5003, 5001, 5000}));
}

TEST_F(Ports, APortThatAStrangerHasIsPassedOver) {
  taken_ = {5000, 5002};
  EXPECT_EQ(must(lease("a", 2)), (Numbers{5001, 5003}));
  taken_ = {};
  EXPECT_EQ(must(lease("b", 2)), (Numbers{5000, 5002}));
}

TEST_F(Ports, AnEmptyRangeIsAnErrorAndLeasesNothing) {
  must(lease("a", 3));
  const auto result = lease("b", 2);
  EXPECT_EQ(slug_of(result), "ports-exhausted");
  EXPECT_EQ(result.error().code, Code::kUnavailable);
  EXPECT_TRUE(must(store().ports().of_owner("b")).empty());
  EXPECT_EQ(must(lease("b", 1)), Numbers{5003});
}

TEST_F(Ports, RangesAreKeptApart) {
  EXPECT_EQ(must(lease("a")), Numbers{5000});
  EXPECT_EQ(must(lease("a", 1, {65535, 65535})), Numbers{65535});
  EXPECT_EQ(slug_of(lease("b", 1, {65535, 65535})), "ports-exhausted");
  EXPECT_EQ(must(store().ports().release("a")), 2U);
}

}  // namespace
}  // namespace davit
