// Config: every byte is kept, all or none is set.
#include "store/config.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

using Config = StoreTest;

std::string every_byte_but_nul() {
  std::string bytes;
  for (int value = 1; value < 256; ++value) bytes += static_cast<char>(value);
  return bytes;
}

TEST_F(Config, ValuesKeepEveryByte) {
  const AppId shop = app("shop");
  const std::string large(1024UL * 1024, '\xFE');
  const ConfigMap values = {{"BYTES", Secret(every_byte_but_nul())},
                            {"EMPTY", Secret("")},
                            {"LARGE", Secret(large)},
                            {"LINES", Secret("a\nb\\nc\r\n")},
                            {"QUOTES", Secret(R"('"$(x)`;--)")},
                            {"NOT_UTF8", Secret("\xC3(\xFF")}};
  must(store().config().set_many(shop, values));
  reopen(StoreMode::kRead);
  EXPECT_EQ(must(store().config().all(shop)), values);
  EXPECT_EQ(must(store().config().get(shop, "LARGE"))->reveal(), large);
  EXPECT_FALSE(must(store().config().get(shop, "MISSING")));
  EXPECT_EQ(must(store().config().get(shop, "EMPTY")), Secret(""));
}

TEST_F(Config, ANulByteIsRefusedByNameAndNothingIsSet) {
  const AppId shop = app("shop");
  const auto result =
      store().config().set_many(shop, {{"A", Secret("1")}, {"B", Secret(std::string("hid\0den", 7))}});
  EXPECT_EQ(slug_of(result), "config-value-nul");
  EXPECT_NE(result.error().message.find("B"), std::string::npos);
  EXPECT_EQ(result.error().text().find("hid"), std::string::npos);
  EXPECT_TRUE(must(store().config().all(shop)).empty());
}

TEST_F(Config, ABadKeySetsNothing) {
  const AppId shop = app("shop");
  EXPECT_EQ(slug_of(store().config().set_many(shop, {{"A", Secret("1")}, {"B-C", Secret("2")}})),
            "config-key-invalid");
  EXPECT_TRUE(must(store().config().all(shop)).empty());
}

TEST_F(Config, TheAppsValuesCoverTheGlobalOnes) {
  const AppId shop = app("shop");
  const AppId other = app("other");
  must(store().config().set_many(AppId::kGlobal, {{"A", Secret("global")}, {"B", Secret("global")}}));
  must(store().config().set_many(shop, {{"B", Secret("shop")}, {"C", Secret("shop")}}));
  EXPECT_EQ(must(store().config().merged(shop)),
            (ConfigMap{{"A", Secret("global")}, {"B", Secret("shop")}, {"C", Secret("shop")}}));
  EXPECT_EQ(must(store().config().merged(other)),
            (ConfigMap{{"A", Secret("global")}, {"B", Secret("global")}}));
  EXPECT_EQ(must(store().config().all(shop)).size(), 2U);
  EXPECT_EQ(must(store().config().merged(AppId::kGlobal)).size(), 2U);
}

TEST_F(Config, KeysAreSortedByBytes) {
  const AppId shop = app("shop");
  must(store().config().set_many(
      shop, {{"a", Secret("")}, {"Z", Secret("")}, {"_", Secret("")}, {"A1", Secret("")}}));
  std::string order;
  for (const auto& [key, value] : must(store().config().merged(shop))) order += key + " ";
  EXPECT_EQ(order, "A1 Z _ a ");
}

TEST_F(Config, UnsetReplaceAndClear) {
  const AppId shop = app("shop");
  must(store().config().set_many(shop, {{"A", Secret("1")}, {"B", Secret("2")}, {"C", Secret("3")}}));
  must(store().config().set_many(shop, {{"A", Secret("changed")}}));
  EXPECT_EQ(must(store().config().get(shop, "A")), Secret("changed"));
  EXPECT_EQ(must(store().config().unset_many(shop, {"A", "MISSING", "B"})), 2U);
  EXPECT_EQ(must(store().config().all(shop)), (ConfigMap{{"C", Secret("3")}}));
  must(store().config().replace(shop, {{"D", Secret("4")}}));
  EXPECT_EQ(must(store().config().all(shop)), (ConfigMap{{"D", Secret("4")}}));
  EXPECT_EQ(slug_of(store().config().replace(shop, {{"bad key", Secret("")}})), "config-key-invalid");
  EXPECT_EQ(must(store().config().all(shop)).size(), 1U);
  must(store().config().clear(shop));
  EXPECT_TRUE(must(store().config().all(shop)).empty());
}

TEST_F(Config, TextThatLooksLikeSqlIsJustText) {
  const AppId shop = app("shop");
  const std::string nasty = "x'); DROP TABLE config; --";
  must(store().config().set_many(shop, {{"A", Secret(nasty)}}));
  EXPECT_FALSE(must(store().config().get(shop, nasty)));
  EXPECT_EQ(must(store().config().get(shop, "A")), Secret(nasty));
}

}  // namespace
}  // namespace davit
