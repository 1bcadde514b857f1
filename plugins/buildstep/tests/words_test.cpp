// What the stand-ins for curl and wget make of a command line, an answer, a checksum. How they download is
// tests/e2e/test_download_wrapper.py.
#include "curl_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer.hpp"
#include "entry.hpp"
#include "sha256.hpp"
#include "wget_words.hpp"

namespace davit::downloads {
namespace {

using testing::ElementsAre;

constexpr const char* kUrl = "https://example.com/a/b.tgz";

TEST(CurlWords, APlainDownload) {
  const auto request = parse_curl(
      {"-sSfL", "--retry", "5", "--retry-all-errors", "-m30", "--connect-timeout", "2.5", "-o", "x", kUrl});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->url, kUrl);
  EXPECT_EQ(request->file, "x");
  EXPECT_THAT(request->options, ElementsAre("--silent", "--show-error", "--fail", "--location"));
  EXPECT_EQ(request->max_time_s, 30U);
  EXPECT_EQ(request->connect_timeout_s, 3U);
  EXPECT_TRUE(request->may_cache);
  EXPECT_FALSE(request->quiet);
  EXPECT_FALSE(request->body_of_errors);
}

TEST(CurlWords, WhereTheBodyGoes) {
  EXPECT_EQ(parse_curl({kUrl})->file, std::nullopt);
  EXPECT_EQ(parse_curl({"-o", "-", kUrl})->file, std::nullopt);
  EXPECT_EQ(parse_curl({"-O", kUrl})->file, "b.tgz");
  EXPECT_EQ(parse_curl({"-O", "--output-dir", "d", std::string(kUrl) + "?x=/y#z"})->file, "d/b.tgz");
  EXPECT_EQ(parse_curl({"-o/abs/x", "--output-dir", "d", kUrl})->file, "/abs/x");
  EXPECT_FALSE(parse_curl({"-O", "https://example.com/"}));
  EXPECT_FALSE(parse_curl({"-O", "-o", "x", kUrl}));
}

TEST(CurlWords, AnythingElseIsLeftToCurl) {
  const Words cases[] = {{},
                         {kUrl, kUrl},
                         {"-d", "a=b", kUrl},
                         {"-X", "POST", kUrl},
                         {"-I", kUrl},
                         {"-T", "f", kUrl},
                         {"--unheard-of", kUrl},
                         {"-s?", kUrl},
                         {"-o"},
                         {"-", kUrl},
                         {"-H", "Range: bytes=0-1", kUrl},
                         {"-H", "If-None-Match: x", kUrl},
                         {"-H", "@file", kUrl},
                         {"-m", "soon", kUrl},
                         {"file:///etc/passwd"},
                         {"example.com/x"},
                         {"https://example.com/{a,b}"},
                         {"https://example.com/a b"}};
  for (const Words& words : cases) EXPECT_FALSE(parse_curl(words)) << testing::PrintToString(words);
  EXPECT_TRUE(parse_curl({"-g", "https://example.com/{a,b}"}));
  EXPECT_TRUE(parse_curl({"-XGET", "--", kUrl}));
}

TEST(CurlWords, WhatIsSomebodysOwnIsNotForTheCache) {
  for (const Words& words :
       {Words{"-u", "a:b", kUrl}, Words{"-H", "authorization: x", kUrl}, Words{"-b", "a=b", kUrl},
        Words{"-H", "X-Api-Key: x", kUrl}, Words{"-n", kUrl}, Words{"https://a:b@example.com/x"}}) {
    const auto request = parse_curl(words);
    ASSERT_TRUE(request) << testing::PrintToString(words);
    EXPECT_FALSE(request->may_cache) << testing::PrintToString(words);
  }
  EXPECT_TRUE(parse_curl({"-H", "Accept: */*", kUrl})->may_cache);
}

TEST(CurlWords, TheKeyHasWhatDecidesAboutTheAnswer) {
  const std::string plain = parse_curl({"-s", kUrl})->key;
  EXPECT_EQ(parse_curl({"-sSf", "-m", "3", "-o", "x", "--retry", "9", kUrl})->key, plain);
  EXPECT_EQ(parse_curl({std::string(kUrl) + "#part"})->key, plain);
  EXPECT_EQ(parse_curl({"-H", "Accept: a", "-A", "me", kUrl})->key,
            parse_curl({"-A", "me", "-H", "Accept: a", kUrl})->key);
  for (const Words& words :
       {Words{"-L", kUrl}, Words{"-k", kUrl}, Words{"--compressed", kUrl}, Words{"-H", "Accept: a", kUrl}})
    EXPECT_NE(parse_curl(words)->key, plain);
}

TEST(Urls, OfThisMachine) {
  for (const char* url :
       {"http://localhost:80/x", "http://u:p@LOCALHOST", "http://127.0.0.1:3000", "https://[::1]:1/x"})
    EXPECT_TRUE(is_loopback(url)) << url;
  for (const char* url :
       {"http://example.com/localhost", "http://localhost.example.com/", "http://localhost@example.com/"})
    EXPECT_FALSE(is_loopback(url)) << url;
}

TEST(WgetWords, BecomesCurls) {
  const auto request =
      parse_wget({"-qO-", "--tries=3", "--no-check-certificate", "--header=Accept: a", "-T", "5", kUrl});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->file, std::nullopt);
  EXPECT_TRUE(request->quiet);
  EXPECT_THAT(request->options, testing::IsSupersetOf({"--insecure", "--location", "--fail", "--silent"}));
  EXPECT_EQ(parse_wget({"-nv", kUrl})->file, "b.tgz");
  EXPECT_EQ(parse_wget({"-P", "nowhere", "https://example.com/?q=1"})->file, "nowhere/index.html?q=1");
  for (const Words& words :
       {Words{"-r", kUrl}, Words{"-c", kUrl}, Words{"-N", kUrl}, Words{"--post-data=x", kUrl},
        Words{"-i", "f"}, Words{"-b", kUrl}, Words{kUrl, kUrl}, Words{"-nc", kUrl}, Words{"--version"}})
    EXPECT_FALSE(parse_wget(words)) << testing::PrintToString(words);
}

