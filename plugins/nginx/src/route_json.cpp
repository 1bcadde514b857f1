// See route_json.hpp.
#include "route_json.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <arpa/inet.h>

#include <sstream>
#include <string_view>

namespace davit::nginx {
namespace {

constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestSocket = 107;

bool is_host_name(std::string_view host) {
  if (host.size() > kLongestName) return false;
  if (host.rfind("*.", 0) == 0) host.remove_prefix(2);
  return !host.empty() && host.front() != '.' && host.back() != '.' &&
         host.find("..") == std::string_view::npos &&
         host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") == std::string_view::npos;
}

bool is_address(const std::string& host) {
  unsigned char buffer[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), buffer) == 1 || ::inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

Poco::JSON::Object::Ptr peer_object(const Peer& peer) {
  Poco::JSON::Object::Ptr object = new Poco::JSON::Object;
  if (!peer.path.empty()) {
    object->set("path", peer.path);
  } else {
    // An IPv6 address goes with brackets, as nginx wants it.
    object->set("host", peer.host.find(':') != std::string::npos ? "[" + peer.host + "]" : peer.host);
    object->set("port", static_cast<int>(peer.port));
  }
  return object;
}

Peer peer_from(const Poco::JSON::Object& object) {
  Peer peer;
  if (object.has("path")) {
    peer.path = object.getValue<std::string>("path");
    return peer;
  }
  peer.host = object.getValue<std::string>("host");
  if (!peer.host.empty() && peer.host.front() == '[') peer.host = peer.host.substr(1, peer.host.size() - 2);
  peer.port = object.getValue<std::uint16_t>("port");
  return peer;
}

}  // namespace

std::string to_json(const Route& route) {
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  Poco::JSON::Array::Ptr hosts = new Poco::JSON::Array;
  for (const auto& host : route.hosts) hosts->add(host);
  Poco::JSON::Array::Ptr peers = new Poco::JSON::Array;
  for (const auto& peer : route.peers) peers->add(peer_object(peer));
  object.set("app", route.app);
  object.set("revision", route.revision);
  object.set("hosts", hosts);
  object.set("peers", peers);
  object.set("maintenance", route.maintenance);
  object.set("shared", route.shared);
  std::ostringstream text;
  object.stringify(text);
  return std::move(text).str();
}

std::optional<Route> route_from_json(const std::string& text) {
  try {
    Poco::JSON::Parser parser;
    const auto object = parser.parse(text).extract<Poco::JSON::Object::Ptr>();
    Route route;
    route.app = object->getValue<std::string>("app");
    route.revision = object->getValue<std::string>("revision");
    const auto hosts = object->getArray("hosts");
    const auto peers = object->getArray("peers");
    if (!hosts || !peers) return std::nullopt;
    for (std::size_t i = 0; i < hosts->size(); ++i) {
      route.hosts.push_back(hosts->getElement<std::string>(static_cast<unsigned>(i)));
    }
    for (std::size_t i = 0; i < peers->size(); ++i) {
      route.peers.push_back(peer_from(*peers->getObject(static_cast<unsigned>(i))));
    }
    route.maintenance = object->optValue("maintenance", false);
    route.shared = object->optValue("shared", true);
    return route;
  } catch (const Poco::Exception&) {
    return std::nullopt;
  }
}

std::string complaint(const Route& route) {
  for (const auto& host : route.hosts) {
    if (!is_host_name(host)) return "\"" + host + "\" is not a host name";
  }
  for (const auto& peer : route.peers) {
    if (!peer.path.empty()) {
      if (peer.path.front() != '/' || peer.path.size() > kLongestSocket ||
          peer.path.find_first_of(" \t\r\n\"'\\;{}$?&#") != std::string::npos) {
        return "\"" + peer.path + "\" is not a socket that nginx can reach";
      }
    } else if (!is_address(peer.host) || peer.port == 0) {
      return "\"" + peer.label() + "\" is not an address and a port";
    }
  }
  return {};
}

}  // namespace davit::nginx
