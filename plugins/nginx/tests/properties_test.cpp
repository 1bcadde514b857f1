// Values of properties end in nginx's configuration: what may pass, and what may not.
#include "properties.hpp"

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <algorithm>

namespace davit::nginx {
namespace {

bool passes(std::string_view key, std::string_view value) {
  return complaint(*find_property(key), value).empty();
}

TEST(Properties, AcceptWhatDokkuAccepts) {
  EXPECT_TRUE(passes("client-max-body-size", "50m"));
  EXPECT_TRUE(passes("client-max-body-size", "0"));
  EXPECT_TRUE(passes("proxy-read-timeout", "120s"));
  EXPECT_TRUE(passes("proxy-buffers", "64 4k"));
  EXPECT_TRUE(passes("x-forwarded-for-value", "$http_x_forwarded_for"));
  EXPECT_TRUE(passes("x-forwarded-proto-value", "https"));
  EXPECT_TRUE(passes("bind-address-ipv6", "[::1]"));
  EXPECT_TRUE(passes("bind-address-ipv6", "::1"));
  EXPECT_TRUE(passes("bind-address-ipv4", "127.0.0.1"));
  EXPECT_FALSE(passes("bind-address-ipv4", "1.2.3"));  // 1.2.0.3 for those who are lenient
  EXPECT_TRUE(passes("access-log-path", "off"));
  EXPECT_TRUE(passes("hsts", ""));
}

TEST(Properties, NothingCanLeaveItsDirective) {
  const std::string_view attacks[] = {
      "1m; content_by_lua 'os.execute()'", "1m}", "1m\n", "\"", "$(id)", "a{b", "1m #"};
  for (const auto& property : properties()) {
    for (const auto attack : attacks) {
      EXPECT_FALSE(complaint(property, attack).empty()) << property.key << " took " << attack;
    }
  }
}

TEST(Properties, ALogStaysInTheLogDirectory) {
  EXPECT_FALSE(passes("access-log-path", "/etc/cron.d/x"));
  EXPECT_FALSE(passes("access-log-path", "../x"));
  EXPECT_FALSE(passes("error-log-path", ".."));
  EXPECT_TRUE(passes("error-log-path", "shop-errors.log"));
}

// Its folders lie there, too: unit, and apps in a home of a user.
TEST(Properties, ALogIsNoFolderOfTheLogDirectory) {
  for (const auto* key : {"access-log-path", "error-log-path"}) {
    for (const auto* name : {"unit", "apps", "shop.log.1", ".log"}) {
      EXPECT_FALSE(passes(key, name)) << name;
      EXPECT_FALSE(is_used(*find_property(key), name)) << name;
    }
    EXPECT_TRUE(is_used(*find_property(key), "off"));
    EXPECT_TRUE(is_used(*find_property(key), "shop.log"));
  }
  EXPECT_TRUE(is_used(*find_property("hsts-max-age"), "many")) << "which a deploy refuses";
}

TEST(Properties, BadValuesAreNamedWithWhatIsExpected) {
  EXPECT_EQ(complaint(*find_property("client-max-body-size"), "huge"),
            "client-max-body-size must be a size such as 512k, 20m or 0");
}

TEST(Properties, SortedAndFound) {
  const auto all = properties();
  EXPECT_TRUE(
      std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.key < b.key; }));
  EXPECT_EQ(find_property("no-such"), nullptr);
}

TEST(Properties, TheNoteDeclaresTheSame) {
  const auto note = toml::parse_file(DAVIT_SOURCE_DIR "/plugins/nginx/plugin.toml");
  std::vector<std::pair<std::string, std::string>> declared;
  for (const auto& item : *note["properties"].as_array()) {
    const auto& property = *item.as_table();
    EXPECT_EQ(property["group"].value_or(std::string()), "nginx");
    declared.emplace_back(property["key"].value_or(std::string()),
                          property["default"].value_or(std::string()));
  }
  std::vector<std::pair<std::string, std::string>> known;
  for (const auto& property : properties()) known.emplace_back(property.key, property.fallback);
  EXPECT_EQ(declared, known);
}

}  // namespace
}  // namespace davit::nginx
