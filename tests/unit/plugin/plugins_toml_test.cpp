// plugins.toml: reading it, breaking it, and editing it without losing a comment.
#include "plugin/plugins_toml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/toml_tree.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;

constexpr const char* kWritten = R"(# my server
[host]
runtime = "process"   # the embedded one

[plugins.nginx]
enabled = true  # do not touch
version = "^1.0"
[plugins.nginx.settings]
port = 8080
names = ["a", "b"]

[plugins.buildstep]
order = 1

# last
[plugins.mysql]
enabled = false
)";

PluginsToml parsed(std::string_view text) {
  auto file = parse_plugins_toml(text, "plugins.toml");
  EXPECT_TRUE(file) << file.error().text();
  return file ? *file : PluginsToml{};
}

TEST(PluginsToml, ReadsHostPluginsOrderAndSettings) {
  const PluginsToml file = parsed(kWritten);
  EXPECT_EQ(file.host.runtime, "process");
  ASSERT_EQ(file.plugins.size(), 3U);
  EXPECT_EQ(file.plugins[0].id, "buildstep");  // it has an order
  EXPECT_EQ(file.plugins[1].id, "nginx");
  EXPECT_EQ(file.plugins[2].id, "mysql");
  EXPECT_TRUE(file.plugins[0].enabled);  // a section is enough
  EXPECT_FALSE(file.plugins[2].enabled);
  ASSERT_EQ(file.plugins[1].settings.size(), 2U);
  EXPECT_EQ(file.plugins[1].settings[0].first, "port");
  EXPECT_EQ(file.plugins[1].settings[0].second.line, 9U);
  EXPECT_EQ(file.plugins[1].settings[1].second.items, (std::vector<std::string>{"a", "b"}));
}

struct Broken {
  const char* what;
  const char* text;
  const char* message;
  const char* hint;
};

class BrokenPluginsToml : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenPluginsToml, IsRefusedWithFileLineAndAdvice) {
  const auto file = parse_plugins_toml(GetParam().text, "/etc/davit/plugins.toml");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().slug, "plugins-toml-invalid");
  EXPECT_THAT(file.error().message, HasSubstr(GetParam().message));
  EXPECT_THAT(file.error().hint, HasSubstr(GetParam().hint));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, BrokenPluginsToml,
    ::testing::Values(
        Broken{"syntax", "[host]\nruntime = \n", "plugins.toml:2: ", ""},
        Broken{"unknown_top", "[hosts]\n", "plugins.toml:1: unknown key \"hosts\" in the file",
               "Did you mean \"host\"?"},
        Broken{"unknown_host", "[host]\n\nruntme = \"x\"\n",
               "plugins.toml:3: unknown key \"runtme\" in [host]", "Did you mean \"runtime\"?"},
        Broken{"unknown_plugin_key", "[plugins.nginx]\nenable = true\n",
               "plugins.toml:2: unknown key \"enable\" in [plugins.nginx]", "Did you mean \"enabled\"?"},
        Broken{"wrong_type", "[plugins.nginx]\nenabled = \"yes\"\n",
               "plugins.toml:2: enabled is a string, not true or false", ""},
        Broken{"not_a_table", "plugins = 3\n", "plugins.toml:1: [plugins] is an integer, not a table", ""},
        Broken{"plugin_not_a_table", "[plugins]\nnginx = true\n",
               "plugins.toml:2: [plugins.nginx] is true or false", ""},
        Broken{"bad_version", "[plugins.nginx]\nversion = \"latest\"\n",
               "plugins.toml:2: \"latest\" is not a version", "^1.0"},
        Broken{"relative_path", "[plugins.nginx]\npath = \"nginx.so\"\n",
               "plugins.toml:2: path \"nginx.so\" is not absolute", "/"},
        Broken{"bad_id", "[plugins.NGINX]\n", "plugins.toml:1: \"NGINX\" is not a plugin's id", "lower-case"},
        Broken{"twice", "[plugins.nginx]\n[plugins.nginx]\n", "plugins.toml:2: ", ""},
        Broken{"settings_type", "[plugins.nginx]\nsettings = 5\n",
               "plugins.toml:2: [plugins.nginx.settings] is an integer", ""},
        Broken{"order_type", "[plugins.nginx]\norder = 1.5\n",
               "plugins.toml:2: order is a number with a point", ""},
        Broken{"ports", "[host]\nport_first = 80\n",
               "plugins.toml:2: port_first is 80, outside 1024 to 65535", ""},
        Broken{"ports_crossed", "[host]\nport_first = 3000\nport_last = 2000\n",
               "port_first 3000 is above port_last 2000", ""},
        Broken{"latin1", "[host]\nruntime = \"caf\xE9\"\n", "plugins.toml:2: the text is not UTF-8", "UTF-8"},
        Broken{"non_ascii_key", "[host]\n\nr\xC3\xA9seau = 1\n",
               "plugins.toml:3: a character that is not ASCII", "quotes"}),
    [](const auto& info) { return info.param.what; });

