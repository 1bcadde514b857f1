// Units as values.
#include <gtest/gtest.h>

#include "supervise/unit.hpp"

namespace davit {
namespace {

Unit sample() {
  Unit unit;
  unit.name = "shop.d17.web.1";
  unit.argv = {"/bin/true"};
  return unit;
}

TEST(UnitName, TakesInstanceIdsAndRefusesPaths) {
  for (const auto* good : {"nginx", "shop.d17.web.1", "my.app.example.org.d1.web.12", "A_b-c"}) {
    EXPECT_TRUE(check_unit_name(good)) << good;
  }
  for (const auto* bad : {"", ".", "..", "a..b", "a/b", "-a", "a-", "%adopt", ".a", "a b", "a\n"}) {
    EXPECT_FALSE(check_unit_name(bad)) << bad;
  }
  EXPECT_FALSE(check_unit_name(std::string(201, 'a')));
}

TEST(UnitSpec, EqualUnitsHaveEqualBytes) {
  EXPECT_EQ(*encode_spec(sample()), *encode_spec(sample()));
  auto other = sample();
  other.env = {{"A", "1"}};
  EXPECT_NE(*encode_spec(sample()), *encode_spec(other));
}

TEST(UnitSpec, RefusesWhatCannotBeCarried) {
  auto unit = sample();
  unit.argv = {};
  EXPECT_FALSE(encode_spec(unit));
  unit.argv = {"relative"};
  EXPECT_FALSE(encode_spec(unit));
  unit = sample();
  unit.env = {{"A", std::string("x\0y", 3)}};
  EXPECT_FALSE(encode_spec(unit));
  unit.env = {{"A=B", "x"}};
  EXPECT_FALSE(encode_spec(unit));
  unit = sample();
  unit.cwd = "relative";
  EXPECT_FALSE(encode_spec(unit));
}

}  // namespace
}  // namespace davit
