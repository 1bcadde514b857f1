// Texts made from a small command table; the whole table's are golden files.
#include "cli/help.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

constexpr CliFlag kListFlags[] = {{"format", "text|json", "How to print it"}, {"tail", "", "Go on", 't'}};
constexpr CliFlag kRunFlags[] = {{"n", "", "Lines", 'n'}, {"env", "KEY=TEXT", "One more"}};
constexpr CliGroup kGroups[] = {{"apps", "Manage apps"}, {"run", "Run a process"}};
constexpr CliCommand kCommands[] = {
    {.name = "apps:create", .usage = "<app>", .summary = "Make an app", .app = AppArgument::kNew},
    {.name = "apps:list", .usage = "", .summary = "List 'em", .flags = kListFlags},
    {.name = "apps:secret", .usage = "", .summary = "Hidden", .hidden = true},
    {.name = "run",
     .usage = "<app> <command>",
     .summary = "Run it",
     .app = AppArgument::kExisting,
     .flags = kRunFlags},
    {.name = "sql:create", .usage = "[-i IMAGE] <service>", .summary = "Make it"},
    {.name = "sql:link", .usage = "[--as <name>] <service> <app>", .summary = "Link it"}};
constexpr CommandTable kTable{"dokku", kGroups, kCommands};

TEST(Help, OfAGroupBeginsWithItsLine) {
  EXPECT_EQ(help_group(kTable, "apps"),
            "Manage apps\n\nUsage: dokku apps[:COMMAND]\n\nCommands:\n\n"
            "    apps:create <app>  Make an app\n    apps:list          List 'em\n");
  EXPECT_EQ(help_group(kTable, "run"),
            "Run a process\n\nUsage: dokku run <app> <command>\n\nCommands:\n\n"
            "    run <app> <command>  Run it\n\nFlags of run:\n\n    -n              Lines\n"
            "    --env KEY=TEXT  One more\n");
  EXPECT_EQ(help_group(kTable, "nothing"), "");
}

TEST(Help, OfACommandHasItsFlags) {
  EXPECT_EQ(help_command(kTable, kCommands[1]),
            "List 'em\n\nUsage: dokku apps:list\n\nFlags:\n\n"
            "    --format text|json  How to print it\n    -t, --tail          Go on\n");
}

TEST(Help, OverviewShowsGroupsOrAllCommands) {
  EXPECT_NE(help_overview(kTable, false).find("    apps  Manage apps\n"), std::string::npos);
  EXPECT_EQ(help_overview(kTable, false).find("apps:create"), std::string::npos);
  EXPECT_NE(help_overview(kTable, true).find("apps:create <app>"), std::string::npos);
  EXPECT_EQ(help_overview(kTable, true).find("apps:secret"), std::string::npos);
}

TEST(Help, NamesTheProgramAsItWasCalled) {
  EXPECT_EQ(unknown_command("dokku", "foo"),
            "`foo` is not a dokku command.\nSee `dokku help` for a list of commands");
}

TEST(ManPage, EscapesDashesAndLeadingDots) {
  const std::string page = man_page(kTable, "0.1.0");
  EXPECT_TRUE(page.starts_with(".TH DAVIT 1"));
  EXPECT_NE(page.find("\\-\\-format"), std::string::npos);
  EXPECT_NE(page.find(".B \\-t, \\-\\-tail\n"), std::string::npos);
  EXPECT_EQ(page.find("apps:secret"), std::string::npos);
}

TEST(Completion, KnowsBashAndZshOnly) {
  EXPECT_NE(completion_script(kTable, "bash").find("complete -F _dokku_complete dokku"), std::string::npos);
  EXPECT_NE(completion_script(kTable, "zsh").find("'apps\\:list:List '\\''em'"), std::string::npos);
  EXPECT_EQ(completion_script(kTable, "fish"), "");
  for (const std::string_view shell : {"bash", "zsh"}) {
    const std::string script = completion_script(kTable, shell);
    EXPECT_NE(script.find("-n --env"), std::string::npos);  // a flag of one letter has one dash
    EXPECT_NE(script.find("--safe-mode"), std::string::npos);
  }
}

TEST(Completion, KnowsWhichArgumentsAreAppsAndServices) {
  for (const std::string_view shell : {"bash", "zsh"}) {
    EXPECT_NE(completion_script(kTable, shell)
                  .find("apps=\" run \" services=\" sql:link \" service_apps=\" sql:link \"\n"),
              std::string::npos);
  }
}

TEST(Completion, OffersFilesWhereNothingElseIsKnown) {
  EXPECT_NE(completion_script(kTable, "bash").find("compgen -f"), std::string::npos);
  EXPECT_NE(completion_script(kTable, "zsh").find("_files"), std::string::npos);
}

}  // namespace
}  // namespace davit