TEST(PluginsTomlEdit, ChangesOneWordAndNothingElse) {
  const std::string text = kWritten;
  const auto off = with_plugin_enabled(text, "nginx", false, "f");
  ASSERT_TRUE(off) << off.error().text();
  std::string wanted = text;
  wanted.replace(wanted.find("enabled = true"), 14, "enabled = false");
  EXPECT_EQ(*off, wanted);
  EXPECT_EQ(with_plugin_enabled(*off, "nginx", true, "f").value(), text);
  EXPECT_EQ(with_plugin_enabled(text, "nginx", true, "f").value(), text);
}

TEST(PluginsTomlEdit, AddsWhatIsMissing) {
  const auto added = with_plugin_enabled(kWritten, "postgres", true, "f");
  ASSERT_TRUE(added);
  EXPECT_EQ(*added, std::string(kWritten) + "\n[plugins.postgres]\nenabled = true\n");
  const auto line = with_plugin_enabled(kWritten, "buildstep", false, "f");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, HasSubstr("[plugins.buildstep]\nenabled = false\norder = 1\n"));
  EXPECT_EQ(with_plugin_enabled("", "x", true, "f").value(), "[plugins.x]\nenabled = true\n");
  EXPECT_EQ(with_plugin_enabled("[host]", "x", true, "f").value(), "[host]\n\n[plugins.x]\nenabled = true\n");
  const auto only_settings = with_plugin_enabled("[plugins.x.settings]\na = 1\n", "x", false, "f");
  ASSERT_TRUE(only_settings) << only_settings.error().text();
  EXPECT_EQ(*only_settings, "[plugins.x]\nenabled = false\n\n[plugins.x.settings]\na = 1\n");
}

TEST(PluginsTomlEdit, KeepsLineEndsAndOddSpacing) {
  EXPECT_EQ(with_plugin_enabled("[ plugins . \"x\" ]\r\n  enabled=true\t# why\r\n", "x", false, "f").value(),
            "[ plugins . \"x\" ]\r\n  enabled=false\t# why\r\n");
  EXPECT_EQ(with_plugin_enabled("[plugins.x]\r\n", "x", false, "f").value(),
            "[plugins.x]\r\nenabled = false\r\n");
}

TEST(PluginsTomlEdit, RefusesAFormThatOneLineDoesNotHold) {
  for (const char* text : {"[plugins]\nx = { enabled = true }\n", "plugins.x.enabled = true\n",
                           "[plugins]\nx.enabled = true\n"}) {
    const auto edited = with_plugin_enabled(text, "x", false, "f");
    ASSERT_FALSE(edited) << text;
    EXPECT_EQ(edited.error().slug, "plugins-toml-form") << text;
  }
  EXPECT_FALSE(with_value("[plugins.x.settings]\na = [\n1,\n]\n", "x", "a", "2", "f"));
}

TEST(PluginsTomlEdit, IsNotFooledByText) {
  const std::string text =
      "[plugins.y.settings]\na = \"\"\"\n[plugins.x]\nenabled = true\n\"\"\"\n[plugins.x]\n# enabled = "
      "true\n";
  EXPECT_EQ(
      with_plugin_enabled(text, "x", false, "f").value(),
      "[plugins.y.settings]\na = \"\"\"\n[plugins.x]\nenabled = true\n\"\"\"\n[plugins.x]\nenabled = false\n"
      "# enabled = true\n");
  const std::string comment = "# [plugins.x]\n[plugins.y]\n";
  EXPECT_EQ(with_plugin_enabled(comment, "x", true, "f").value(),
            comment + "\n[plugins.x]\nenabled = true\n");
}

TEST(PluginsTomlEdit, SetsValues) {
  EXPECT_THAT(with_value(kWritten, "", "runtime", "\"docker\"", "f").value(),
              HasSubstr("runtime = \"docker\"   # the embedded one"));
  EXPECT_THAT(with_value(kWritten, "nginx", "port", "9090", "f").value(), HasSubstr("port = 9090\n"));
  EXPECT_THAT(with_value(kWritten, "nginx", "names", "[\"c\"]", "f").value(),
              HasSubstr("names = [\"c\"]\n\n[plugins.buildstep]"));
  EXPECT_THAT(with_value(kWritten, "mysql", "port", "3306", "f").value(),
              HasSubstr("\n[plugins.mysql.settings]\nport = 3306\n"));
  EXPECT_FALSE(with_value(kWritten, "", "runtime", "\"a\"\nx = 1", "f"));
  EXPECT_FALSE(with_value(kWritten, "", "runtime", "not toml", "f"));
}

