// The configuration as text, against golden files. Update them on purpose: DAVIT_UPDATE_GOLDEN=1
// nginx_render_test.
#include "render.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "properties.hpp"

namespace davit::nginx {
namespace {

Settings example_settings() {
  Settings settings;
  settings.root = "/home/davit/state/nginx";
  settings.logs = "/home/davit/logs/nginx";
  settings.run = "/home/davit/run/nginx";
  settings.access_logs = "/home/davit/logs/nginx/apps";
  settings.worker_tmp = "/home/davit/run/nginx/tmp";
  settings.pages = "/home/davit/run/nginx/pages";
  settings.share = "/usr/share/davit/nginx";
  settings.pid_file = "/home/davit/run/nginx/nginx.pid";
  settings.control = "/home/davit/run/nginx/control/socket";
  settings.load_modules = {"/modules/ndk_http_module.so", "/modules/ngx_http_lua_module.so"};
  settings.http_port = 8080;
  settings.https_port = 8443;
  settings.workers = 2;
  settings.global = default_properties();
  return settings;
}

Site example_site() {
  Site site;
  site.route.app = "shop";
  site.route.revision = "d7";
  site.route.hosts = {"shop.example.com", "*.shop.example.com"};
  site.route.peers = {{"127.0.0.1", 5001, ""}, {"127.0.0.1", 5002, ""}};
  site.properties = default_properties();
  return site;
}

void expect_golden(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(DAVIT_SOURCE_DIR) / "plugins/nginx/tests/golden" / name;
  if (std::getenv("DAVIT_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(golden.str(), text) << "golden file " << name;
}

std::string all_shared(const Settings& settings, const SharedNeeds& needs) {
  std::string text;
  for (const auto& [path, content] : render_shared_files(settings, needs))
    text += "#### " + path + "\n" + content;
  return text;
}

TEST(RenderShared, PrivateNginxWithControlSocket) {
  expect_golden("shared_socket.conf", all_shared(example_settings(), {}));
}

TEST(RenderShared, RootMasterWithReloadAndTls) {
  auto settings = example_settings();
  settings.switching = Switching::kReload;
  settings.worker_user = "www-data";
  settings.worker_group = "web";
  settings.load_modules.clear();
  settings.open_files = 65536;
  settings.bind_ipv6.clear();
  expect_golden("shared_reload.conf", all_shared(settings, {{"10.0.0.5"}, true}));
}

TEST(RenderSite, PropertiesOfItsOwn) {
  auto site = example_site();
  site.properties["client-max-body-size"] = "50m";
  site.properties["bind-address-ipv4"] = "127.0.0.1";
  site.properties["x-forwarded-proto-value"] = "$http_x_forwarded_proto";
  site.properties["access-log-path"] = "shop.log";
  site.extra_dir = "/home/davit/state/nginx/site.d/shop";
  site.extra_stamp = "1234";
  expect_golden("site_properties.conf", render_site(example_settings(), site));
}

TEST(RenderSite, Certificate) {
  auto site = example_site();
  site.certificate = Certificate{"/certs/shop/server.crt", "/certs/shop/server.key"};
  expect_golden("site_tls.conf", render_site(example_settings(), site));
}

TEST(RenderSite, SwitchingByReload) {
  auto settings = example_settings();
  settings.switching = Switching::kReload;
  expect_golden("site_reload.conf", render_site(settings, example_site()));
}

TEST(RenderSite, PeersAreNotInTheFileWhenTheSocketSwitches) {
  auto one = example_site();
  auto two = example_site();
  two.route.peers = {{"127.0.0.1", 6000, ""}};
  two.route.revision = "d8";
  EXPECT_EQ(render_site(example_settings(), one), render_site(example_settings(), two));
}

TEST(NeedsOwnSite, OnlyWhenSomethingDiffersFromTheGlobalValue) {
  auto settings = example_settings();
  auto site = example_site();
  EXPECT_FALSE(needs_own_site(settings, site));
  site.properties["proxy-read-timeout"] = "5m";
  EXPECT_TRUE(needs_own_site(settings, site));
  settings.global["proxy-read-timeout"] = "5m";
  EXPECT_FALSE(needs_own_site(settings, site));
  site.certificate = Certificate{"a", "b"};
  EXPECT_TRUE(needs_own_site(settings, site));
  settings.switching = Switching::kReload;
  site.certificate.reset();
  EXPECT_TRUE(needs_own_site(settings, site));
}

TEST(AddNeeds, ReadsTheFirstLineOfASite) {
  auto site = example_site();
  site.properties["bind-address-ipv4"] = "10.0.0.5";
  site.properties["bind-address-ipv6"] = "::1";
  site.certificate = Certificate{"a", "b"};
  SharedNeeds needs;
  add_needs(render_site(example_settings(), site), needs);
  EXPECT_TRUE(needs.tls);
  EXPECT_EQ(needs.addresses, (std::vector<std::string>{"10.0.0.5", "[::1]"}));
  SharedNeeds none;
  add_needs("server { listen 80; }\n", none);
  EXPECT_EQ(none, SharedNeeds());
}

}  // namespace
}  // namespace davit::nginx
