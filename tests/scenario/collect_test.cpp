// system:collect: just what nobody needs goes, and the dry run says just that.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "lifecycle/collect.hpp"
#include "process/file_lock.hpp"
#include "tests/scenario/world.hpp"

namespace davit::scenario {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

namespace fs = std::filesystem;

class CollectStory : public Story {
 protected:
  Collected collect(bool dry_run) {
    return must(collect_garbage(world.services(), dry_run, world.context()));
  }
  static void write(const fs::path& file, std::size_t bytes) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << std::string(bytes, 'x');
  }
  static void age(const fs::path& path, int days) {
    const auto then = fs::file_time_type::clock::now() - std::chrono::hours(24 * days);
    if (fs::is_directory(path)) {
      for (const auto& entry : fs::recursive_directory_iterator(path))
        fs::last_write_time(entry.path(), then);
    }
    fs::last_write_time(path, then);
  }
  void keep(const std::string& key, const std::string& value) {
    must(world.store().properties().set(AppId::kGlobal, "retention", key, value));
  }
  // The world's clock is not the disk's.
  void clock_is_now() {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    world.clock.advance_ms(now.count() - world.clock.now_unix_ms());
  }
  static std::vector<std::string> names(const Collected& collected) {
    std::vector<std::string> found;
    for (const Garbage& item : collected.items) found.push_back(item.kind + " " + item.name);
    return found;
  }
};

TEST_F(CollectStory, AFreshHomeHasNothingToCollect) {
  must(world.push(kFirst));
  EXPECT_THAT(names(collect(false)), IsEmpty());
  EXPECT_EQ(world.answering().size(), 1U);
}

TEST_F(CollectStory, TheDryRunSaysWhatTheRunRemoves) {
  for (const char* revision : {kFirst, kSecond, kFirst, kSecond}) must(world.push(revision));
  keep("releases", "1");
  keep("deployments", "1");
  write(world.home.slugs("gone") / "x.tar.zst", 10);
  write(world.home.cache("gone") / "y", 20);
  write(world.home.work("d999") / "half" / "done", 30);
  write(world.home.slugs("shop") / "unknown.tar.zst", 40);
  const auto before = world.picture();
  const Collected dry = collect(true);
  EXPECT_EQ(world.picture(), before) << "nothing changed";
  EXPECT_THAT(names(dry), Contains("slug slugs/gone"));
  EXPECT_THAT(names(dry), Contains("slug slugs/shop/unknown.tar.zst"));
  EXPECT_THAT(names(dry), Contains("scratch run/work/d999"));
  EXPECT_THAT(names(dry), Contains("release v1"));
  for (const Garbage& item : dry.items) EXPECT_FALSE(item.why.empty()) << item.name;
  const Collected done = collect(false);
  EXPECT_EQ(names(done), names(dry));
  EXPECT_THAT(done.failures, IsEmpty());
  EXPECT_FALSE(fs::exists(world.home.slugs("gone")));
  EXPECT_FALSE(fs::exists(world.home.work("d999")));
  EXPECT_EQ(world.answering().size(), 1U);
  EXPECT_THAT(names(collect(true)), IsEmpty()) << "and then there is nothing left";
  must(world.deploy("rollback"));
}

