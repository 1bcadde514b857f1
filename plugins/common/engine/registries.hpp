// Logins at registries of images: global ones, and those of single apps, which come before them. They are the
// home's (in davit's database, which only its owner reads), and move and go with their app. A password leaves
// only in a request to the engine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "davit/host.hpp"
#include "engine/engine.hpp"

namespace davit::docker {

struct Login {
  std::string server;  ///< "registry.example.com", "localhost:5000"; "docker.io" for Docker's own
  std::string user;
  std::string password;
};

class Registries {
 public:
  explicit Registries(const sdk::Properties& properties) : properties_(properties) {}

  /// What is set for the app itself; for an empty `app` what is set for all. Sorted by server.
  [[nodiscard]] std::vector<Login> own(const std::string& app) const;
  /// What counts for the app: its own, and the global ones of other servers.
  [[nodiscard]] std::vector<Login> effective(const std::string& app) const;
  [[nodiscard]] std::optional<Login> for_image(const std::string& app, const std::string& image) const;
  void put(const std::string& app, const Login& login) const;
  /// False if there is none.
  [[nodiscard]] bool remove(const std::string& app, const std::string& server) const;

 private:
  void write(const std::string& app, const std::vector<Login>& logins) const;
  const sdk::Properties properties_;
};

/// "https://Registry.example.com/v1/" and the like as they are kept: host and port in small letters. Throws
/// for what is no server.
std::string plain_server(const std::string& text);
/// The server that an image's name leads to: "docker.io" where it names none. Pure.
std::string registry_of(const std::string& image);
/// X-Registry-Auth for one server; none for no login.
Headers auth_header(const std::optional<Login>& login);
/// X-Registry-Config for all servers that a build may pull from.
Headers config_header(const std::vector<Login>& logins);

}  // namespace davit::docker
