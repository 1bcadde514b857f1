// See settings.hpp.
#include "settings.hpp"

#include <Poco/Net/DNS.h>
#include <Poco/Net/HostEntry.h>
#include <Poco/Net/NetException.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "certificates.hpp"
#include "davit/failure.hpp"
#include "files/files.hpp"
#include "properties.hpp"
#include "system_config.hpp"
#include "workers_folders.hpp"

namespace davit::nginx {
namespace fs = std::filesystem;
namespace {

constexpr const char* kGroup = "nginx";
constexpr rlim_t kOpenFiles = 65536;

bool machine_has_ipv6() {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  ::close(fd);
  return true;
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// Lua's cjson is below a directory that is named after the machine's architecture.
bool has_cjson() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib", error)) {
    if (is_there(entry.path() / "lua/5.1/cjson.so")) return true;
  }
  return is_there("/usr/local/lib/lua/5.1/cjson.so");
}

bool can_run_lua(const fs::path& modules) {
  const bool core =
      is_there("/usr/share/lua/5.1/resty/core.lua") || is_there("/usr/local/share/lua/5.1/resty/core.lua");
  return core && has_cjson() && is_there(modules / "ngx_http_lua_module.so") &&
         is_there(modules / "ndk_http_module.so");
}

std::uint32_t number_of(const sdk::Settings& settings, std::string_view key, std::int64_t fallback,
                        std::int64_t least, std::int64_t most) {
  const auto number = settings.integer(key, fallback);
  if (number < least || number > most) {
    throw sdk::Failure(
        DAVIT_INVALID, "bad-setting",
        std::string(key) + " must be from " + std::to_string(least) + " to " + std::to_string(most),
        "correct it in [plugins.nginx.settings]");
  }
  return static_cast<std::uint32_t>(number);
}

std::string address_of(const sdk::Settings& settings, std::string_view key, std::string_view fallback) {
  const auto address = settings.get_or(key, fallback);
  return address == "off" ? std::string() : address;
}

void resolve_user(const sdk::Settings& from, Settings& settings) {
  if (::geteuid() != 0) return;
  settings.worker_user = from.get_or("user", "www-data");
  if (settings.worker_user == "www-data" && ::getpwnam("www-data") == nullptr)
    settings.worker_user = "nobody";
}

void resolve_open_files(Settings& settings) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto most = ::geteuid() == 0 ? kOpenFiles : std::min<rlim_t>(limit.rlim_max, kOpenFiles);
  settings.open_files = static_cast<std::uint32_t>(most);
  // one for the client and one for the instance
  if (settings.connections * 2 > settings.open_files) settings.connections = settings.open_files / 2;
}

std::string used_or(std::string_view key, const std::optional<std::string>& stored,
                    const std::string& fallback) {
  return stored && is_used(*find_property(key), *stored) ? *stored : fallback;
}

Properties global_values(const sdk::Host& host, const sdk::Call& call) {
  auto values = default_properties();
  const auto properties = host.properties(call);
  for (auto& [key, value] : values) value = used_or(key, properties.get("", kGroup, key), value);
  return values;
}

// Name, size and time of every file: changes when one of them does.
std::string stamp_of(const fs::path& directory) {
  std::vector<std::string> parts;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".conf") continue;
    const auto text = files::read_file(entry.path()).value_or("");
    parts.push_back(entry.path().filename().string() + '\0' + text);
  }
  if (parts.empty()) return {};
  std::sort(parts.begin(), parts.end());
  std::string all;
  for (const auto& part : parts) all += part + '\0';
  return std::to_string(std::hash<std::string>()(all));
}

// IPv4 first: that is what instances on this machine listen on.
std::string address_of_name(const std::string& name) {
  const auto entry = Poco::Net::DNS::resolve(name);
  const auto& addresses = entry.addresses();
  for (const auto& address : addresses) {
    if (address.family() == Poco::Net::IPAddress::IPv4) return address.toString();
  }
  if (addresses.empty()) throw Poco::Net::NoAddressFoundException(name);
  return addresses.front().toString();
}

}  // namespace

