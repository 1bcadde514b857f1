// The catalog: real files, hostile files, and the cache.
#include "plugin/catalog.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "plugin/catalog_cache.hpp"
#include "plugin/elf_note.hpp"
#include "plugin_home.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;

class CatalogTest : public ::testing::Test {
 protected:
  PluginCatalog read(const CatalogOptions& options = {}) {
    auto catalog = PluginCatalog::read(at_.home, at_.installation, options);
    EXPECT_TRUE(catalog) << catalog.error().text();
    return catalog ? std::move(*catalog) : PluginCatalog{};
  }
  Error problem_of(const std::string& id) {
    const PluginCatalog catalog = read();
    const CatalogEntry* entry = catalog.find(id);
    EXPECT_NE(entry, nullptr) << id;
    if (entry == nullptr || !entry->problem) return {};
    return *entry->problem;
  }
  unsigned opened() {
    CatalogCache cache(at_.home.run() / "plugins.cache");
    for (const auto& file : std::filesystem::directory_iterator(at_.installation.plugins()))
      (void)cache.read(file.path());
    return cache.opened();
  }
  PluginHome at_;
};

TEST_F(CatalogTest, NoFileSaysDavitInit) {
  const auto catalog = PluginCatalog::read(at_.home, at_.installation);
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().slug, "plugins-toml-missing");
  EXPECT_THAT(catalog.error().hint, HasSubstr("davit init"));
}

TEST_F(CatalogTest, OnlyWhatTheFileEnablesIsEnabled) {
  at_.install("fixture", "fixture.so");
  at_.install("plain", "hostile.so");
  at_.configure("[plugins.hostile]\n");
  const PluginCatalog catalog = read();
  EXPECT_EQ(catalog.first_problem(), nullptr);
  ASSERT_NE(catalog.find("fixture"), nullptr);
  EXPECT_FALSE(catalog.find("fixture")->enabled);
  EXPECT_EQ(catalog.find("fixture")->disabled_by, "plugins.toml");
  EXPECT_TRUE(catalog.find("hostile")->usable());
  EXPECT_FALSE(catalog.command("fixture:echo"));
  EXPECT_EQ(catalog.entries().front().id, "hostile");
}

TEST_F(CatalogTest, LookupsAnswerFromTheNote) {
  at_.install("fixture", "fixture.so");
  at_.configure("[plugins.fixture]\nversion = \"^1.2\"\n[plugins.fixture.settings]\ngreeting = \"hi\"\n");
  const PluginCatalog catalog = read();
  ASSERT_EQ(catalog.first_problem(), nullptr) << catalog.first_problem()->problem->text();
  EXPECT_EQ(catalog.command("fixture:echo")->spec->maximum_args, 3);
  EXPECT_EQ(catalog.commands().size(), 3U);
  EXPECT_THAT(catalog.groups(), ::testing::Contains(::testing::Pair("fixture", "Play with the fixture")));
  EXPECT_TRUE(catalog.property("fixture", "colour")->spec->global);
  ASSERT_EQ(catalog.subscribers("env.resolve").size(), 1U);
  EXPECT_EQ(catalog.subscribers("env.resolve")[0].order, 50);
  EXPECT_EQ(catalog.providers("davit.proxy/1").size(), 1U);
  EXPECT_EQ(catalog.default_runtime(), "fixture");
  const SettingValues& settings = catalog.find("fixture")->settings;
  EXPECT_EQ(settings.at("greeting").text, "hi");
  EXPECT_TRUE(settings.at("port").is_default);
  EXPECT_EQ(settings.at("port").text, "8080");
  EXPECT_EQ(settings.at("names").items, std::vector<std::string>{"ada"});
  EXPECT_FALSE(settings.contains("wait"));
}

TEST_F(CatalogTest, DisableListAndSafeMode) {
  at_.install("fixture", "fixture.so");
  at_.configure("[plugins.fixture]\n");
  EXPECT_EQ(read({.disable = parse_disable_list("a, fixture")}).find("fixture")->disabled_by,
            "DAVIT_PLUGINS_DISABLE");
  EXPECT_EQ(read({.disable = {}, .safe_mode = true}).find("fixture")->disabled_by, "--safe-mode");
  EXPECT_TRUE(read({.disable = {"a"}}).find("fixture")->enabled);
}

