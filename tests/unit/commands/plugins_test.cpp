// Commands about plugins, on the fixture of tests/unit/plugin: what they write, and what they say of it.
#include <sstream>

#include "base/text.hpp"
#include "tests/unit/commands/commands_fixture.hpp"

namespace davit {
namespace {

class PluginCommands : public Commands {
 protected:
  using Changes = std::vector<std::pair<std::string, std::string>>;

  /// The fixture with other words, of the same length, in its note.
  void install(const std::string& name, const Changes& changes = {}) {
    std::ostringstream read;
    read << std::ifstream(std::filesystem::path(DAVIT_FIXTURES) / "fixture.so", std::ios::binary).rdbuf();
    std::string bytes = read.str();
    for (const auto& [before, after] : changes) {
      ASSERT_EQ(before.size(), after.size());
      const auto at = bytes.find(before);
      ASSERT_NE(at, std::string::npos) << before;
      bytes.replace(at, before.size(), after);
    }
    const auto folder = Installation{home_.root}.plugins();
    std::filesystem::create_directories(folder);
    std::ofstream(folder / (name + ".so"), std::ios::binary) << bytes;
    std::filesystem::permissions(folder / (name + ".so"), std::filesystem::perms(0755));
  }
  std::string state_of(const std::string& id) {
    EXPECT_EQ(run({"plugin:info", id}), 0) << out_.errors;
    for (const std::string& line : split_lines(out_.text))
      if (const auto at = line.find("State:"); at != std::string::npos)
        return std::string(trim(std::string_view(line).substr(at + 6)));
    return out_.text;
  }
  void configure(const std::string& text) { std::ofstream(home_.plugins_toml) << text; }
};

TEST_F(PluginCommands, APluginThatWouldBeBrokenIsLeftDisabled) {
  install("fixture");
  install("rivalry", {{"id = \"fixture\"", "id = \"rivalry\""}});
  configure("[host]\n[plugins.fixture]\n");
  EXPECT_EQ(run({"plugin:enable", "rivalry"}), 1) << "both have the same commands";
  EXPECT_NE(out_.errors.find("Plugin rivalry was left disabled: plugins fixture and rivalry both have"),
            std::string::npos)
      << out_.errors;
  EXPECT_NE(out_.errors.find("Disable one of them"), std::string::npos) << out_.errors;
  EXPECT_EQ(out_.text.find("enabled"), std::string::npos) << out_.text;
  EXPECT_EQ(state_of("rivalry"), "disabled");
  EXPECT_EQ(state_of("fixture"), "enabled");
  // The other one may be the later one of the two.
  configure("[host]\n[plugins.rivalry]\nenabled = false\n[plugins.fixture]\n");
  EXPECT_EQ(run({"plugin:enable", "rivalry"}), 1);
  EXPECT_EQ(state_of("fixture"), "enabled");
  configure("[host]\n[plugins.fixture]\nenabled = false\nversion = \"^9.0\"\n");
  EXPECT_EQ(run({"plugin:enable", "fixture"}), 1);
  EXPECT_NE(out_.errors.find("\"^9.0\" is wanted"), std::string::npos) << out_.errors;
  EXPECT_EQ(state_of("fixture"), "disabled");
}

TEST_F(PluginCommands, WhatIsNotInOrderAlreadyStaysAsItIs) {
  install("fixture");
  configure("[host]\n[plugins.fixture]\nversion = \"^9.0\"\n");
  EXPECT_EQ(run({"plugin:enable", "fixture"}), 1);
  EXPECT_NE(out_.errors.find("Plugin fixture is enabled, and broken"), std::string::npos) << out_.errors;
  EXPECT_EQ(state_of("fixture"), "broken");
  // Another one's is no reason not to enable this one.
  configure("[host]\n[plugins.ghost]\n[plugins.fixture]\nenabled = false\n");
  EXPECT_EQ(run({"plugin:enable", "fixture"}), 0) << out_.errors;
  EXPECT_EQ(out_.text, "-----> Plugin fixture enabled\n");
  EXPECT_EQ(state_of("fixture"), "enabled");
}

TEST_F(PluginCommands, WhatAPluginNeedsIsEnabledBefore) {
  install("fixture");
  install("rivalry",
          {{"id = \"fixture\"", "id = \"rivalry\""}, {"\"davit.host.kv/1\"", "\"davit.service/1\""}});
  configure("[host]\n");
  EXPECT_EQ(run({"plugin:enable", "rivalry"}), 1);
  EXPECT_NE(out_.errors.find("needs davit.service/1, and no enabled plugin provides it"), std::string::npos)
      << out_.errors;
  EXPECT_EQ(state_of("rivalry"), "disabled");
}

TEST_F(PluginCommands, DisableSaysWhoUsesIt) {
  install("fixture", {{"\"davit.builder/1\"", "\"davit.service/1\""}});
  configure("[host]\n[plugins.fixture]\n");
  make_app("other", true);
  EXPECT_EQ(run({"plugin:disable", "fixture"}), 0);
  EXPECT_EQ(out_.errors, "") << "nobody";
  EXPECT_EQ(run({"plugin:enable", "fixture"}), 0) << out_.errors;

  const App shop = make_app("shop", false);
  ReleaseSpec spec;
  spec.runtime = "fixture";
  ASSERT_TRUE(store_->releases().create(shop.id, spec));
  ASSERT_TRUE(store_->releases().mark_live(shop.id, 1));
  LiveGroup group;
  group.app = shop.id;
  group.revision = "d1";
  group.process_type = "web";
  group.release_version = 1;
  group.runtime = "fixture";
  group.count = 2;
  group.state = GroupState::kLive;
  ASSERT_TRUE(store_->live_groups().put(group));
  for (const char* name : {"db", "cache"})
    ASSERT_TRUE(store_->services().create({"fixture", name, "fixture", "fix", "FIX", "", "", Secret("")}));

  EXPECT_EQ(run({"plugin:disable", "fixture"}), 0);
  for (const char* words : {"fixture runs 1 app and 2 services", "fixture has 2 services",
                            "fixture routes the requests of 1 app:", "davit plugin:enable fixture"})
    EXPECT_NE(out_.errors.find(words), std::string::npos) << words << "\n" << out_.errors;
}

TEST_F(PluginCommands, DisableGoesOnWithoutAStore) {
  install("fixture");
  configure("[host]\n[plugins.fixture]\n");
  std::filesystem::remove(home_.database());
  EXPECT_EQ(run({"plugin:disable", "fixture"}), 0);
  EXPECT_NE(out_.errors, "");
}

}  // namespace
}  // namespace davit
