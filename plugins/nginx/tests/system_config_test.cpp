// The distribution's configuration, as Debian lays it out and as people write it.
#include "system_config.hpp"

#include <gtest/gtest.h>

#include "files/files.hpp"
#include "tests/temp_folder.hpp"

namespace davit::nginx {
namespace {

class SystemConfigTest : public testing::Test {
 protected:
  SystemConfigTest() { files::make_dirs(folder_ / "modules-enabled"); }
  SystemConfig read(const std::string& text) {
    files::write_file(folder_ / "nginx.conf", text);
    return read_system_config(folder_ / "nginx.conf");
  }
  const davit::test::TempFolder folder_;
};

TEST_F(SystemConfigTest, ModulesOfDebian) {
  const auto* main =
      "user www-data;\npid /run/nginx.pid;\ninclude modules-enabled/*.conf;\nevents { }\nhttp { }\n";
  EXPECT_FALSE(read(main).has_lua);
  files::write_file(folder_ / "modules-enabled/50-mod-http-lua.conf",
                    "load_module modules/ngx_http_lua_module.so;\n");
  EXPECT_TRUE(read(main).has_lua);
  EXPECT_EQ(read(main).pid_file, "/run/nginx.pid");
}

TEST_F(SystemConfigTest, OnlyWhatStandsOutsideOfBlocksCounts) {
  EXPECT_FALSE(read("# load_module a/ngx_http_lua_module.so;\nhttp { pid /nowhere; # }\n }\n").has_lua);
  EXPECT_EQ(read("http { pid /nowhere; # }\n }\n").pid_file, "/run/nginx.pid");
  const auto quoted = read("load_module \"a b/ngx_http_lua_module.so\";events{}pid '/tmp/my pid';");
  EXPECT_TRUE(quoted.has_lua);
  EXPECT_EQ(quoted.pid_file, "/tmp/my pid");
}

TEST_F(SystemConfigTest, OddFilesAreNothing) {
  EXPECT_FALSE(read_system_config(folder_ / "missing").has_lua);
  EXPECT_FALSE(read("include nginx.conf;\n").has_lua);  // of itself
  EXPECT_FALSE(read("load_module \"never ends").has_lua);
}

}  // namespace
}  // namespace davit::nginx
