// The app's lock, as the real deployer takes it.
#include "commands/deployer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "commands/worker_client.hpp"
#include "tests/temp_folder.hpp"

namespace davit {
namespace {

class NoWorkers final : public WorkerClient {
 public:
  Result<Outcome> run(const std::vector<std::string>&, bool, const CallContext&) override {
    return Outcome{};
  }
};

// Says when it is waited.
class WaitingOutput final : public UserOutput {
 public:
  explicit WaitingOutput(std::function<void()> on_step) : on_step_(std::move(on_step)) {}
  void result(std::string_view) override {}
  void header(std::string_view) override {}
  void step(std::string_view) override { on_step_(); }
  void detail(std::string_view) override {}
  void warning(std::string_view) override {}
  void progress(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}

 private:
  std::function<void()> on_step_;
};

TEST(DeployerLock, AnAppThatIsFrozenWhileSomebodyWaitsIsFrozenForThem) {
  const test::TempFolder folder;
  const SystemClock clock;
  const Home home{folder.path(), folder / "plugins.toml"};
  std::filesystem::create_directories(home.lock("shop").parent_path());
  auto store = Store::open(home.database(), StoreMode::kCreate, clock);
  ASSERT_TRUE(store);
  const auto app = store->apps().create("shop");
  ASSERT_TRUE(app);
  auto held = FileLock::try_acquire(home.lock("shop"), {"git push", getpid(), clock.now_unix_ms()});
  ASSERT_TRUE(held);
  NoWorkers workers;
  const auto deployer = make_deployer({.home = home,
                                       .installation = {},
                                       .clock = clock,
                                       .store = [&]() -> Result<Store*> { return &*store; },
                                       .disabled_plugins = {}},
                                      workers);
  WaitingOutput out([&] {
    EXPECT_TRUE(store->apps().lock(app->id));
    held->release();
  });
  const CallContext call{.actor = "local:ada", .app = {}, .deployment = {}, .out = out};
  const auto lock = deployer->lock("shop", "git push", false, false, call);
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().slug, "app-locked");
  EXPECT_TRUE(deployer->lock("shop", "apps:unlock", true, true, call));
}

}  // namespace
}  // namespace davit
