// Many writers at once, as threads and as processes.
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

class Concurrency : public StoreTest {
 protected:
  // Runs `body(store, index)` in `count` processes at once; each opens the store for itself.
  void in_processes(int count, const std::function<void(Store&, int)>& body,
                    StoreMode mode = StoreMode::kWrite) {
    run_processes(count, [&](int index) {
      Store own = must(Store::open(file(), mode, clock_, kPatient));
      body(own, index);
    });
  }
  void run_processes(int count, const std::function<void(int)>& body) {
    store_.reset();
    std::vector<pid_t> children;
    for (int index = 0; index < count; ++index) {
      const pid_t child = fork();
      if (child == 0) {
        try {
          body(index);
        } catch (const std::exception& error) {
          fprintf(stderr, "process %d: %s\n", index, error.what());
          _exit(1);
        }
        _exit(0);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = 0;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0);
    }
  }

  // Reads and writes in one transaction.
  static void append(Store& own, AppId scope, const std::string& value) {
    must(own.transaction([&]() -> Result<> {
      const ListKey list{scope, "g", "k"};
      DAVIT_TRY_ASSIGN(auto values, own.lists().items(list));
      values.push_back(value);
      return own.lists().assign(list, values);
    }));
  }

  static constexpr StoreOptions kPatient{.busy_timeout_ms =
                                             120'000};  // a loaded machine must not fail the test
};

TEST_F(Concurrency, ProcessesThatWriteAllTheTimeLoseNothing) {
  const AppId shop = app("shop");
  in_processes(4, [&](Store& own, int index) {
    for (int i = 0; i < 40; ++i) {
      must(own.journal().open({shop, "push", "{}", std::to_string(index), {}}));
      must(own.config().set_many(shop, {{"P" + std::to_string(index), Secret(std::to_string(i))}}));
      must(own.config().merged(shop));
    }
  });
  reopen(StoreMode::kRead);
  std::set<std::string> ids;
  for (const auto& deployment : must(store().journal().history(shop))) ids.insert(deployment.id);
  EXPECT_EQ(ids.size(), 160U);
  EXPECT_TRUE(ids.contains("d1") && ids.contains("d160"));
  EXPECT_EQ(must(store().config().all(shop)).size(), 4U);
}

TEST_F(Concurrency, PortsAreLeasedWithoutRaces) {
  in_processes(4, [&](Store& own, int index) {
    for (int i = 0; i < 25; ++i) {
      must(own.ports().lease({6000, 6099}, std::to_string(index) + "." + std::to_string(i), 1,
                             [](std::uint16_t) { return true; }));
    }
  });
  reopen(StoreMode::kRead);
  EXPECT_EQ(must(store().ports().list()).size(), 100U);
}

TEST_F(Concurrency, CompareAndSwapCountsEveryRound) {
  in_processes(3, [&](Store& own, int) {
    for (int done = 0; done < 20;) {
      const auto seen = must(own.plugin_kv().get("p", AppId::kGlobal, "n"));
      const auto next = std::to_string(std::stoi(seen.value_or("0")) + 1);
      if (must(own.plugin_kv().compare_and_swap("p", AppId::kGlobal, "n", seen, next))) ++done;
    }
  });
  reopen(StoreMode::kRead);
  EXPECT_EQ(must(store().plugin_kv().get("p", AppId::kGlobal, "n")), "60");
}

TEST_F(Concurrency, ThreadsWithStoresOfTheirOwnDoNotDisturbEachOther) {
  const AppId shop = app("shop");
  std::vector<std::thread> threads;
  for (int index = 0; index < 4; ++index) {
    threads.emplace_back([&, index] {
      Store own = must(Store::open(file(), StoreMode::kWrite, clock_, kPatient));
      for (int i = 0; i < 30; ++i) {
        append(own, shop, std::to_string(index));
        must(own.apps().names());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(must(store().lists().items({shop, "g", "k"})).size(), 120U);
}

TEST_F(Concurrency, ManyThatCreateAtOnceAgreeOnOneStore) {
  store_.reset();
  std::filesystem::remove(file());
  in_processes(
      6, [&](Store& own, int index) { must(own.apps().create("app-" + std::to_string(index))); },
      StoreMode::kCreate);
  reopen(StoreMode::kRead);
  EXPECT_EQ(must(store().apps().names()).size(), 6U);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    files += entry.path().string().find(".new.") == std::string::npos ? 0 : 1;
  }
  EXPECT_EQ(files, 0);
}

// Commands come and go: the last one to close tidies SQLite's files away under the next one that opens.
TEST_F(Concurrency, CommandsThatOpenAndCloseAllTheTimeNeverFail) {
  const AppId shop = app("shop");
  run_processes(5, [&](int index) {
    const bool writes = index < 2;
    for (int i = 0; i < 60; ++i) {
      Store own = must(Store::open(file(), writes ? StoreMode::kWrite : StoreMode::kRead, clock_, kPatient));
      if (writes) append(own, shop, "x");
      if (must(own.apps().names()).size() != 1) throw std::runtime_error("the app is missing");
    }
  });
  reopen(StoreMode::kRead);
  EXPECT_EQ(must(store().lists().items({shop, "g", "k"})).size(), 120U);
}

TEST_F(Concurrency, OneOfTwoClaimsWins) {
  const AppId shop = app("shop");
  const auto id = must(store().journal().open({shop, "push", "{}", "ann", {}})).id;
  in_processes(4, [&](Store& own, int index) {
    const auto claimed = own.journal().claim(id, std::nullopt, {"boot", index + 1, 1});
    if (claimed) must(own.properties().set(shop, "won", std::to_string(index), "yes"));
    if (!claimed && slug_of(claimed) != "deployment-owned") must(claimed);
  });
  reopen(StoreMode::kRead);
  EXPECT_EQ(must(store().properties().group(shop, "won")).size(), 1U);
}

}  // namespace
}  // namespace davit
