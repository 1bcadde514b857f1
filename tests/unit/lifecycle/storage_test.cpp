// What may be mounted where, and which releases may have it at once.
#include "lifecycle/storage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/temp_folder.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

TEST(ParseMount, TakesNamesPathsAndOptions) {
  const auto named = parse_mount("uploads:/app/uploads");
  ASSERT_TRUE(named);
  EXPECT_EQ(*named, (StorageMount{"uploads", "/app/uploads", false, false, false}));
  const auto path = parse_mount("/srv/media:/media:ro,shared");
  ASSERT_TRUE(path);
  EXPECT_EQ(*path, (StorageMount{"/srv/media", "/media", true, true, false}));
  EXPECT_FALSE(parse_mount("data:/data:rw")->read_only);
}

class BadMount : public testing::TestWithParam<const char*> {};

TEST_P(BadMount, IsRefusedWithAHint) {
  const auto mount = parse_mount(GetParam());
  ASSERT_FALSE(mount) << GetParam();
  EXPECT_EQ(mount.error().code, Code::kInvalid);
  EXPECT_FALSE(mount.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(Texts, BadMount,
                         testing::Values("", "data", ":/data", "data:", "data:/data:ro:more", "data:data",
                                         "data:/", "data:/app", "data:/proc/1", "data:/sys", "data:/dev/shm",
                                         "data:/run/davit/x", "data:/run/davit", "data:/run", "data:/a/../b",
                                         "data:/a//b", "data:/a/", "../x:/data", "a/b:/data", ".:/data",
                                         "/:/data", "/srv/../etc:/data", "/srv/:/data", "data:/data:exec",
                                         "data:/data:"));

TEST(SplitMount, TakesWhatWasMountedWhereNothingMayBeNow) {
  const auto mount = split_mount("data:/run:ro");
  ASSERT_TRUE(mount);
  EXPECT_EQ(*mount, (StorageMount{"data", "/run", true, false, false}));
  EXPECT_FALSE(split_mount("../x:/run"));
}

class StorageSource : public testing::Test {
 protected:
  StorageSource() {
    fs::create_directories(home_.storage() / "data");
    fs::create_directories(home_.root / "slugs");
    fs::create_directories(folder_ / "other");
  }

  [[nodiscard]] bool allowed(const std::string& source) const {
    const auto checked = check_source(home_, {source, "/x", false, false, false});
    if (!checked) {
      EXPECT_EQ(checked.error().slug, "mount-denied");
    }
    return checked.has_value();
  }

  const test::TempFolder folder_;
  const Home home_{folder_ / "home", {}};
};

TEST_F(StorageSource, OnlyStorageOfTheHome) {
  EXPECT_TRUE(allowed("data"));
  EXPECT_TRUE(allowed((folder_ / "other").string()));
  EXPECT_TRUE(allowed((home_.storage() / "data").string()));
  EXPECT_FALSE(allowed(home_.storage().string())) << "all apps' at once";
  EXPECT_FALSE(allowed((home_.root / "slugs").string()));
  EXPECT_FALSE(allowed((home_.root / "davit.db").string())) << "even if it is not there yet";
  EXPECT_FALSE(allowed(home_.root.string()));
  EXPECT_FALSE(allowed(folder_.path().string())) << "the home is inside";
}

TEST_F(StorageSource, ALinkIsWhatItLeadsTo) {
  fs::create_symlink(home_.root, folder_ / "link");
  EXPECT_FALSE(allowed((folder_ / "link").string()));
  EXPECT_FALSE(allowed((folder_ / "link" / "slugs").string()));
  fs::create_symlink(home_.root / "slugs", home_.storage() / "sly");
  EXPECT_FALSE(allowed("sly"));
}

HostMount mount(std::string source, bool read_only = false, bool shared = false) {
  return {{std::move(source), "/data", read_only, false}, shared};
}

TEST(Contended, ByPathAndWhoWrites) {
  EXPECT_EQ(contended_path({mount("/a")}, {mount("/a")}), "/a");
  EXPECT_EQ(contended_path({mount("/a")}, {mount("/b")}), "");
  EXPECT_EQ(contended_path({mount("/a")}, {mount("/ab")}), "");
  EXPECT_EQ(contended_path({mount("/a/b")}, {mount("/a")}), "/a/b") << "one inside the other";
  EXPECT_EQ(contended_path({mount("/a")}, {mount("/a/b")}), "/a");
  EXPECT_EQ(contended_path({mount("/a", true)}, {mount("/a", true)}), "") << "both only read";
  EXPECT_EQ(contended_path({mount("/a", true)}, {mount("/a")}), "/a");
  EXPECT_EQ(contended_path({mount("/a", false, true)}, {mount("/a", false, true)}), "");
  EXPECT_EQ(contended_path({mount("/a")}, {mount("/a", false, true)}), "/a") << "the old one did not say so";
  EXPECT_EQ(contended_path({}, {mount("/a")}), "") << "mounted since";
}

TEST(MountsJson, ComesBackAsItWas) {
  const std::vector<HostMount> mounts{mount("/a", true, true), mount("/b \"c\"")};
  const auto back = mounts_from_json(mounts_to_json(mounts));
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].mount.source, "/a");
  EXPECT_TRUE(back[0].mount.read_only && back[0].shared);
  EXPECT_EQ(back[1].mount.source, "/b \"c\"");
  EXPECT_EQ(back[1].mount.target, "/data");
  EXPECT_TRUE(mounts_from_json("").empty());
  EXPECT_TRUE(mounts_from_json("{").empty());
}

TEST(MountText, IsWhatWasTyped) {
  Home home;
  home.root = "/h";
  EXPECT_EQ(mount_text(home, {"data", "/d", false, false, false}), "/h/storage/data:/d");
  EXPECT_EQ(mount_text(home, {"/srv/x", "/d", true, true, false}), "/srv/x:/d:ro,shared");
}

}  // namespace
}  // namespace davit
