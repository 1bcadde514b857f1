#include "release_yaml.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"

namespace davit::buildstep {
namespace {

TEST(Release, ReadsTypesAndVariables) {
  const auto info = parse_release(
      "---\naddons: [a:b]\nconfig_vars:\n  PATH: /app/bin:/usr/bin\n  N: 3\ndefault_process_types:\n"
      "  web: \"npm start\"\n  console: 'irb'\n",
      "x");
  ASSERT_EQ(info.process_types.size(), 2U);
  EXPECT_EQ(info.process_types[0], (std::pair<std::string, std::string>{"web", "npm start"}));
  ASSERT_EQ(info.config.size(), 2U);
  EXPECT_EQ(info.config[1].second, "3");
}

TEST(Release, EmptyFormsAreFine) {
  for (const char* text :
       {"", "\n", "--- {}", "{}", "---\n", "--- \n", "# nothing", "default_process_types:\n",
        "---\ndefault_process_types: {}\n", "addons: []", "~"}) {
    EXPECT_TRUE(parse_release(text, "x").process_types.empty()) << text;
  }
}

TEST(Release, WithoutDashesAndInJson) {
  EXPECT_EQ(parse_release("default_process_types:\n  web: a", "x").process_types.at(0).second, "a");
  EXPECT_EQ(parse_release("{\"default_process_types\": {\"web\": \"a: b\"}}", "x").process_types.at(0).second,
            "a: b");
}

TEST(Release, RefusesWhatMakesNoSense) {
  for (const char* text :
       {"- a\n- b", "just text", "default_process_types: [web]", "default_process_types: {web: {a: b}}",
        "a: [", "a: b: c: d", "\t- x", "config_vars: text"}) {
    EXPECT_THROW(parse_release(text, "x"), sdk::Failure) << text;
  }
  EXPECT_THROW(parse_release(std::string(300 * 1024, '#'), "x"), sdk::Failure);
}

TEST(Release, AliasesDoNotGrow) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'p'; ++c) {
    bomb += fmt::format("{0}: &{0} [*{1},*{1},*{1},*{1},*{1},*{1},*{1},*{1}]\n", c, static_cast<char>(c - 1));
  }
  EXPECT_TRUE(parse_release(bomb, "x").process_types.empty());
}

}  // namespace
}  // namespace davit::buildstep
