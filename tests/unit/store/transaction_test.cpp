// Transactions: all or nothing, nested too.
#include <stdexcept>

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

using Transaction = StoreTest;
using Names = std::vector<std::string>;

TEST_F(Transaction, KeepsEverythingOrNothing) {
  must(store().transaction([&]() -> Result<> {
    DAVIT_TRY(store().apps().create("a"));
    DAVIT_TRY(store().apps().create("b"));
    return {};
  }));
  const auto failed = store().transaction([&]() -> Result<> {
    DAVIT_TRY(store().apps().create("c"));
    DAVIT_TRY(store().apps().create("a"));
    return {};
  });
  EXPECT_EQ(slug_of(failed), "name-taken");
  EXPECT_EQ(must(store().apps().names()), (Names{"a", "b"}));
}

TEST_F(Transaction, ReturnsWhatItsBodyReturns) {
  const auto id =
      must(store().transaction([&]() -> Result<AppId> { return must(store().apps().create("a")).id; }));
  EXPECT_EQ(must(store().apps().get("a")).id, id);
}

TEST_F(Transaction, AnExceptionTakesItBack) {
  EXPECT_THROW((void)store().transaction([&]() -> Result<> {
    must(store().apps().create("a"));
    throw std::runtime_error("x");
  }),
               std::runtime_error);
  EXPECT_EQ(must(store().apps().names()), Names{});
  app("b");
  EXPECT_EQ(must(store().apps().names()), Names{"b"});
}

TEST_F(Transaction, AnInnerOneThatFailsTakesBackItsOwnPartOnly) {
  must(store().transaction([&]() -> Result<> {
    DAVIT_TRY(store().apps().create("a"));
    const auto inner = store().transaction([&]() -> Result<> {
      DAVIT_TRY(store().apps().create("b"));
      return fail(Code::kFailed, "no");
    });
    EXPECT_FALSE(inner);
    DAVIT_TRY(store().apps().create("c"));
    return {};
  }));
  EXPECT_EQ(must(store().apps().names()), (Names{"a", "c"}));
}

TEST_F(Transaction, AnOuterOneThatFailsTakesAllBack) {
  const auto outer = store().transaction([&]() -> Result<> {
    DAVIT_TRY(store().transaction([&]() -> Result<> {
      DAVIT_TRY(store().apps().create("a"));
      return {};
    }));
    return fail(Code::kFailed, "no");
  });
  EXPECT_FALSE(outer);
  EXPECT_EQ(must(store().apps().names()), Names{});
}

TEST_F(Transaction, NestedTooDeepIsRefusedAndTheOuterOnesGoOn) {
  int reached = 0;
  std::function<Result<>(int)> nest = [&](int depth) -> Result<> {
    reached = depth;
    return depth == 20 ? Result<>{} : store().transaction([&] { return nest(depth + 1); });
  };
  EXPECT_EQ(slug_of(nest(0)), "store-error");
  EXPECT_LT(reached, 20);
  app("a");
  EXPECT_EQ(must(store().apps().names()), Names{"a"});
}

TEST_F(Transaction, AReaderSeesOnlyWhatIsCommitted) {
  Store reader = must(Store::open(file(), StoreMode::kRead, clock_));
  must(store().transaction([&]() -> Result<> {
    DAVIT_TRY(store().apps().create("a"));
    EXPECT_EQ(must(reader.apps().names()), Names{});
    return {};
  }));
  EXPECT_EQ(must(reader.apps().names()), Names{"a"});
}

TEST_F(Transaction, AnotherWritersLockIsWaitedForAndThenNamed) {
  Store other = must(Store::open(file(), StoreMode::kWrite, clock_, {.busy_timeout_ms = 1}));
  must(store().transaction([&]() -> Result<> {
    const auto refused = other.apps().create("b");
    EXPECT_EQ(slug_of(refused), "store-busy");
    EXPECT_EQ(refused.error().code, Code::kUnavailable);
    return {};
  }));
  must(other.apps().create("b"));
}

}  // namespace
}  // namespace davit
