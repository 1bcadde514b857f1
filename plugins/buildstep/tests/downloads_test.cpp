// The download caches from outside: lists, limits, and folders in which a build has left what it should not.
#include "downloads.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "davit/text.hpp"
#include "entry.hpp"
#include "sha256.hpp"
#include "tests/temp_folder.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

class Downloads : public testing::Test {
 protected:
  void put(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

  /// What the wrapper leaves, last used `used` seconds after 2001.
  void keep(const std::string& id, const std::string& url, const std::string& body, long used) {
    const fs::path folder = store_.folder(id);
    const std::string sum = downloads::sha256_of(body);
    const fs::path note = folder / ("m-" + downloads::sha256_of(url));
    put(folder / ("b-" + sum), body);
    put(note, downloads::CacheEntry{url, sum, body.size(), {}, {}, {}, 1'000'000'000}.text());
    const timespec times[2] = {{1'000'000'000 + used, 0}, {1'000'000'000 + used, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, note.c_str(), times, 0), 0);
  }
  sdk::Strings urls(const std::string& id) {
    sdk::Strings all;
    for (const KeptDownload& kept : store_.list(id)) all.push_back(kept.url);
    return all;
  }
  std::size_t files(const std::string& id) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(root_ / id), fs::directory_iterator()));
  }

  const test::TempFolder root_;
  DownloadStore store_{root_.path()};
};

TEST_F(Downloads, TheLastUsedComesFirst) {
  keep("one", "https://u:p@example.com/a?token=x", "aaaa", 1);
  keep("one", "https://example.com/b", "bb", 2);
  EXPECT_EQ(urls("one"), (sdk::Strings{"https://example.com/b", "https://example.com/a"}));
  EXPECT_EQ(store_.size("one").bytes, 6U);
  EXPECT_EQ(store_.size("one").files, 2U);
  EXPECT_TRUE(store_.list("other").empty());
}

TEST_F(Downloads, WhatIsNotUsedForLongestGoesFirst) {
  keep("one", "https://example.com/a", "aaaa", 3);
  keep("one", "https://example.com/b", "bbbb", 1);
  keep("one", "https://example.com/c", "cccc", 2);
  store_.settle("one", 8);
  EXPECT_EQ(urls("one"), (sdk::Strings{"https://example.com/a", "https://example.com/c"}));
  EXPECT_EQ(files("one"), 4U);
  store_.settle("one", 0);
  EXPECT_EQ(urls("one").size(), 2U) << "0 is no limit";
}

TEST_F(Downloads, ABodyStaysAsLongAsADownloadHasIt) {
  keep("one", "https://example.com/a", "same", 1);
  keep("one", "https://example.com/b", "same", 2);
  keep("one", "https://example.com/c", "cccc", 3);
  EXPECT_EQ(store_.size("one").bytes, 8U);
  EXPECT_EQ(store_.purge("one", "https://example.com/a"), 1U);
  EXPECT_EQ(store_.size("one").bytes, 8U);
  EXPECT_EQ(store_.purge("one", "https://example.com/b"), 1U);
  EXPECT_EQ(store_.size("one").bytes, 4U);
  EXPECT_EQ(store_.purge("one"), 1U);
  EXPECT_EQ(files("one"), 0U);
}

TEST_F(Downloads, TheLimitOfAllAppsAndAppsThatAreGone) {
  keep("one", "https://example.com/a", "aaaa", 1);
  keep("two", "https://example.com/b", "bbbb", 3);
  keep("two", "https://example.com/c", "cccc", 2);
  keep("gone", "https://example.com/d", "dddd", 4);
  store_.settle_all({"one", "two"}, 8);
  EXPECT_FALSE(fs::exists(root_ / "gone"));
  EXPECT_TRUE(urls("one").empty());
  EXPECT_EQ(urls("two").size(), 2U);
}

TEST_F(Downloads, WhatABuildLeavesIsNotBelievedAndNoLinkIsFollowed) {
  keep("one", "https://example.com/a", "aaaa", 1);
  const fs::path folder = root_ / "one";
  const fs::path precious = root_ / "precious";
  fs::create_directories(precious);
  put(precious / "file", "mine");
  put(folder / "t-left", "half a download");
  put(folder / "b-nobodys", "x");
  put(folder / "m-rubbish", "davit-download 1\nurl: x\nsha256: ../precious/file\n");
  fs::create_symlink(precious / "file", folder / "m-link");
  fs::create_directory_symlink(precious, folder / "b-link");
  fs::create_directory(folder / "m-folder");
  put(folder / "m-folder/x", "x");
  ASSERT_EQ(mkfifo((folder / "m-pipe").c_str(), 0600), 0);
  EXPECT_EQ(urls("one"), (sdk::Strings{"https://example.com/a"}));
  store_.settle("one", 0);
  EXPECT_EQ(files("one"), 2U);
  EXPECT_TRUE(fs::exists(precious / "file"));
}

}  // namespace
}  // namespace davit::buildstep
