// Slug files: found by what is in them, never written twice, swept only when nobody needs them.
#include "lifecycle/slug_store.hpp"

#include "tests/unit/lifecycle/lifecycle_fixture.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

// echo -n abc | sha256sum
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class Slugs : public HomeTest {
 protected:
  fs::path built(const std::string& bytes) {
    const auto file = home.work("d1") / "slug.tar.zst";
    write(file, bytes);
    return file;
  }
};

TEST_F(Slugs, AreNamedByTheirDigest) {
  const auto file = built("abc");
  const Artifact artifact = must(store_slug(home, "shop", file));
  EXPECT_EQ(artifact.kind, ArtifactKind::kSlug);
  EXPECT_EQ(artifact.digest, std::string("sha256:") + kAbc);
  EXPECT_EQ(artifact.ref, std::string("slugs/shop/") + kAbc + ".tar.zst");
  EXPECT_EQ(artifact.size_bytes, 3U);
  EXPECT_EQ(read(home.root / artifact.ref), "abc");
  EXPECT_FALSE(fs::exists(file)) << "moved, not copied";
}

TEST_F(Slugs, TheSameBytesAreTheSameFile) {
  const Artifact first = must(store_slug(home, "shop", built("abc")));
  fs::create_hard_link(home.root / first.ref, home.root / "witness");
  const auto long_ago = fs::last_write_time(home.root / first.ref) - std::chrono::hours(48);
  fs::last_write_time(home.root / first.ref, long_ago);
  const Artifact again = must(store_slug(home, "shop", built("abc")));
  EXPECT_EQ(again.ref, first.ref);
  EXPECT_EQ(again.size_bytes, 3U);
  EXPECT_TRUE(fs::equivalent(home.root / first.ref, home.root / "witness")) << "not written again";
  EXPECT_GT(fs::last_write_time(home.root / first.ref), long_ago)
      << "a new release keeps it from being swept as old";
}

TEST_F(Slugs, AFileLargerThanTheBufferHasItsWholeDigest) {
  const std::string bytes(1'000'000, 'a');
  // perl -e 'print "a" x 1000000' | sha256sum
  EXPECT_EQ(must(sha256_of_file(built(bytes))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_F(Slugs, AMissingOneIsAnError) {
  EXPECT_FALSE(store_slug(home, "shop", home.work("d1") / "nothing"));
}

TEST_F(Slugs, ASweepKeepsWhatIsNeededAndOtherApps) {
  const Artifact kept = must(store_slug(home, "shop", built("kept")));
  const Artifact old = must(store_slug(home, "shop", built("old")));
  const Artifact other = must(store_slug(home, "other", built("old")));
  EXPECT_EQ(must(sweep_slugs(home, "shop", {kept.ref})), 1U);
  EXPECT_TRUE(fs::exists(home.root / kept.ref));
  EXPECT_FALSE(fs::exists(home.root / old.ref));
  EXPECT_TRUE(fs::exists(home.root / other.ref));
}

TEST_F(Slugs, ASweepOfNothingIsNoError) {
  EXPECT_EQ(must(sweep_slugs(home, "never", {})), 0U);
}

}  // namespace
}  // namespace davit