TEST_F(CollectStory, AReleaseThatCannotBeForgottenKeepsItsSlug) {
  for (const char* revision : {kFirst, kSecond, kSecond, kSecond}) must(world.push(revision));
  keep("releases", "1");
  const auto slugs = world.slug_files();
  const auto at_the_store = [this](const char* sql) {
    sqlite3* connection = nullptr;
    ASSERT_EQ(sqlite3_open(world.home.database().c_str(), &connection), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(connection, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(connection);
  };
  at_the_store("CREATE TRIGGER full BEFORE DELETE ON releases BEGIN SELECT RAISE(ABORT, 'full'); END");
  EXPECT_THAT(collect(false).failures, SizeIs(2));
  EXPECT_EQ(world.slug_files(), slugs);
  at_the_store("DROP TRIGGER full");
  EXPECT_THAT(collect(false).failures, IsEmpty());
  EXPECT_NE(world.slug_files(), slugs);
}

TEST_F(CollectStory, CachesGoByAgeAndSize) {
  must(world.push(kFirst));
  clock_is_now();
  const fs::path cache = world.home.cache("shop");
  write(cache / "big", 3 << 20);
  EXPECT_THAT(names(collect(true)), IsEmpty());
  keep("cache-mib", "2");
  EXPECT_THAT(names(collect(true)), ElementsAre("cache cache/apps/shop"));
  must(world.store().properties().set(world.shop.id, "retention", "cache-mib", "10"));
  EXPECT_THAT(names(collect(true)), IsEmpty()) << "the app's own rule";
  age(cache, 31);
  EXPECT_THAT(names(collect(true)), ElementsAre("cache cache/apps/shop"));
  keep("cache-days", "0");
  EXPECT_THAT(names(collect(true)), IsEmpty()) << "0: no limit";
  keep("cache-days", "30");
  const Collected done = collect(false);
  EXPECT_THAT(done.items, ElementsAre(AllOf(Field(&Garbage::app, "shop"), Field(&Garbage::bytes, 3U << 20))));
  EXPECT_FALSE(fs::exists(cache));
}

TEST_F(CollectStory, LogsOfInstancesThatAreGone) {
  must(world.push(kFirst));
  clock_is_now();
  const fs::path logs = world.home.logs() / "apps" / "shop";
  write(logs / "d1.web.1" / "current", 5);
  write(logs / "d0.web.1" / "current", 5);
  age(logs / "d1.web.1", 90);
  age(logs / "d0.web.1", 90);
  EXPECT_THAT(names(collect(false)), ElementsAre("log logs/apps/shop/d0.web.1"));
  EXPECT_TRUE(fs::exists(logs / "d1.web.1")) << "it runs, and has nothing to say";
}

TEST_F(CollectStory, TheLogOfADetachedRunStaysWhileItRuns) {
  must(world.push(kFirst));
  world.begin_run(world.plugins.runtime_fake, "r1");
  clock_is_now();
  const fs::path logs = world.home.logs() / "apps" / "shop";
  for (const char* run : {"r1.run.1", "r2.run.1"}) {
    write(logs / run / "current", 5);
    age(logs / run, 90);
  }
  world.record.fail_next("runtime.inspect", Error{Code::kUnavailable, "no engine answers", {}, {}, {}});
  EXPECT_THAT(names(collect(true)), IsEmpty()) << "who knows what runs there";
  EXPECT_THAT(names(collect(false)), ElementsAre("log logs/apps/shop/r2.run.1"));
  EXPECT_TRUE(fs::exists(logs / "r1.run.1"));
}

TEST_F(CollectStory, LogsOfAnAppThatIsGone) {
  must(world.push(kFirst));
  write(world.home.logs() / "apps" / "gone" / "d1.web.1" / "current", 5);
  write(world.home.logs() / "apps" / "shop" / "d1.web.1" / "current", 5);
  EXPECT_THAT(names(collect(false)), ElementsAre("log logs/apps/gone"));
  EXPECT_FALSE(fs::exists(world.home.logs() / "apps" / "gone"));
  EXPECT_TRUE(fs::exists(world.home.logs() / "apps" / "shop"));
}

TEST_F(CollectStory, AnAppThatIsBeingWorkedOnIsLeftAlone) {
  must(world.push(kFirst));
  write(world.home.slugs("shop") / "just-built.tar.zst", 10);
  must(world.store().journal().open({world.shop.id, "push", "{}", "ada", {}}));
  const Collected done = collect(false);
  EXPECT_THAT(done.items, IsEmpty());
  EXPECT_THAT(done.skipped, ElementsAre("shop"));
  EXPECT_TRUE(fs::exists(world.home.slugs("shop") / "just-built.tar.zst"));
}

// Something that takes long goes first: an app is made, pushed to and built meanwhile.
TEST_F(CollectStory, WhatIsMadeMeanwhileStays) {
  for (const char* revision : {kFirst, kSecond}) must(world.push(revision));
  keep("deployments", "1");
  write(world.home.slugs("gone") / "x.tar.zst", 10);
  const App blog = must(world.store().apps().create("blog"));
  std::string deployment;
  world.record.on("sources.forget", [&] {
    const App newest = must(world.store().apps().create("newest"));
    deployment = must(world.store().journal().open({newest.id, "push", "{}", "ada", {}})).id;
    write(world.home.slugs("newest") / "built.tar.zst", 10);
    write(world.home.cache("newest") / "y", 20);
    write(world.home.work(deployment) / "half", 30);
    ReleaseSpec spec;
    spec.artifact = {ArtifactKind::kImage, "sha256:abc", "sha256:abc", 1};
    must(world.store().releases().create(blog.id, spec));
  });
  auto hook = std::make_unique<fakes::FakeHook>(world.record, world.marks, "acme");
  TextMap needed;
  std::int64_t listed_unix_ms = 0;
  bool shop_waits = false;
  hook->on_handle = [&](const Event& event) -> Result<> {
    needed = std::get<CollectEvent*>(event.payload)->needed;
    listed_unix_ms = std::get<CollectEvent*>(event.payload)->listed_unix_ms;
    shop_waits = !FileLock::try_acquire(world.home.lock("shop"), {"ps:scale", 1, 0});
    return {};
  };
  world.bus.subscribe(event_id::kSystemCollect, std::move(hook));
  const Collected done = collect(false);
  ASSERT_NE(deployment, "");
  EXPECT_THAT(names(done), ElementsAre(testing::StartsWith("deploy-log "), "slug slugs/gone"));
  EXPECT_TRUE(fs::exists(world.home.slugs("newest") / "built.tar.zst"));
  EXPECT_TRUE(fs::exists(world.home.cache("newest") / "y"));
  EXPECT_TRUE(fs::exists(world.home.work(deployment) / "half"));
  EXPECT_THAT(needed, Contains(testing::Pair("busy/newest", testing::_)));
  EXPECT_THAT(needed, Contains(testing::Pair("image/sha256:abc", "blog")));
  EXPECT_EQ(listed_unix_ms, world.clock.now_unix_ms()) << "plugins leave what is newer";
  EXPECT_TRUE(shop_waits) << "nothing is built for it while plugins remove images";
  EXPECT_TRUE(FileLock::try_acquire(world.home.lock("shop"), {"ps:scale", 1, 0}).has_value());
}

TEST_F(CollectStory, ADryRunHoldsNobodyUpWhilePluginsLook) {
  must(world.push());
  auto hook = std::make_unique<fakes::FakeHook>(world.record, world.marks, "acme");
  bool looked = false;
  hook->on_handle = [&](const Event&) -> Result<> {
    looked = true;
    EXPECT_TRUE(FileLock::try_acquire(world.home.lock("shop"), {"git push", 1, 0}).has_value());
    return {};
  };
  world.bus.subscribe(event_id::kSystemCollect, std::move(hook));
  (void)collect(true);
  EXPECT_TRUE(looked);
}

TEST_F(CollectStory, AFolderOfAnAppThatIsJustBeingMadeStays) {
  write(world.home.slugs("newest") / "x.tar.zst", 10);
  fs::create_directories(world.home.lock("newest").parent_path());
  {
    const auto lock = must(FileLock::try_acquire(world.home.lock("newest"), {"git push", 1, 0}));
    EXPECT_THAT(names(collect(false)), IsEmpty());
  }
  EXPECT_THAT(names(collect(false)), ElementsAre("slug slugs/newest"));
  EXPECT_FALSE(fs::exists(world.home.lock("newest")));
}

TEST_F(CollectStory, WhatARollbackNeedsStays) {
  for (const char* revision : {kFirst, kSecond}) must(world.push(revision));
  keep("releases", "0");
  EXPECT_THAT(names(collect(false)), IsEmpty());
  must(world.deploy("rollback"));
}

}  // namespace
}  // namespace davit::scenario