TEST(PluginsTomlTemplate, ParsesAndSaysWhatEachPluginDoes) {
  TemplatePlugin plugin;
  plugin.note.id = "nginx";
  plugin.note.version = "0.3.1";
  plugin.note.summary = "Routes requests";
  plugin.note.settings = {{"port", SettingType::kUint, "8080", {}, "where it listens", {}},
                          {"mode", SettingType::kEnum, "private", {}, "", {"private", "system"}},
                          {"names", SettingType::kStrings, std::nullopt, {"a", "\"b\""}, "", {}}};
  plugin.settings = {{"port", "9000"}};
  const std::string text = plugins_toml_template({"process", ""}, {plugin});
  const PluginsToml file = parsed(text);
  EXPECT_EQ(file.host.runtime, "process");
  ASSERT_EQ(file.plugins.size(), 1U);
  EXPECT_EQ(file.plugins[0].version, "^0.3");
  ASSERT_EQ(file.plugins[0].settings.size(), 1U);
  EXPECT_EQ(file.plugins[0].settings[0].second.text, "9000");
  EXPECT_THAT(text, HasSubstr("# nginx: Routes requests"));
  EXPECT_THAT(text, HasSubstr("# mode = \"private\""));
  EXPECT_THAT(text, HasSubstr("# names = [\"a\", \"\\\"b\\\"\"]"));
}

// Found by the fuzzer: toml++ asserts that a table's name begins as one, which ends the process.
TEST(TomlTree, ATableWhoseNameBeginsWrongIsRefused) {
  for (const char* text : {"[$x]", "[( st]", "[[$ommands]]", " [ {a]", "[[[a]]]", "[\n", "[#]",
                           "a = 1\n[=]\n", "a = [\n[1], [2]\n]\n[+x]\n"}) {
    const auto parsed = parse_toml(text, "x.toml");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::kInvalid) << text;
  }
  const auto refused = parse_toml("a = 1\n\n[$x]\n", "x.toml");
  EXPECT_TRUE(refused.error().message.starts_with("x.toml:3: a table's name")) << refused.error().message;
}

// Found by the fuzzer as well: each of these ended the process or was undefined behaviour.
TEST(TomlTree, WhatTomlplusplusAssertsIsRefusedWithItsLine) {
  struct Wrong {
    const char* text;
    const char* where;
  };
  for (const Wrong& wrong :
       {Wrong{"a = [}", "x.toml:1: "}, Wrong{"a = 1\nb = 2\nc = [}\nd = 4\n", "x.toml:3: "},
        Wrong{"a = {b = [}\n", "x.toml:1: "}, Wrong{"a = 1\n\xEF\xBB\xBF", "x.toml:2: "},
        Wrong{"a = 1\ncaf\xC3\xA9 = 1\n", "x.toml:2: "}, Wrong{"a = \"\"\"\n\\\xC3\xA9\"\"\"", "x.toml:2: "},
        Wrong{"a = \"\"\"\\\n  \xC3\xA9\"\"\"", "x.toml:2: "}, Wrong{"a = 1\nb =2'N10\xCE\x82", "x.toml:2: "},
        Wrong{"a = \"\"\"b\"\"\"\"\"\xC3\xA9", "x.toml:1: "}}) {
    const auto parsed = parse_toml(wrong.text, "x.toml");
    ASSERT_FALSE(parsed) << wrong.text;
    EXPECT_EQ(parsed.error().code, Code::kInvalid) << wrong.text;
    EXPECT_THAT(parsed.error().message, testing::StartsWith(wrong.where));
  }
  EXPECT_TRUE(parse_toml("\xEF\xBB\xBF", "x.toml"));  // an empty file, as some editors save it
}

TEST(TomlTree, OtherLettersStayWhereTomlAllowsThem) {
  const auto parsed = parse_toml(
      "# caf\xC3\xA9\n\"caf\xC3\xA9\" = 'th\xC3\xA9'\nlong = \"\"\"\n\xC3\xA9\\\n  a\"\"\"\"\"\n", "x.toml");
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->find("caf\xC3\xA9")->text, "th\xC3\xA9");
  EXPECT_EQ(parsed->find("long")->text,
            "\xC3\xA9"
            "a\"\"");
}

TEST(TomlTree, BracketsElsewhereAreNoTables) {
  for (const char* text :
       {"a = [\n[1],\n [+2, -3],\n  [ {b = 1} ],\n[]\n]\n[t]\nx = 1\n", "[ t ]\n[[ u ]]\n['v w'.\"$\"]\n",
        "a = \"\"\"\n[$x]\n\"\"\"\n", "# [$x]\n[a-b._c.1]\n"}) {
    const auto parsed = parse_toml(text, "x.toml");
    EXPECT_TRUE(parsed) << text << parsed.error().text();
  }
}

}  // namespace
}  // namespace davit
