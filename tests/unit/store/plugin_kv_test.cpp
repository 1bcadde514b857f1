// Plugins' key-values.
#include "store/plugin_kv.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

class PluginKv : public StoreTest {
 protected:
  davit::PluginKv& kv() { return store().plugin_kv(); }
};

TEST_F(PluginKv, ValuesKeepEveryByteNulIncluded) {
  std::string bytes;
  for (int value = 0; value < 256; ++value) bytes += static_cast<char>(value);
  const AppId shop = app("shop");
  must(kv().set("nginx", shop, "k", bytes));
  must(kv().set("nginx", AppId::kGlobal, "k", ""));
  must(kv().set("other", shop, "k", std::string(1024UL * 1024, '\0')));
  EXPECT_EQ(must(kv().get("nginx", shop, "k")), bytes);
  EXPECT_EQ(must(kv().get("nginx", AppId::kGlobal, "k")), "");
  EXPECT_EQ(must(kv().get("other", shop, "k"))->size(), 1024UL * 1024);
  EXPECT_FALSE(must(kv().get("other", AppId::kGlobal, "k")));
  EXPECT_TRUE(must(kv().remove("nginx", shop, "k")));
  EXPECT_FALSE(must(kv().remove("nginx", shop, "k")));
}

TEST_F(PluginKv, ListsByPrefix) {
  for (const char* key : {"a", "a/1", "a/2", "a\xFF", "a\xFF\xFF!", "b"})
    must(kv().set("p", AppId::kGlobal, key, key));
  const auto keys = [&](std::string_view prefix) {
    std::string text;
    for (const auto& [key, value] : must(kv().list("p", AppId::kGlobal, prefix))) text += key + " ";
    return text;
  };
  EXPECT_EQ(keys("a/"), "a/1 a/2 ");
  EXPECT_EQ(keys("a\xFF"), "a\xFF a\xFF\xFF! ");
  EXPECT_EQ(keys(""), "a a/1 a/2 a\xFF a\xFF\xFF! b ");
  EXPECT_EQ(keys("c"), "");
  must(kv().set("p", AppId::kGlobal, "\xFFz", ""));
  EXPECT_EQ(keys("\xFF"), "\xFFz ");
}

TEST_F(PluginKv, SwapsOnlyWhatItExpected) {
  const auto swap = [&](std::optional<std::string> expected, std::optional<std::string> desired) {
    return must(kv().compare_and_swap("p", AppId::kGlobal, "k", expected, desired));
  };
  EXPECT_FALSE(swap("x", "y"));
  EXPECT_TRUE(swap(std::nullopt, "1"));
  EXPECT_FALSE(swap(std::nullopt, "2"));
  EXPECT_TRUE(swap("1", "2"));
  EXPECT_EQ(must(kv().get("p", AppId::kGlobal, "k")), "2");
  EXPECT_TRUE(swap("2", std::nullopt));
  EXPECT_FALSE(must(kv().get("p", AppId::kGlobal, "k")));
}

TEST_F(PluginKv, KeysAndSizesHaveLimits) {
  EXPECT_EQ(slug_of(kv().set("p", AppId::kGlobal, "", "v")), "kv-key-invalid");
  EXPECT_EQ(slug_of(kv().set("p", AppId::kGlobal, std::string_view("a\0b", 3), "v")), "kv-key-invalid");
  EXPECT_EQ(slug_of(kv().set("p", AppId::kGlobal, std::string(513, 'k'), "v")), "kv-key-invalid");
  must(kv().set("p", AppId::kGlobal, std::string(512, 'k'), "v"));
  EXPECT_EQ(slug_of(kv().set("p", AppId::kGlobal, "k", std::string(16UL * 1024 * 1024 + 1, 'v'))),
            "kv-value-too-large");
}

}  // namespace
}  // namespace davit
