// See networks.hpp.
#include "networks.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "names.hpp"

namespace davit::docker_plugin {

std::string subnet_of(const std::string& pool, unsigned n) {
  const std::size_t slash = pool.find('/');
  in_addr address{};
  int bits = 0;
  const bool good = slash != std::string::npos &&
                    inet_pton(AF_INET, pool.substr(0, slash).c_str(), &address) == 1 &&
                    std::sscanf(pool.c_str() + slash, "/%d", &bits) == 1 && bits >= 8 && bits <= 24;
  if (!good)
    throw sdk::Failure(DAVIT_INVALID, "address-pool",
                       "the setting address-pool is '" + pool + "', which is no IPv4 network of /8 to /24",
                       "for example \"10.88.0.0/16\"");
  if (n >= 1U << (24 - bits)) return {};
  const std::uint32_t first = ntohl(address.s_addr) & ~((1U << (32 - bits)) - 1);
  const std::uint32_t subnet = first + n * 256;
  return fmt::format("{}.{}.{}.0/24", subnet >> 24, (subnet >> 16) & 255, (subnet >> 8) & 255);
}

// The app service-x and the service x have the same usual name.
sdk::Strings Networks::names_of(std::uint32_t owner_kind, const std::string& owner) const {
  const std::string name =
      "davit-" + base_.config.home_id + (owner_kind == DAVIT_OWNER_SERVICE ? "-service-" : "-") + owner;
  return {name, name + "_" + owner_word(owner_kind)};
}

bool Networks::belongs_to(const Json& network, std::uint32_t owner_kind, const std::string& owner) const {
  const Json& labels = object_in(network, "Labels");
  return text_in(labels, kLabelHome) == base_.config.home_id &&
         text_in(labels, kLabelOwnerKind) == owner_word(owner_kind) && text_in(labels, kLabelOwner) == owner;
}

bool Networks::is_of_another(const Json& network, std::uint32_t owner_kind, const std::string& owner) const {
  return object_in(network, "Labels").contains(kLabelHome) && !belongs_to(network, owner_kind, owner);
}

bool Networks::is_made_by_user(const Json& network) const {
  const Json& labels = object_in(network, "Labels");
  return text_in(labels, kLabelHome) == base_.config.home_id && text_in(labels, kLabelKind) == kUserKind;
}

bool Networks::is_for_apps(const Json& network) const {
  const sdk::Strings& named = base_.config.networks;
  return is_made_by_user(network) || std::ranges::find(named, text_in(network, "Name")) != named.end();
}

bool Networks::find(const std::string& name, Json& found, const Patience& patience) const {
  return base_.engine.find("/networks/" + name, {}, found, patience) && text_in(found, "Name") == name;
}

void Networks::create(const sdk::Call& call, Json request) {
  const std::string& pool = base_.config.address_pool;
  for (unsigned n = 0;; ++n) {
    const std::string subnet = pool.empty() ? std::string() : subnet_of(pool, n);
    if (!pool.empty() && subnet.empty())
      call.fail(DAVIT_UNAVAILABLE, "address-pool", "every subnet of address-pool " + pool + " is taken",
                "set a larger one under [plugins.docker.settings]");
    if (!subnet.empty()) request["IPAM"] = {{"Driver", "default"}, {"Config", {{{"Subnet", subnet}}}}};
    try {
      (void)base_.engine.post("/networks/create", {}, request, patience(call));
      return;
    } catch (const EngineFailure& failure) {
      if (failure.http_status() == 409) return;  // made meanwhile
      if (subnet.empty() || failure.message().find("overlap") == std::string::npos) throw;
    }
  }
}

std::string Networks::ensure(const sdk::Call& call, std::uint32_t owner_kind, const std::string& owner) {
  for (const std::string& name : names_of(owner_kind, owner)) {
    Json found;
    const bool there = find(name, found, patience(call));
    if (there && is_of_another(found, owner_kind, owner)) continue;
    if (there) return name;
    create(call, {{"Name", name},
                  {"CheckDuplicate", true},
                  {"Driver", "bridge"},
                  {"Labels",
                   {{kLabelHome, base_.config.home_id},
                    {kLabelHomePath, base_.config.home},
                    {kLabelKind, "network"},
                    {kLabelOwnerKind, owner_word(owner_kind)},
                    {kLabelOwner, owner}}}});
    return name;
  }
  const std::string name = names_of(owner_kind, owner).front();
  throw sdk::Failure(DAVIT_CONFLICT, "network-foreign",
                     fmt::format("The network {} is not of {} {}", name, owner_word(owner_kind), owner),
                     "see `docker network inspect " + name + "`, and remove or rename it");
}

namespace {

/// "a,b" or "a b".
sdk::Strings listed(const std::string& text) {
  sdk::Strings names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(", ", at), text.size());
    if (end > at) names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

}  // namespace

sdk::Strings NetworkChoice::all() const {
  sdk::Strings names = attached;
  names.insert(names.end(), exposed.begin(), exposed.end());
  if (!initial.empty()) names.push_back(initial);
  return names;
}

void check_network_name(const std::string& name) {
  const bool good =
      !name.empty() && name.size() <= 63 && std::isalnum(static_cast<unsigned char>(name.front())) &&
      std::ranges::all_of(
          name, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '-'; });
  if (!good)
    throw sdk::Failure(DAVIT_INVALID, "network-name", "'" + name + "' is no name of a network",
                       "use letters, digits, _, . and -");
  if (name == "none" || name == "bridge" || name == "host")
    throw sdk::Failure(DAVIT_INVALID, "network-name", "'" + name + "' is a network of the engine's own",
                       "make one with davit network:create");
}

