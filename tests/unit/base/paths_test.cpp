// Where things are.
#include "base/paths.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

TEST(Paths, ThePrefixIsFoundFromBinAndFromLibexec) {
  EXPECT_EQ(Installation::of_executable("/opt/davit/bin/davit").prefix, "/opt/davit");
  EXPECT_EQ(Installation::of_executable("/opt/davit/libexec/davit/davit-worker").prefix, "/opt/davit");
  EXPECT_EQ(Installation::of_executable("/src/build/debug/bin/davit").worker(),
            "/src/build/debug/libexec/davit/davit-worker");
  // A folder named davit that is not in libexec.
  EXPECT_EQ(Installation::of_executable("/srv/davit/davit").prefix, "/srv");
}

TEST(Paths, AHomeKeepsAnAppsThingsUnderItsName) {
  const Home home{"/h", "/h/plugins.toml"};
  EXPECT_EQ(home.database(), "/h/davit.db");
  EXPECT_EQ(home.repo("shop"), "/h/repos/shop.git");
  EXPECT_EQ(home.deploy_log("d17"), "/h/logs/deploys/d17");
  EXPECT_EQ(home.lock("shop"), "/h/run/locks/shop");
}

}  // namespace
}  // namespace davit