PluginSettings read_settings(const sdk::Host& host, const sdk::Call& call) {
  const auto from = host.settings(call);
  const auto paths = host.paths(call);
  PluginSettings all;
  auto& settings = all.engine;
  settings.mode = from.get_or("mode", "private") == "system" ? Mode::kSystem : Mode::kPrivate;
  settings.root = paths.state();
  settings.logs = paths.logs();
  settings.run = paths.run();
  settings.share = paths.share();
  settings.control = settings.run + "/control/socket";
  settings.pid_file = settings.run + "/nginx.pid";
  all.system_config = from.get_or("system-config", "/etc/nginx/nginx.conf");
  bool lua_is_loaded = true;  // by our own nginx, always
  if (settings.mode == Mode::kSystem) {
    const auto system = read_system_config(all.system_config);
    settings.pid_file = system.pid_file;
    lua_is_loaded = system.has_lua;
  }
  settings.program = from.get_or("program", "/usr/sbin/nginx");
  settings.http_port = static_cast<std::uint16_t>(from.integer("port", 8080));
  settings.https_port = static_cast<std::uint16_t>(from.integer("tls-port", 8443));
  settings.workers = number_of(from, "workers", 0, 0, 1024);
  settings.connections = number_of(from, "connections", 4096, 16, 1'000'000);
  settings.drain_limit_s = number_of(from, "drain-limit", 60, 1, 86'400);
  settings.table_mb = number_of(from, "table-mb", 16, 1, 1024);
  settings.bind_ipv4 = address_of(from, "bind-ipv4", "0.0.0.0");
  settings.bind_ipv6 = machine_has_ipv6() ? address_of(from, "bind-ipv6", "::") : std::string();
  const fs::path modules = from.get_or("modules-dir", "/usr/lib/nginx/modules");
  const auto wanted = from.get_or("switching", "auto");
  const bool socket = wanted == "socket" || (wanted == "auto" && lua_is_loaded && can_run_lua(modules));
  settings.switching = socket ? Switching::kSocket : Switching::kReload;
  if (socket) settings.load_modules = {modules / "ndk_http_module.so", modules / "ngx_http_lua_module.so"};
  if (settings.mode == Mode::kSystem && !socket) {
    settings.control_name = "davit-" + std::to_string(std::hash<std::string>()(settings.root)) + ".invalid";
  }
  resolve_user(from, settings);
  if (settings.worker_user.empty()) {
    settings.access_logs = settings.logs + "/apps";
    settings.worker_tmp = settings.run + "/tmp";
    settings.pages = settings.run + "/pages";
  } else {
    // The home's folders are closed to other users, so what workers need lies beside them. A home below a
    // closed folder, such as /root, cannot have it: then it is where the system keeps such things.
    const auto workers = workers_folder(paths.home());
    all.home = paths.home();
    settings.access_logs = workers + "/logs";
    settings.worker_tmp = workers + "/tmp";
    settings.pages = workers + "/pages";
  }
  resolve_open_files(settings);
  settings.global = global_values(host, call);
  all.system_include = from.get_or("system-include", "/etc/nginx/conf.d/davit.conf");
  all.reload_command = from.items("reload-command");
  return all;
}

AppInputs read_inputs(const sdk::Host& host, const sdk::Call& call, const Settings& settings,
                      const std::string& app) {
  AppInputs inputs;
  inputs.properties = settings.global;
  const auto properties = host.properties(call);
  for (auto& [key, value] : inputs.properties)
    value = used_or(key, properties.get_own(app, kGroup, key), value);
  inputs.certificate = certificate_of(settings, app);
  const auto extra = settings.root + "/site.d/" + app;
  inputs.extra_stamp = stamp_of(extra);
  if (!inputs.extra_stamp.empty()) inputs.extra_dir = extra;
  return inputs;
}

sdk::Pairs unused_values(const sdk::Host& host, const sdk::Call& call, const std::string& app) {
  const std::string scope = app.empty() ? "--global" : app;
  const auto stored = host.properties(call);
  sdk::Pairs unused;
  for (const auto& property : properties()) {
    const auto value = stored.get_own(app, kGroup, property.key);
    if (!value || is_used(property, *value)) continue;
    const auto command = "davit nginx:set " + scope + " " + std::string(property.key);
    unused.emplace_back(command + " " + *value + " does not count any more",
                        complaint(property, *value) + "; without a value " + command + " takes it away");
  }
  return unused;
}

Route route_from(const sdk::Route& route) {
  Route out;
  out.app = route.app;
  out.revision = route.revision;
  out.replaces = route.replaces;
  out.hosts = route.hosts;
  out.maintenance = (route.flags & DAVIT_ROUTE_MAINTENANCE) != 0;
  for (const auto& endpoint : route.endpoints) {
    Peer peer;
    if (endpoint.kind == DAVIT_ENDPOINT_UNIX) {
      peer.path = endpoint.path;
    } else {
      peer.port = static_cast<std::uint16_t>(endpoint.port);
      try {
        peer.host = address_of_name(endpoint.host);
      } catch (const Poco::Exception& error) {
        throw sdk::Failure(DAVIT_UNAVAILABLE, "no-address",
                           "instance " + endpoint.instance + ": the name " + endpoint.host +
                               " has no address: " + error.displayText());
      }
    }
    out.peers.push_back(peer);
  }
  return out;
}

sdk::Pairs describe_settings(const Settings& settings) {
  const auto port = settings.http_port == 80 ? std::string() : ":" + std::to_string(settings.http_port);
  return {{"url", "http://HOST" + port},
          {"http-port", std::to_string(settings.http_port)},
          {"https-port", std::to_string(settings.https_port)},
          {"mode", settings.mode == Mode::kSystem ? "system" : "private"},
          {"switching", settings.switching == Switching::kSocket ? "socket" : "reload"}};
}

}  // namespace davit::nginx
