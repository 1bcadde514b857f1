// Secrets in the output of a build: whole, cut by writes, of several lines, one the beginning of another.
#include "lifecycle/masked_output.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

class Recorder : public UserOutput {
 public:
  void result(std::string_view bytes) override { text.append(bytes); }
  void header(std::string_view line) override { text.append("=").append(line).append("\n"); }
  void step(std::string_view line) override { text.append(">").append(line).append("\n"); }
  void detail(std::string_view bytes) override { text.append(bytes); }
  void warning(std::string_view line) override { text.append("!").append(line).append("\n"); }
  void progress(std::string_view label, std::uint64_t, std::uint64_t, std::string_view) override {
    text.append("%").append(label).append("\n");
  }
  std::string text;
};

std::string in_pieces(const TextMap& secrets, const std::string& output, std::size_t piece) {
  Recorder seen;
  const Masks masks(secrets);
  MaskedOutput out(seen, masks);
  for (std::size_t at = 0; at < output.size(); at += piece) out.detail(output.substr(at, piece));
  out.flush();
  return seen.text;
}

TEST(MaskedOutput, AnyCutOfTheOutputGivesTheSame) {
  const TextMap secrets{{"TOKEN", "s3cret-token"}, {"OTHER", "s3cret-token-longer"}, {"AGAIN", "aabaabaac"}};
  const std::string output =
      "a s3cret-token b s3cret-token-longer c s3cret-toke\naabaabaabaac aabaab s3cret-s3cret-token\n";
  const std::string masked = "a *** b *** c s3cret-toke\naab*** aabaab s3cret-***\n";
  for (std::size_t piece = 1; piece <= output.size(); ++piece)
    EXPECT_EQ(in_pieces(secrets, output, piece), masked) << piece;
}

TEST(MaskedOutput, WhatIsNoSecretIsNotHeldBack) {
  Recorder seen;
  const Masks masks(TextMap{{"TOKEN", "s3cret-token"}});
  MaskedOutput out(seen, masks);
  out.detail("downloading...");
  EXPECT_EQ(seen.text, "downloading...");
  out.detail(" s3cr");
  EXPECT_EQ(seen.text, "downloading... ");
  out.step("next");
  EXPECT_EQ(seen.text, "downloading... s3cr>next\n") << "in the order in which it was said";
}

TEST(MaskedOutput, EveryStreamIsMasked) {
  Recorder seen;
  const Masks masks(TextMap{{"TOKEN", "s3cret-token"}});
  MaskedOutput out(seen, masks);
  out.step("a s3cret-token");
  out.header("s3cret-token");
  out.warning("s3cret-token!");
  out.progress("s3cret-token", 1, 2, "");
  out.result("s3cret-token\n");
  EXPECT_EQ(seen.text, ">a ***\n=***\n!***!\n%***\n***\n");
}

TEST(MaskedOutput, EachLineOfAKeyIsMaskedAndShortValuesAreNot) {
  const TextMap secrets{{"KEY", "-----BEGIN-----\r\nMIIEabcdef\nend\n"}, {"SHORT", "true1"}, {"EMPTY", ""}};
  EXPECT_EQ(in_pieces(secrets, "true1 -----BEGIN-----\n  MIIEabcdef\n  end\n", 3),
            "true1 ***\n  ***\n  end\n");
}

TEST(MaskedOutput, BytesThatAreNoTextAreMaskedToo) {
  const std::string secret("\xff\xfe\x01\x02\x03\x04", 6);
  EXPECT_EQ(in_pieces({{"A", secret}}, "x" + secret + "y", 2), "x***y");
}

}  // namespace
}  // namespace davit