TEST_F(CatalogTest, SettingsAreCheckedAgainstTheSchemaWithTheirLine) {
  at_.install("fixture", "fixture.so");
  const auto problem_with = [&](const std::string& setting) {
    at_.configure("[plugins.fixture]\n[plugins.fixture.settings]\n" + setting + "\n");
    return problem_of("fixture");
  };
  Error unknown = problem_with("greting = \"x\"");
  EXPECT_THAT(unknown.message,
              HasSubstr("plugins.toml:3: unknown key \"greting\" in [plugins.fixture.settings]"));
  EXPECT_THAT(unknown.hint, HasSubstr("Did you mean \"greeting\"?"));
  EXPECT_THAT(problem_with("port = \"8080\"").message,
              HasSubstr("plugins.toml:3: port in [plugins.fixture.settings] has the wrong type"));
  EXPECT_THAT(problem_with("port = -1").message, HasSubstr("\"-1\" is not a number from 0 up"));
  EXPECT_THAT(problem_with("mode = \"public\"").message, HasSubstr("one of: private, system"));
  EXPECT_THAT(problem_with("wait = \"soon\"").message, HasSubstr("not a duration"));
  EXPECT_THAT(problem_with("names = [1]").message, HasSubstr("wrong type"));
  EXPECT_EQ(problem_with("wait = \"5m\"").message, "");
}

TEST_F(CatalogTest, VersionsRequirementsAndMissingFiles) {
  at_.install("fixture", "fixture.so");
  at_.configure("[plugins.fixture]\nversion = \"^2.0\"\n");
  EXPECT_THAT(problem_of("fixture").message,
              HasSubstr("plugins.toml:2: plugin fixture 1.2.3 is installed, but \"^2.0\" is wanted"));
  at_.configure("\n[plugins.fixtur]\n");
  const Error missing = problem_of("fixtur");
  EXPECT_THAT(missing.message, HasSubstr("plugins.toml:2: plugin fixtur is not installed"));
  EXPECT_THAT(missing.hint, HasSubstr("Did you mean \"fixture\"?"));
  at_.configure("[plugins.fixture]\npath = \"/nowhere/x.so\"\n");
  EXPECT_THAT(problem_of("fixture").message, HasSubstr("plugins.toml:2: there is no file /nowhere/x.so"));
}

TEST_F(CatalogTest, PathChoosesAmongTwoFilesOfOnePlugin) {
  const auto first = at_.install("fixture", "a.so");
  at_.install("fixture", "b.so");
  at_.configure("[plugins.fixture]\n");
  EXPECT_THAT(problem_of("fixture").message, HasSubstr("is in two files: "));
  at_.configure("[plugins.fixture]\npath = \"" + first.string() + "\"\n");
  EXPECT_EQ(problem_of("fixture").message, "");
  at_.configure("[plugins.other]\npath = \"" + first.string() + "\"\n");
  EXPECT_THAT(problem_of("other").message, HasSubstr("is the plugin fixture, not other"));
}

std::string patched(std::string bytes, const std::function<void(Elf64_Ehdr&, char*)>& change) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  change(header, bytes.data());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

TEST_F(CatalogTest, HostileFilesAreNamedAndHurtNobodyElse) {
  at_.install("fixture", "fixture.so");
  const std::string good = PluginHome::bytes_of(at_.installation.plugins() / "fixture.so");
  at_.write("text.so", "#!/bin/sh\necho hello\n");
  at_.write("empty.so", "");
  at_.write("truncated.so", good.substr(0, good.size() / 2));
  at_.write("stub.so", good.substr(0, 70));
  at_.write("arch.so", patched(good, [](Elf64_Ehdr& header, char*) { header.e_machine = EM_S390; }));
  at_.write("bits.so",
            patched(good, [](Elf64_Ehdr& header, char*) { header.e_ident[EI_CLASS] = ELFCLASS32; }));
  at_.write("program.so", patched(good, [](Elf64_Ehdr& header, char*) { header.e_type = ET_EXEC; }));
  at_.write("headers.so", patched(good, [](Elf64_Ehdr& header, char*) { header.e_phoff = ~0ULL - 10; }));
  at_.install("no_note", "unmarked.so");
  at_.install("two_notes", "double.so");
  std::filesystem::create_directory(at_.installation.plugins() / "folder.so");
  at_.configure("[plugins.fixture]\n");
  const PluginCatalog catalog = read();
  EXPECT_EQ(catalog.first_problem(), nullptr);
  const std::map<std::string, std::string> wanted{
      {"text", "not an ELF file"},        {"empty", "the file is empty"},
      {"truncated", "truncated"},         {"stub", "truncated"},
      {"arch", "another machine"},        {"bits", "another machine"},
      {"program", "not a shared object"}, {"headers", "truncated"},
      {"unmarked", "no davit note"},      {"double", "more than one davit note"},
      {"folder", "not a plain file"}};
  for (const auto& [id, words] : wanted) {
    const CatalogEntry* entry = catalog.find(id);
    ASSERT_NE(entry, nullptr) << id;
    ASSERT_TRUE(entry->problem) << id;
    EXPECT_THAT(entry->problem->message, HasSubstr(words)) << id;
    EXPECT_FALSE(entry->enabled) << id;
  }
  // One that is wanted is a problem.
  at_.configure("[plugins.fixture]\n[plugins.truncated]\n");
  EXPECT_NE(read().first_problem(), nullptr);
}

