// Releases: immutable, live one at a time, kept as long as somebody may need them.
#include "store/releases.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

using Versions = std::vector<std::uint32_t>;

class Releases : public StoreTest {
 protected:
  std::uint32_t make(const std::string& slug = {}) {
    ReleaseSpec spec;
    if (!slug.empty()) spec.artifact = {ArtifactKind::kSlug, slug, "sha256:x", 1};
    return must(store().releases().create(shop_, spec)).version;
  }
  std::uint32_t make_live(const std::string& slug = {}) {
    const auto version = make(slug);
    must(store().releases().mark_live(shop_, version));
    return version;
  }
  ReleaseState state(std::uint32_t version) { return must(store().releases().get(shop_, version)).state; }

  AppId shop_ = app("shop");
};

TEST_F(Releases, KeepEverythingThatMakesThem) {
  std::string bytes;
  for (int value = 1; value < 256; ++value) bytes += static_cast<char>(value);
  ReleaseSpec spec;
  spec.artifact = {ArtifactKind::kSlug, "slugs/shop/abc.tar.zst", "sha256:abc", 123'456'789'012};
  spec.revision = "0123456789abcdef";
  spec.source = "git push main";
  spec.runtime = "process";
  spec.builder = "buildstep";
  spec.stack = "heroku-24";
  spec.config = {{"A", Secret(bytes)}, {"B", Secret(std::string(1024UL * 1024, 'b'))}};
  spec.processes = {{"web", "bundle exec puma -p $PORT", {"/exec", "", "a b", "7:x"}, R"({"a":1})"},
                    {"clock", "tick", {}, ""}};
  spec.checks_json = R"({"web":[]})";
  spec.formation = {{"web", 3}, {"clock", 0}};
  spec.domains = {"z.example.com", "*.example.com"};
  spec.description = "Deploy 0123456";
  spec.actor = "ann";
  const Release made = must(store().releases().create(shop_, spec));
  EXPECT_EQ(made.version, 1U);
  EXPECT_EQ(made.state, ReleaseState::kPending);

  reopen(StoreMode::kRead);
  const Release read = must(store().releases().get(shop_, 1));
  EXPECT_EQ(read.created_at_ms, clock_.now_unix_ms());
  EXPECT_FALSE(read.last_live_at_ms);
  EXPECT_EQ(read.spec.artifact.kind, ArtifactKind::kSlug);
  EXPECT_EQ(read.spec.artifact.ref, spec.artifact.ref);
  EXPECT_EQ(read.spec.artifact.digest, spec.artifact.digest);
  EXPECT_EQ(read.spec.artifact.size_bytes, spec.artifact.size_bytes);
  EXPECT_EQ(read.spec.revision + read.spec.source, spec.revision + spec.source);
  EXPECT_EQ(read.spec.runtime + read.spec.builder + read.spec.stack, "processbuildstepheroku-24");
  EXPECT_EQ(read.spec.config, spec.config);
  ASSERT_EQ(read.spec.processes.size(), 2U);
  EXPECT_EQ(read.spec.processes[0].type, "web");
  EXPECT_EQ(read.spec.processes[0].command, spec.processes[0].command);
  EXPECT_EQ(read.spec.processes[0].launcher_argv, spec.processes[0].launcher_argv);
  EXPECT_EQ(read.spec.processes[0].extras_json, R"({"a":1})");
  EXPECT_EQ(read.spec.processes[1].type, "clock");
  EXPECT_EQ(read.spec.checks_json, spec.checks_json);
  EXPECT_EQ(read.spec.formation, spec.formation);
  EXPECT_EQ(read.spec.domains, spec.domains);
  EXPECT_EQ(read.spec.description + read.spec.actor, "Deploy 0123456ann");
}

TEST_F(Releases, VersionsCountPerAppAndAreNeverUsedTwice) {
  const AppId blog = app("blog");
  EXPECT_EQ(make(), 1U);
  EXPECT_EQ(make(), 2U);
  EXPECT_EQ(must(store().releases().create(blog, {})).version, 1U);
  must(store().releases().forget(shop_, {2}));
  EXPECT_EQ(make(), 3U);
  const auto missing = store().releases().get(shop_, 2);
  EXPECT_EQ(slug_of(missing), "release-not-found");
  EXPECT_EQ(missing.error().message, "Release v2 does not exist");
}

TEST_F(Releases, OneIsLiveAtATime) {
  EXPECT_FALSE(must(store().releases().current(shop_)));
  make_live();
  clock_.advance_ms(1'000);
  const auto second = make_live();
  EXPECT_EQ(state(1), ReleaseState::kSuperseded);
  const auto current = must(store().releases().current(shop_));
  EXPECT_EQ(current->version, second);
  EXPECT_EQ(current->last_live_at_ms, clock_.now_unix_ms());
  clock_.advance_ms(1'000);
  must(store().releases().mark_live(shop_, second));  // a restart
  EXPECT_EQ(must(store().releases().current(shop_))->last_live_at_ms, clock_.now_unix_ms() - 1'000);
  EXPECT_EQ(slug_of(store().releases().mark_live(shop_, 9)), "release-not-found");
  EXPECT_EQ(must(store().releases().current(shop_))->version, second);
}

TEST_F(Releases, ARollbackTakesTheOneThatWasLiveBefore) {
  EXPECT_FALSE(must(store().releases().previous_live(shop_)));
  make_live();
  EXPECT_FALSE(must(store().releases().previous_live(shop_)));
  make_live();
  const auto failed = make();
  must(store().releases().mark_failed(shop_, failed));
  make();                                                        // v4, pending
  EXPECT_EQ(must(store().releases().previous_live(shop_)), 1U);  // not v3, which failed, nor v4
  make_live();                                                   // v5, the rollback to v1
  EXPECT_EQ(must(store().releases().previous_live(shop_)), 2U);
  must(store().releases().mark_live(shop_, 1));
  EXPECT_EQ(must(store().releases().previous_live(shop_)), 5U);
}

TEST_F(Releases, TheNewestUsableIsLiveOrWaits) {
  EXPECT_FALSE(must(store().releases().newest_usable(shop_)));
  make_live();
  EXPECT_EQ(must(store().releases().newest_usable(shop_))->version, 1U);
  const auto failed = make();
  must(store().releases().mark_failed(shop_, failed));
  EXPECT_EQ(must(store().releases().newest_usable(shop_))->version, 1U);
  make();
  EXPECT_EQ(must(store().releases().newest_usable(shop_))->version, 3U);
}

TEST_F(Releases, TheLiveOneCannotFailOrBeForgotten) {
  make_live();
  EXPECT_EQ(slug_of(store().releases().mark_failed(shop_, 1)), "release-live");
  EXPECT_EQ(slug_of(store().releases().mark_failed(shop_, 2)), "release-not-found");
  make();
  EXPECT_EQ(slug_of(store().releases().forget(shop_, {2, 1})), "release-live");
  EXPECT_EQ(must(store().releases().list(shop_)).size(), 2U);
}

TEST_F(Releases, AreListedNewestFirst) {
  for (int i = 0; i < 5; ++i) make_live("s" + std::to_string(i));
  const auto all = must(store().releases().list(shop_));
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all.front().version, 5U);
  EXPECT_EQ(all.front().state, ReleaseState::kLive);
  EXPECT_EQ(all.front().artifact.ref, "s4");
  EXPECT_EQ(all.back().state, ReleaseState::kSuperseded);
  EXPECT_EQ(must(store().releases().list(shop_, 2)).size(), 2U);
}

TEST_F(Releases, RetentionKeepsWhatSomebodyMayNeed) {
  EXPECT_EQ(must(store().releases().expendable(shop_, 0)), Versions{});
  for (int i = 1; i <= 8; ++i) make_live("s" + std::to_string(i));
  make();  // v9, pending and newer than the live v8
  EXPECT_EQ(must(store().releases().expendable(shop_, 0)),
            (Versions{1, 2, 3, 4, 5, 6}));  // v7: rollback's target
  EXPECT_EQ(must(store().releases().expendable(shop_, 5)), (Versions{1, 2, 3, 4}));
  must(store().live_groups().put({shop_, "", "d1", "web", 2, "process", 1, GroupState::kDraining, 0}));
  const auto open = must(store().journal().open({shop_, "rollback", "{}", "ann", 8}));
  must(store().journal().set_to_version(open.id, 3));
  EXPECT_EQ(must(store().releases().expendable(shop_, 5)), (Versions{1, 4}));
  must(store().journal().set_state(open.id, DeploymentState::kDone));
  EXPECT_EQ(must(store().releases().expendable(shop_, 5)), (Versions{1, 3, 4}));

  must(store().releases().forget(shop_, {1, 3, 4, 77}));
  EXPECT_EQ(must(store().releases().artifact_refs(shop_)),
            (std::vector<std::string>{"s2", "s5", "s6", "s7", "s8"}));
  EXPECT_EQ(must(store().releases().list(shop_)).size(), 6U);
}

TEST_F(Releases, AFailedOneNeedsNoArtifactUnlessAnotherHasTheSame) {
  using Refs = std::vector<std::string>;
  make_live("good");
  ReleaseSpec spec;
  spec.artifact = {ArtifactKind::kSlug, "bad", "sha256:bad", 1};
  const auto failed = must(store().releases().create(shop_, spec)).version;
  EXPECT_EQ(must(store().releases().artifact_refs(shop_)), (Refs{"bad", "good"}));
  must(store().releases().mark_failed(shop_, failed));
  EXPECT_EQ(must(store().releases().artifact_refs(shop_)), (Refs{"good"}));
  must(store().releases().create(shop_, spec));
  EXPECT_EQ(must(store().releases().artifact_refs(shop_)), (Refs{"bad", "good"}));
}

TEST_F(Releases, WithoutALiveOneTheNewestStays) {
  for (int i = 0; i < 3; ++i) must(store().releases().mark_failed(shop_, make()));
  EXPECT_EQ(must(store().releases().expendable(shop_, 0)), (Versions{1, 2}));
}

}  // namespace
}  // namespace davit
