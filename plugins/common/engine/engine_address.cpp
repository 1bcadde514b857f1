// See engine_address.hpp.
#include "engine/engine_address.hpp"

#include <unistd.h>

#include <cstdlib>

#include "davit/failure.hpp"

namespace davit::docker {
namespace {

std::string path_of(const std::string& address) {
  constexpr std::string_view kUnix = "unix://";
  std::string path = address.starts_with(kUnix) ? address.substr(kUnix.size()) : address;
  if (path.starts_with('/')) return path;
  throw sdk::Failure(
      DAVIT_UNSUPPORTED, "engine-address",
      "the setting `socket` is " + address + ", and davit speaks to an engine on this machine only",
      "name a unix socket, such as unix:///run/docker.sock: builds mount folders of this machine");
}

}  // namespace

std::vector<std::string> usual_sockets() {
  std::vector<std::string> places{"/run/docker.sock", "/var/run/docker.sock"};
  if (const char* run = std::getenv("XDG_RUNTIME_DIR"); run != nullptr && *run == '/') {
    places.push_back(std::string(run) + "/docker.sock");
    places.push_back(std::string(run) + "/podman/podman.sock");
  }
  places.emplace_back("/run/podman/podman.sock");
  return places;
}

std::string choose_socket(const std::string& setting, const std::vector<std::string>& usual) {
  if (!setting.empty()) return path_of(setting);
  for (const std::string& place : usual) {
    if (access(place.c_str(), F_OK) == 0) return place;
  }
  return usual.front();
}

}  // namespace davit::docker
