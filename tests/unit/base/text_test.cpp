// Cutting, quoting and encoding text.
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

using Words = std::vector<std::string>;

std::string all_bytes() {
  std::string bytes;
  for (int value = 0; value < 256; ++value) bytes += static_cast<char>(value);
  return bytes;
}

TEST(Text, Split) {
  EXPECT_EQ(split("", ','), Words{""});
  EXPECT_EQ(split("a,,b,", ','), (Words{"a", "", "b", ""}));
  EXPECT_EQ(split_words("  a\t b\n"), (Words{"a", "b"}));
  EXPECT_EQ(split_words(" \n"), Words{});
  EXPECT_EQ(split_lines(""), Words{});
  EXPECT_EQ(split_lines("a\r\nb\n\nc"), (Words{"a", "b", "", "c"}));
  EXPECT_EQ(split_lines("a\n"), Words{"a"});
}

TEST(Text, JoinTrimLower) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
  EXPECT_EQ(to_lower_ascii("ÄbC"), "Äbc");
}

TEST(Text, Utf8IsWhatTheStandardSays) {
  for (const char* good : {"", "a", "ä", "€", "😀", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  }
  // Lone tails, cut sequences, overlong forms, a surrogate, beyond U+10FFFF.
  for (const char* bad : {"\x80", "\xC3", "\xE2\x82", "\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF",
                          "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "a\xC3(b"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
  }
}

TEST(Text, JsonQuoteGivesValidJsonForAnyBytes) {
  EXPECT_EQ(json_quote("a\"b\\c\n\t\x01 ä"), R"("a\"b\\c\n\t\u0001 ä")");
  EXPECT_EQ(json_quote("\x7F"), R"("\u007f")");
  EXPECT_EQ(json_quote("x\xC3("), "\"x\xEF\xBF\xBD(\"");
  EXPECT_TRUE(is_valid_utf8(json_quote(all_bytes())));
}

TEST(Text, ShellQuoteIsOneWord) {
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("it's $HOME"), R"('it'\''s $HOME')");
}

TEST(Text, Base64) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  std::string bytes;
  ASSERT_TRUE(base64_decode(base64_encode(all_bytes()), bytes));
  EXPECT_EQ(bytes, all_bytes());
  ASSERT_TRUE(base64_decode("", bytes));
  EXPECT_EQ(bytes, "");
  bytes = "kept";
  for (const char* bad : {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Z*9v", "Zm9v\n"}) {
    EXPECT_FALSE(base64_decode(bad, bytes)) << bad;
  }
  EXPECT_EQ(bytes, "kept");
}

TEST(Text, NearestHelpsWithTypingErrorsOnly) {
  const Words commands = {"apps:create", "apps:list", "ps:scale"};
  EXPECT_EQ(nearest("apps:lst", commands), "apps:list");
  EXPECT_EQ(nearest("aps:craete", commands), "apps:create");
  EXPECT_EQ(nearest("unrelated", commands), "");
  EXPECT_EQ(nearest("xy", {"ab"}), "");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(Text, IdentifiersAndHashes) {
  EXPECT_TRUE(is_identifier("_a9"));
  EXPECT_FALSE(is_identifier("9a"));
  EXPECT_FALSE(is_identifier(""));
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325ULL);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8ULL);  // the authors' test vector
}

}  // namespace
}  // namespace davit