TEST(Answers, TheLastBlockCounts) {
  const Answer answer = parse_answer(
      "HTTP/1.1 302 Found\r\nLocation: /x\r\nSet-Cookie: a=b\r\nETag: \"old\"\r\n\r\n"
      "HTTP/2 200 \r\netag: W/\"new\"\r\nLAST-MODIFIED: then\r\nContent-Type: text/plain\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.etag, "W/\"new\"");
  EXPECT_EQ(answer.last_modified, "then");
  EXPECT_TRUE(answer.may_store);
  EXPECT_FALSE(parse_answer("HTTP/1.1 200 OK\r\nCache-Control: private, No-Store\r\n\r\n").may_store);
  EXPECT_EQ(parse_answer("").status, 0);
  EXPECT_EQ(parse_answer("HTTP/1.1").status, 0);
}

TEST(Answers, WriteOut) {
  EXPECT_EQ(write_out_text("%{http_code} %{size_download}%%\\n", "", 7), "200 7%\n");
  EXPECT_EQ(write_out_text("%{content_type}", "text/plain", 7), "text/plain");
  for (const char* format : {"%{time_total}", "%{url_effective}", "%", "%{http_code"})
    EXPECT_EQ(write_out_text(format, "", 7), std::nullopt) << format;
}

TEST(Checksums, AsTheStandardHasThem) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  Sha256 pieces;
  for (int i = 0; i < 1000; ++i) pieces.add(std::string(1000, 'a'));
  EXPECT_EQ(pieces.hex(), sha256_of(std::string(1'000'000, 'a')));
}

TEST(Entries, ThereAndBack) {
  CacheEntry entry{kUrl, sha256_of("x"), 1, "\"a: b\"", "then\nsha256: forged", "text/plain", 42};
  const auto back = CacheEntry::parse(entry.text());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->etag, "\"a: b\"");
  EXPECT_EQ(back->sha256, entry.sha256) << "a header with a newline forges nothing";
  EXPECT_EQ(back->stored_unix_s, 42);
  for (const char* text :
       {"", "davit-download 2\n", "davit-download 1\nurl: x\nsha256: ../../etc/passwd\n", "\n\n"})
    EXPECT_FALSE(CacheEntry::parse(text)) << text;
  EXPECT_EQ(shown_url("https://u:p@example.com/a?token=x#y"), "https://example.com/a");
}

}  // namespace
}  // namespace davit::downloads
