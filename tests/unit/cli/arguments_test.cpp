// The grammar of the command line: flags before and after, --app, values that look like flags, what ends
// flags.
#include "cli/arguments.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

using Words = std::vector<std::string>;

constexpr CliFlag kFlags[] = {
    {"format", "text|json", ""}, {"tail", "", "", 't'}, {"num", "N", "", 'n'}, {"env", "K=V", "", 'e'}};

CliCommand spec(AppArgument app, std::size_t most = kAnyCount) {
  return {.name = "group:verb",
          .usage = "<app>",
          .summary = {},
          .app = app,
          .maximum_args = most,
          .flags = kFlags};
}

Result<Arguments> parse(const Words& words, const CliCommand& command) {
  auto line = split_command_line(words);
  if (!line) return fail(line.error());
  return parse_arguments(*line, command);
}

TEST(CommandLine, TakesGlobalFlagsInFrontOfTheName) {
  const auto line =
      split_command_line({"--quiet", "--app", "shop", "--trace", "ps:scale", "--force", "web=1"});
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->global.quiet);
  EXPECT_TRUE(line->global.trace);
  EXPECT_FALSE(line->global.force);
  EXPECT_EQ(line->global.app, "shop");
  EXPECT_EQ(line->name, "ps:scale");
  EXPECT_EQ(line->rest, (Words{"--force", "web=1"}));
}

TEST(CommandLine, RefusesAnUnknownFlagInFront) {
  EXPECT_FALSE(split_command_line({"--fast", "apps:list"}));
}

TEST(CommandLine, RefusesAppWithoutAName) {
  EXPECT_FALSE(split_command_line({"--app"}));
}

TEST(Arguments, AFormatThatIsNoneIsRefused) {
  for (const char* good : {"text", "json", "stdout"})
    EXPECT_TRUE(parse({"group:verb", "shop", "--format", good}, spec(AppArgument::kExisting))) << good;
  for (const Words& words :
       {Words{"group:verb", "shop", "--format", "yaml"}, Words{"group:verb", "shop", "--format="}})
    EXPECT_FALSE(parse(words, spec(AppArgument::kExisting))) << words.back();
}

TEST(Arguments, FlagsMayStandBeforeOrAfterTheApp) {
  for (const Words& words : {Words{"group:verb", "--format", "json", "shop", "x"},
                             Words{"group:verb", "shop", "x", "--format=json"},
                             Words{"group:verb", "shop", "--format", "json", "x"}}) {
    const auto args = parse(words, spec(AppArgument::kExisting));
    ASSERT_TRUE(args);
    EXPECT_EQ(args->app, "shop");
    EXPECT_EQ(args->args, Words{"x"});
    EXPECT_TRUE(args->json());
  }
}

TEST(Arguments, AppFlagSuppliesTheFirstPositional) {
  const auto args = parse({"--app", "shop", "group:verb", "x"}, spec(AppArgument::kExisting));
  ASSERT_TRUE(args);
  EXPECT_EQ(args->app, "shop");
  EXPECT_EQ(args->args, Words{"x"});
}

TEST(Arguments, GlobalAndAllStandInPlaceOfTheApp) {
  const auto global = parse({"group:verb", "--global", "KEY"}, spec(AppArgument::kOrGlobal));
  ASSERT_TRUE(global);
  EXPECT_TRUE(global->global_scope);
  EXPECT_EQ(global->args, Words{"KEY"});
  const auto all = parse({"group:verb", "--all"}, spec(AppArgument::kOrAll));
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->all);
  EXPECT_FALSE(parse({"group:verb", "--all"}, spec(AppArgument::kExisting)));
}

TEST(Arguments, AMissingAppIsAnError) {
  const auto args = parse({"group:verb"}, spec(AppArgument::kExisting));
  ASSERT_FALSE(args);
  EXPECT_EQ(args.error().message, "Please specify an app to run the command on");
  EXPECT_TRUE(parse({"group:verb"}, spec(AppArgument::kOptional)));
}

TEST(Arguments, ShortFlagsTakeValuesAttachedOrNot) {
  for (const Words& words :
       {Words{"group:verb", "shop", "-n", "50", "-t"}, Words{"group:verb", "shop", "-n50", "-t"}}) {
    const auto args = parse(words, spec(AppArgument::kExisting));
    ASSERT_TRUE(args);
    EXPECT_EQ(args->value("num"), "50");
    EXPECT_TRUE(args->has("tail"));
  }
}

