// Long programs say how far they are.
#include "service/ticking.hpp"

#include <gmock/gmock.h>

#include <future>

#include "tests/fakes/fake_capabilities.hpp"

namespace davit {
namespace {

TEST(Ticking, SaysTheAmountWhileItLastsAndNothingAfterwards) {
  fakes::RecordedOutput out;
  const CallContext context{.actor = "test", .app = {}, .deployment = {}, .out = out};
  std::promise<void> twice;
  int asked = 0;
  {
    const Ticking ticking(context, "Loading", [&] {
      if (++asked == 2) twice.set_value();
      return static_cast<std::uint64_t>(asked) * 10;
    });
    twice.get_future().wait();
    ticking.context().out.step("said meanwhile");
  }
  EXPECT_EQ(out.last_progress, "Loading " + std::to_string(asked * 10));
  EXPECT_GE(asked, 2);
}

}  // namespace
}  // namespace davit
