// See service_relays.hpp.
#include "worker/service_relays.hpp"

#include <fmt/format.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugin/app_user.hpp"
#include "process/files.hpp"
#include "process/listening.hpp"
#include "service/generation.hpp"

namespace davit {
namespace {

constexpr int kNotifyFd = 3;
constexpr std::int64_t kListenLimitMs = 10'000;
constexpr std::uint32_t kStopTimeoutMs = 5'000;
constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;

std::string port_unit(const Service& service) {
  return "relay." + owner_of(service);
}

std::string socket_unit(const Service& service) {
  return fmt::format("service-socket.{}", static_cast<std::int64_t>(service.id));
}

// By id: a rename changes nothing for those who have it mounted.
std::filesystem::path socket_folder(const Home& home, const Service& service) {
  return home.run() / "sockets" / std::to_string(static_cast<std::int64_t>(service.id));
}

Unit relay_unit(Workshop& shop, std::string name, const Service& service) {
  Unit unit;
  unit.name = std::move(name);
  unit.argv = {shop.where().installation.libexec("davit-relay").string()};
  unit.log = UnitLog{.dir = shop.home().logs() / "relays" / owner_of(service)};
  unit.stop_timeout_ms = kStopTimeoutMs;
  unit.notify_fd = kNotifyFd;
  return unit;
}

Result<> listen(Workshop& shop, const Unit& unit) {
  DAVIT_TRY(shop.supervisor().ensure(unit));
  WaitSpec ready;
  ready.what = WaitFor::kReady;
  ready.deadline_ms = kListenLimitMs;
  DAVIT_TRY(shop.supervisor().wait(unit.name, ready));
  return {};
}

// The proxy's may be free just now: while it is down.
Result<bool> is_of_proxy(PluginHost& plugins, std::uint16_t port, const CallContext& context) {
  DAVIT_TRY_ASSIGN(Proxy * proxy, plugins.proxy());
  if (proxy == nullptr) return false;
  DAVIT_TRY_ASSIGN(const TextMap facts, proxy->describe(context));
  for (const char* key : {"http-port", "https-port"}) {
    const auto fact = facts.find(key);
    if (fact != facts.end() && fact->second == std::to_string(port)) return true;
  }
  return false;
}

}  // namespace

// As the app user: it needs no right but that of an app, to reach the service.
Result<> open_port(Workshop& shop, const Service& service, std::uint16_t port) {
  DAVIT_TRY_ASSIGN(PluginHost * plugins, shop.plugins());
  const HostSettings& host = plugins->catalog().host();
  if (port >= host.port_first && port <= host.port_last) {
    return fail(
        Code::kConflict, fmt::format("Port {} is one of those that apps and services are given", port),
        fmt::format("Choose one that is not within {} to {}", host.port_first, host.port_last), "port-taken");
  }
  DAVIT_TRY_ASSIGN(const bool of_proxy, is_of_proxy(*plugins, port, shop.context()));
  if (of_proxy) {
    return fail(Code::kConflict, fmt::format("Port {} is where apps answer", port), "Choose another",
                "port-taken");
  }
  Unit unit = relay_unit(shop, port_unit(service), service);
  unit.argv.insert(unit.argv.end(), {fmt::format("0.0.0.0:{}", port), std::to_string(service.port)});
  DAVIT_TRY_ASSIGN(unit.run_as, app_user_of(host.app_user));
  if (auto open = listen(shop, unit); !open) {
    DAVIT_TRY(shop.supervisor().remove(unit.name, 0));
    const std::string holder = holder_of_port(port);
    if (holder.empty()) return open;
    return fail(Code::kConflict, fmt::format("Port {} is taken by {}", port, holder),
                "Choose another, or stop that", "port-taken");
  }
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  return store->services().set_exposed_port(service.id, port);
}

Result<> close_port(Workshop& shop, const Service& service) {
  DAVIT_TRY(shop.supervisor().remove(port_unit(service), 0));
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  return store->services().set_exposed_port(service.id, 0);
}

// Only root passes through the folder above; whoever has this one mounted may connect. It binds as the home's
// owner, and drops to the app user then.
Result<std::string> open_socket(Workshop& shop, const Service& service) {
  const auto folder = socket_folder(shop.home(), service);
  const std::string socket = (folder / "socket").string();
  if (socket.size() > kLongestPath) {
    return fail(Code::kUnavailable, fmt::format("{} is too long a path for a socket", socket),
                "Make the davit home at a shorter path", "path-too-long");
  }
  DAVIT_TRY(make_dir(folder.parent_path(), 0700));
  DAVIT_TRY(make_dir(folder, 0755));
  DAVIT_TRY_ASSIGN(PluginHost * plugins, shop.plugins());
  Unit unit = relay_unit(shop, socket_unit(service), service);
  if (geteuid() == 0) {
    DAVIT_TRY_ASSIGN(const auto user, app_user_of(plugins->catalog().host().app_user));
    if (user) unit.argv.insert(unit.argv.end(), {"--drop", std::to_string(user->uid)});
  }
  unit.argv.insert(unit.argv.end(), {socket, std::to_string(service.port)});
  DAVIT_TRY(listen(shop, unit));
  return folder.string();
}

Result<> close_socket(Workshop& shop, const Service& service) {
  DAVIT_TRY(shop.supervisor().remove(socket_unit(service), 0));
  return remove_tree(socket_folder(shop.home(), service));
}

}  // namespace davit