TEST_F(CatalogTest, EveryTruncationIsRefusedOrHarmless) {
  const std::string good = PluginHome::bytes_of(std::filesystem::path(DAVIT_FIXTURES) / "fixture.so");
  for (std::size_t size = 0; size < good.size(); size += 97) {
    const auto note = davit_note_of_image(std::string_view(good).substr(0, size), "x");
    // Only what lies behind the last segment may be missing.
    EXPECT_TRUE(!note || note->find("fixture") != std::string::npos);
  }
}

TEST_F(CatalogTest, WarmCacheOpensNoPluginFileAndNoticesChanges) {
  at_.install("fixture", "fixture.so");
  at_.install("no_note", "bad.so");
  at_.configure("[plugins.fixture]\n");
  (void)read();
  // Files younger than the cache's clock tick are read once more; then all is quiet.
  for (int i = 0; i < 50 && opened() > 0; ++i) (void)read();
  EXPECT_EQ(opened(), 0U);
  EXPECT_EQ(read().find("fixture")->version, "1.2.3");
  at_.install("plain", "fixture.so");  // another file at the same place
  EXPECT_EQ(opened(), 1U);
  EXPECT_EQ(read().find("hostile")->version, "1.0.0");
}

TEST_F(CatalogTest, WarmCacheKnowsPluginsTomlAndNoticesChanges) {
  at_.install("fixture", "fixture.so");
  const std::string first =
      "[host]\nruntime = \"process\"\ncreate_on_push = false\nport_first = 30000\nport_last = 30010\n"
      "[plugins.hostile]\nenabled = false\npath = \"/nowhere/hostile.so\"\norder = 3\n"
      "[plugins.fixture]\nversion = \"^1.0\"\n";
  at_.configure(first);
  const auto file = at_.home.run() / "plugins.cache";
  const auto parsed = [&] { return *parse_plugins_toml(first, "x"); };
  const auto kept = [&] {
    CatalogCache cache(file);
    auto toml = cache.read_toml(at_.home.plugins_toml);
    EXPECT_TRUE(toml) << toml.error().text();
    return toml ? std::move(*toml) : PluginsToml{};
  };
  (void)read();
  EXPECT_NE(PluginHome::bytes_of(file).find("/nowhere/hostile.so"), std::string::npos);
  const PluginsToml again = kept();
  EXPECT_EQ(again.host.runtime, "process");
  EXPECT_FALSE(again.host.create_on_push);
  EXPECT_EQ(again.host.port_first, 30'000U);
  EXPECT_EQ(again.host.port_last, 30'010U);
  ASSERT_EQ(again.plugins.size(), parsed().plugins.size());
  EXPECT_EQ(again.plugins[0].id, "hostile");
  EXPECT_EQ(again.plugins[0].order, 3);
  EXPECT_FALSE(again.plugins[0].enabled);
  EXPECT_EQ(again.plugins[1].version_line, parsed().plugins[1].version_line);

  // As many bytes, written again: the file's times say that it is another.
  std::string second = first;
  second.replace(second.find("port_first = 30000"), 18, "port_first = 30001");
  at_.configure(second);
  EXPECT_EQ(kept().host.port_first, 30'001U);
  EXPECT_EQ(read().host().port_first, 30'001U);

  // What is wrong with a file is said each time, with its place.
  at_.configure("[plugins.fixture]\nenabeld = true\n");
  for (int i = 0; i < 2; ++i) {
    const auto bad = PluginCatalog::read(at_.home, at_.installation);
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().message, HasSubstr("plugins.toml:2"));
  }
  std::filesystem::remove(at_.home.plugins_toml);
  EXPECT_EQ(PluginCatalog::read(at_.home, at_.installation).error().slug, "plugins-toml-missing");
}

TEST_F(CatalogTest, SettingsOfEveryKindSurviveTheCache) {
  at_.configure(
      "[plugins.fixture.settings]\ntext = \"a\"\nnumber = 7\nyes = true\nhalf = 0.5\nmany = [\"x\", "
      "\"y\"]\nmixed = [1, \"y\"]\n");
  const auto file = at_.home.run() / "plugins.cache";
  PluginsToml cold, warm;
  for (PluginsToml* toml : {&cold, &warm}) {
    CatalogCache cache(file);
    auto got = cache.read_toml(at_.home.plugins_toml);
    ASSERT_TRUE(got);
    *toml = std::move(*got);
    cache.save();
  }
  ASSERT_EQ(warm.plugins.size(), 1U);
  ASSERT_EQ(warm.plugins[0].settings.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    const auto& [cold_key, expected] = cold.plugins[0].settings[i];
    const auto& [key, given] = warm.plugins[0].settings[i];
    EXPECT_EQ(key, cold_key);
    EXPECT_EQ(given.kind, expected.kind) << key;
    EXPECT_EQ(given.text, expected.text) << key;
    EXPECT_EQ(given.items, expected.items) << key;
    EXPECT_EQ(given.items_are_strings, expected.items_are_strings) << key;
    EXPECT_EQ(given.line, expected.line) << key;
  }
}

TEST_F(CatalogTest, GroupsAreKnownAsLongAsNothingChanges) {
  at_.install("fixture", "fixture.so");
  at_.configure("[plugins.fixture]\n");
  const auto known = [&](const CatalogOptions& options = {}) {
    return PluginCatalog::known_groups(at_.home, at_.installation, options);
  };
  // What has changed in the present tick of the clock is not trusted yet.
  const auto settled = [&] {
    for (int i = 0; i < 10'000 && !known(); ++i) (void)read();
    return known();
  };
  EXPECT_FALSE(known()) << "nobody has read it yet";
  const auto groups = read().groups();
  ASSERT_FALSE(groups.empty());
  EXPECT_EQ(settled(), groups);
  EXPECT_FALSE(known({.disable = {}, .safe_mode = true})) << "those of other options are not kept";
  EXPECT_TRUE(read({.disable = {}, .safe_mode = true}).groups().empty());
  EXPECT_EQ(known(), groups) << "and do not spoil what is";

  at_.install("plain", "hostile.so");
  EXPECT_FALSE(known()) << "a plugin file more";
  EXPECT_EQ(settled(), groups);
  at_.configure("[plugins.fixture]\nenabled = false\n");
  EXPECT_FALSE(known()) << "plugins.toml has changed";
  EXPECT_EQ(settled(), CommandGroups());
  std::filesystem::remove(at_.installation.plugins() / "hostile.so");
  EXPECT_FALSE(known()) << "a plugin file less";
  EXPECT_EQ(settled(), CommandGroups());

  at_.configure("[plugins.fixture]\n[plugins.gone]\n");
  for (int i = 0; i < 100; ++i) (void)read();
  EXPECT_FALSE(known()) << "with a problem they could change without a file that is known";
}

TEST_F(CatalogTest, OddCacheIsIgnored) {
  at_.install("fixture", "fixture.so");
  at_.configure("[plugins.fixture]\n");
  (void)read();
  const auto file = at_.home.run() / "plugins.cache";
  const std::string good = PluginHome::bytes_of(file);
  ASSERT_FALSE(good.empty());
  for (std::size_t at = 0; at < good.size(); at += 53) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    std::ofstream(file, std::ios::binary) << bad;
    ASSERT_TRUE(read().find("fixture")->usable()) << at;
  }
  std::ofstream(file, std::ios::binary) << good.substr(0, good.size() / 2);
  EXPECT_TRUE(read().find("fixture")->usable());
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  EXPECT_TRUE(read().find("fixture")->usable());
}

}  // namespace
}  // namespace davit