TEST(Arguments, RepeatedFlagsKeepTheirOrder) {
  const auto args = parse({"group:verb", "-e", "A=1", "shop", "--env", "B=2"}, spec(AppArgument::kExisting));
  ASSERT_TRUE(args);
  EXPECT_EQ(args->values("env"), (std::vector<std::string_view>{"A=1", "B=2"}));
}

TEST(Arguments, AnUnknownFlagNamesTheNearestOne) {
  const auto args = parse({"group:verb", "shop", "--fromat", "json"}, spec(AppArgument::kExisting));
  ASSERT_FALSE(args);
  EXPECT_NE(args.error().message.find("--format"), std::string::npos);
}

TEST(Arguments, AFlagWithoutItsValueIsAnError) {
  EXPECT_FALSE(parse({"group:verb", "shop", "--num"}, spec(AppArgument::kExisting)));
  EXPECT_FALSE(parse({"group:verb", "shop", "--tail=yes"}, spec(AppArgument::kExisting)));
}

TEST(Arguments, DoubleDashEndsFlags) {
  const auto args = parse({"group:verb", "shop", "--", "--tail", "-n"}, spec(AppArgument::kExisting));
  ASSERT_TRUE(args);
  EXPECT_EQ(args->args, (Words{"--tail", "-n"}));
  EXPECT_FALSE(args->has("tail"));
}

TEST(Arguments, WordsOfRunAreTheAppsOwn) {
  CliCommand run = spec(AppArgument::kExisting);
  run.rest_is_raw = true;
  const auto args = parse({"group:verb", "-e", "A=1", "shop", "ls", "-la", "--tail", "--quiet"}, run);
  ASSERT_TRUE(args);
  EXPECT_EQ(args->args, (Words{"ls", "-la", "--tail", "--quiet"}));
  EXPECT_FALSE(args->global.quiet);
  const auto by_flag = parse({"--app", "shop", "group:verb", "ls", "-la"}, run);
  ASSERT_TRUE(by_flag);
  EXPECT_EQ(by_flag->args, (Words{"ls", "-la"}));
}

TEST(Arguments, AValueOfSetMayLookLikeAFlag) {
  CliCommand set = spec(AppArgument::kOrGlobal, 2);
  set.unknown_flags = UnknownFlags::kValueAtEnd;
  const auto args = parse({"group:verb", "shop", "key", "--harmony"}, set);
  ASSERT_TRUE(args);
  EXPECT_EQ(args->args, (Words{"key", "--harmony"}));
  EXPECT_FALSE(parse({"group:verb", "--harmony", "shop", "key"}, set));
}

TEST(Arguments, AReportTakesOneKeyOfItsOwn) {
  CliCommand report = spec(AppArgument::kOptional, 0);
  report.unknown_flags = UnknownFlags::kReportKey;
  const auto args = parse({"group:verb", "shop", "--ps-running"}, report);
  ASSERT_TRUE(args);
  EXPECT_EQ(args->report_key, "--ps-running");
  EXPECT_FALSE(parse({"group:verb", "shop", "--one", "--two"}, report));
}

TEST(Arguments, PluginsGetTheirWordsAsTyped) {
  CliCommand plugin = spec(AppArgument::kExisting);
  plugin.unknown_flags = UnknownFlags::kPassOn;
  const auto args = parse({"--app", "shop", "group:verb", "--num", "5", "--strange", "x", "--quiet"}, plugin);
  ASSERT_TRUE(args);
  EXPECT_EQ(args->typed, (Words{"shop", "--num", "5", "--strange", "x"}));
  EXPECT_TRUE(args->global.quiet);
  const auto later = parse({"group:verb", "--num", "5", "shop", "x"}, plugin);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->typed, (Words{"shop", "--num", "5", "x"}));
}

TEST(Arguments, TooManyAndTooFewAreErrorsWithTheUsage) {
  const auto many = parse({"group:verb", "shop", "a", "b"}, spec(AppArgument::kExisting, 1));
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().hint, "Usage: davit group:verb <app>");
  CliCommand needs = spec(AppArgument::kExisting);
  needs.minimum_args = 1;
  EXPECT_FALSE(parse({"group:verb", "shop"}, needs));
  EXPECT_TRUE(parse({"group:verb", "--help"}, needs));
}

}  // namespace
}  // namespace davit
