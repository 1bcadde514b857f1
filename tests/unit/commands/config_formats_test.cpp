// Config as text: what is printed can be read again, byte for byte.
#include "commands/config_formats.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

ConfigMap hard_values() {
  ConfigMap config;
  config["EMPTY"] = Secret("");
  config["PLAIN"] = Secret("value");
  config["QUOTES"] = Secret("it's \"so\" $HOME `x` \\ end");
  config["LINES"] = Secret("one\ntwo\n");
  config["LITERAL"] = Secret("a\\nb");
  config["BYTES"] = Secret("\xff\xfe");
  config["BLANKS"] = Secret("  a  ");
  return config;
}

TEST(ConfigFormats, LineFormsKeepEveryByte) {
  for (const char* format : {"exports", "envfile"}) {
    const auto text = format_config(hard_values(), format);
    ASSERT_TRUE(text) << format;
    const auto again = parse_config(*text);
    ASSERT_TRUE(again) << format << ": " << again.error().text();
    EXPECT_TRUE(*again == hard_values()) << format;
  }
}

TEST(ConfigFormats, HasDokkusForms) {
  ConfigMap config;
  config["A"] = Secret("x y");
  config["LONGER"] = Secret("z");
  EXPECT_EQ(*format_config(config, "pretty"), "A:       x y\nLONGER:  z\n");
  const ConfigMap red{{"RED", Secret("a\x1b[31m\tb\nc\x7f")}};
  EXPECT_EQ(*format_config(red, "pretty"), "RED:  a\\x1b[31m\tb\nc\\x7f\n");
  EXPECT_EQ(*format_config(config, "shell"), "A='x y' LONGER='z'\n");
  EXPECT_EQ(*format_config(config, "exports"), "export A='x y'\nexport LONGER='z'\n");
  EXPECT_EQ(*format_config(config, "docker-args"), "--env=A='x y' --env=LONGER='z'\n");
  EXPECT_EQ(*format_config(config, "docker-args-keys"), "--env=A --env=LONGER\n");
  EXPECT_EQ(*format_config(config, "json"), "{\"A\":\"x y\",\"LONGER\":\"z\"}\n");
  EXPECT_EQ(*format_config(config, "json-list"),
            "[{\"name\":\"A\",\"value\":\"x y\"},{\"name\":\"LONGER\",\"value\":\"z\"}]\n");
  EXPECT_EQ(*format_config(config, "keys"), "A\nLONGER\n");
  EXPECT_EQ(*format_config({}, "exports"), "");
  EXPECT_EQ(format_config(config, "yaml").error().message, "Unknown export format: yaml");
}

TEST(ConfigFormats, ReadsEnvFilesAsPeopleWriteThem) {
  const auto config =
      parse_config("# comment\n\nA=plain value\r\nexport B='x'\nC=\"y\\\"z\"  # why\nD=\nE='it'\\''s'\n");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->at("A").reveal(), "plain value");
  EXPECT_EQ(config->at("B").reveal(), "x");
  EXPECT_EQ(config->at("C").reveal(), "y\"z");
  EXPECT_EQ(config->at("D").reveal(), "");
  EXPECT_EQ(config->at("E").reveal(), "it's");
}

TEST(ConfigFormats, ReadsJson) {
  const auto config = parse_config(R"({"A":"x","B":3})");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->at("B").reveal(), "3");
}

TEST(ConfigFormats, TheFormatMayBeSaid) {
  EXPECT_EQ(parse_config(R"({"A":"x"})", "json")->at("A").reveal(), "x");
  EXPECT_EQ(parse_config("export A='x'\n", "exports")->at("A").reveal(), "x");
  EXPECT_FALSE(parse_config("A=x\n", "json")) << "not guessed";
  EXPECT_FALSE(parse_config(R"({"A":"x"})", "envfile"));
  const auto unknown = parse_config("A=x\n", "yaml");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "Unknown import format: yaml");
}

TEST(ConfigFormats, ErrorsNameTheLineAndNeverTheValue) {
  for (const char* bad : {"A=1\ns3cret\n", "A=1\nB-C=s3cret\n", "A=1\nB='s3cret\n", "A=1\nB='x' s3cret\n"}) {
    const auto config = parse_config(bad);
    ASSERT_FALSE(config) << bad;
    EXPECT_TRUE(config.error().message.starts_with("Line ")) << config.error().message;
    EXPECT_EQ(config.error().text().find("s3cret"), std::string::npos) << config.error().text();
  }
}

}  // namespace
}  // namespace davit
