#include "names.hpp"

#include <gtest/gtest.h>

#include "davit/failure.hpp"

namespace davit::process_plugin {
namespace {

TEST(Names, ReadFromTheRightSoThatAnOwnerMayHaveDots) {
  const auto name = parse_instance("shop.example.com.d17.web.12");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->group.owner, "shop.example.com");
  EXPECT_EQ(name->group.revision, "d17");
  EXPECT_EQ(name->group.type, "web");
  EXPECT_EQ(name->number, 12U);
  EXPECT_EQ(name->text(), "shop.example.com.d17.web.12");
}

TEST(Names, RefuseWhatIsNone) {
  for (const char* text :
       {"", "a", "a.b.c", "a.b.c.0", "a.b.c.01", "a.b.c.x", "a.b.c.-1", ".b.c.1", "a..c.1", "a/x.b.c.1",
        "../x.b.c.1", "a.b.c.1x", "a.b.c.99999999999", "-a.b.c.1", "a .b.c.1"}) {
    EXPECT_FALSE(parse_instance(text)) << text;
  }
}

TEST(Names, ATypeWithADotIsRefusedBeforeAnythingIsMade) {
  EXPECT_THROW(check_group({"shop", "d1", "we.b"}), sdk::Failure);
  EXPECT_THROW(check_group({"shop", "d1", ""}), sdk::Failure);
  EXPECT_THROW(check_group({"../shop", "d1", "web"}), sdk::Failure);
  EXPECT_THROW(check_group({std::string(190, 'a'), "d1", "web"}), sdk::Failure);
  EXPECT_NO_THROW(check_group({"shop", "d1", "web_2-x"}));
}

TEST(Names, ASelectorMatchesWholeOwnersOnly) {
  const auto other = *parse_instance("shop.example.d1.web.1");
  sdk::Selector selector;
  selector.owner = "shop";
  EXPECT_FALSE(matches(selector, other));
  selector.owner = "shop.example";
  EXPECT_TRUE(matches(selector, other));
  selector.number = 2;
  EXPECT_FALSE(matches(selector, other));
  selector.number = 1;
  selector.process_type = "web";
  EXPECT_TRUE(matches(selector, other));
  selector.revision = "d2";
  EXPECT_FALSE(matches(selector, other));
}

}  // namespace
}  // namespace davit::process_plugin