NetworkChoice networks_of(const sdk::Host& host, const sdk::Call& call, const std::string& app) {
  const sdk::Properties properties = host.properties(call);
  NetworkChoice joined;
  joined.initial = properties.get(app, "network", "initial-network").value_or("");
  joined.attached = listed(properties.get(app, "network", "attach-post-create").value_or(""));
  joined.exposed = listed(properties.get(app, "network", "attach-post-deploy").value_or(""));
  joined.all_interfaces = properties.get(app, "network", "bind-all-interfaces").value_or("") == "true";
  for (const std::string& name : joined.all()) check_network_name(name);
  return joined;
}

std::string NetworkSetting::without_it(const std::string& app) const {
  std::string command = fmt::format("davit network:set {} {}", is_global ? "--global" : app, key);
  for (const std::string& name : others) command += (&name == &others.front() ? " " : ",") + name;
  return command;
}

std::optional<NetworkSetting> setting_that_joins(const sdk::Host& host, const sdk::Call& call,
                                                 const std::string& app, const std::string& network) {
  const sdk::Properties properties = host.properties(call);
  for (const char* key : {"initial-network", "attach-post-create", "attach-post-deploy"}) {
    sdk::Strings names = listed(properties.get(app, "network", key).value_or(""));
    if (std::erase(names, network) == 0) continue;
    return NetworkSetting{key, !properties.get_own(app, "network", key), names};
  }
  return std::nullopt;
}

std::string Networks::first(const sdk::Call& call, std::uint32_t owner_kind, const std::string& owner) {
  if (owner_kind != DAVIT_OWNER_APP) return ensure(call, owner_kind, owner);
  const NetworkChoice joined = networks_of(base_.host, call, owner);
  for (const std::string& name : joined.all()) check_joins(call, owner, name);
  return joined.initial.empty() ? ensure(call, owner_kind, owner) : joined.initial;
}

void Networks::start(const sdk::Call& call, const std::string& container, std::uint32_t owner_kind,
                     const std::string& owner) {
  const std::string path = "/containers/" + container + "/start";
  try {
    (void)base_.engine.post(path, {}, nullptr, patience(call));
  } catch (const EngineFailure& failure) {
    const bool missing = std::ranges::any_of(names_of(owner_kind, owner), [&](const std::string& name) {
      return failure.message().find("network " + name + " not found") != std::string::npos;
    });
    if (failure.http_status() != 404 || !missing) throw;
    (void)ensure(call, owner_kind, owner);
    (void)base_.engine.post(path, {}, nullptr, patience(call));
  }
}

void Networks::join(const sdk::Call& call, const std::string& container, std::uint32_t owner_kind,
                    const std::string& owner, const std::vector<std::string>& aliases) {
  if (owner_kind != DAVIT_OWNER_APP) return;
  for (const std::string& name : networks_of(base_.host, call, owner).attached)
    connect(call, owner, name, container, aliases);
}

void Networks::expose(const sdk::Call& call, const std::string& container, const std::string& app,
                      const std::vector<std::string>& aliases) {
  const sdk::Strings wanted = networks_of(base_.host, call, app).exposed;
  if (wanted.empty()) return;
  const Json facts = base_.engine.get("/containers/" + container + "/json", {}, patience(call));
  const Json& present = object_in(object_in(facts, "NetworkSettings"), "Networks");
  for (const std::string& name : wanted) {
    if (!present.contains(name)) connect(call, app, name, container, aliases);
  }
}

void Networks::check_joins(const sdk::Call& call, const std::string& app, const std::string& network) const {
  Json found;
  if (!find(network, found, patience(call)))
    throw sdk::Failure(DAVIT_NOT_FOUND, "network-missing",
                       app + " joins the network " + network + ", which does not exist",
                       "davit network:create " + network + ", or take it away with davit network:set");
  if (is_for_apps(found)) return;
  throw sdk::Failure(DAVIT_DENIED, "network-foreign",
                     app + " joins the network " + network + ", which was not made by network:create",
                     "take it away with davit network:set, or let apps join it: networks = [\"" + network +
                         "\"] in [plugins.docker.settings]");
}

void Networks::connect(const sdk::Call& call, const std::string& app, const std::string& network,
                       const std::string& container, const std::vector<std::string>& aliases) {
  check_joins(call, app, network);
  const Json request = {{"Container", container}, {"EndpointConfig", {{"Aliases", aliases}}}};
  const auto answer =
      base_.engine.stream("POST", "/networks/" + network + "/connect", {}, request, patience(call));
  (void)read_all(*answer);  // Docker says nothing, Podman "OK"
}

void Networks::remove(std::uint32_t owner_kind, const std::string& owner) {
  for (const std::string& name : names_of(owner_kind, owner)) {
    Json found;
    if (!find(name, found, steady()) || !belongs_to(found, owner_kind, owner)) continue;
    try {
      base_.engine.remove("/networks/" + name, {}, steady());
    } catch (const EngineFailure& failure) {
      // 403: it has active endpoints (a task runs); 404: gone
      if (failure.http_status() != 404 && failure.http_status() != 403 && failure.http_status() != 409) throw;
    }
  }
}

}  // namespace davit::docker_plugin
