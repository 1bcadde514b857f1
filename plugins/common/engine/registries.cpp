// See registries.hpp.
#include "engine/registries.hpp"

#include <Poco/Base64Encoder.h>

#include <algorithm>
#include <sstream>

#include "engine/asking.hpp"

namespace davit::docker {
namespace {

constexpr const char* kGroup = "registry";
constexpr const char* kKey = "logins";
constexpr const char* kHub = "docker.io";
constexpr const char* kHubKey = "https://index.docker.io/v1/";  // what the engine looks Docker's own up by

std::string base64url(const std::string& text) {
  std::ostringstream out;
  Poco::Base64Encoder encoder(out, Poco::BASE64_URL_ENCODING);
  encoder.rdbuf()->setLineLength(0);
  encoder << text;
  encoder.close();
  return out.str();
}

std::string server_for_engine(const std::string& server) {
  return server == kHub ? kHubKey : server;
}

}  // namespace

std::vector<Login> Registries::own(const std::string& app) const {
  std::vector<Login> logins;
  for (const std::string& item : properties_.list(app, kGroup, kKey)) {
    const Json json = Json::parse(item, nullptr, false);
    if (!json.is_object()) continue;
    logins.push_back({text_in(json, "server"), text_in(json, "user"), text_in(json, "password")});
  }
  std::ranges::sort(logins, {}, &Login::server);
  return logins;
}

std::vector<Login> Registries::effective(const std::string& app) const {
  std::vector<Login> logins = app.empty() ? std::vector<Login>() : own(app);
  for (Login& login : own("")) {
    if (std::ranges::find(logins, login.server, &Login::server) == logins.end())
      logins.push_back(std::move(login));
  }
  std::ranges::sort(logins, {}, &Login::server);
  return logins;
}

std::optional<Login> Registries::for_image(const std::string& app, const std::string& image) const {
  const std::vector<Login> logins = effective(app);
  const auto found = std::ranges::find(logins, registry_of(image), &Login::server);
  return found == logins.end() ? std::nullopt : std::optional(*found);
}

void Registries::write(const std::string& app, const std::vector<Login>& logins) const {
  sdk::Strings items;
  for (const Login& login : logins)
    items.push_back(
        Json{{"server", login.server}, {"user", login.user}, {"password", login.password}}.dump());
  properties_.set_list(app, kGroup, kKey, items);
}

void Registries::put(const std::string& app, const Login& login) const {
  std::vector<Login> logins = own(app);
  std::erase_if(logins, [&](const Login& known) { return known.server == login.server; });
  logins.push_back(login);
  write(app, logins);
}

bool Registries::remove(const std::string& app, const std::string& server) const {
  std::vector<Login> logins = own(app);
  if (std::erase_if(logins, [&](const Login& known) { return known.server == server; }) == 0) return false;
  write(app, logins);
  return true;
}

std::string plain_server(const std::string& text) {
  std::string server = text;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (server.starts_with(scheme)) server.erase(0, scheme.size());
  }
  server = server.substr(0, server.find('/'));
  std::ranges::transform(server, server.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (server == "index.docker.io" || server == "registry-1.docker.io" || server == "hub.docker.com")
    return kHub;
  if (server.empty() ||
      server.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != std::string::npos)
    throw sdk::Failure(DAVIT_INVALID, "server", "'" + text + "' is no name of a registry's server",
                       "for example registry.example.com, or localhost:5000");
  return server;
}

std::string registry_of(const std::string& image) {
  const std::size_t slash = image.find('/');
  const std::string first = image.substr(0, slash);
  const bool is_server =
      slash != std::string::npos && (first.find_first_of(".:") != std::string::npos || first == "localhost");
  return is_server ? plain_server(first) : kHub;
}

Headers auth_header(const std::optional<Login>& login) {
  if (!login) return {};
  const Json auth{{"username", login->user},
                  {"password", login->password},
                  {"serveraddress", server_for_engine(login->server)}};
  return {{"X-Registry-Auth", base64url(auth.dump())}};
}

Headers config_header(const std::vector<Login>& logins) {
  if (logins.empty()) return {};
  Json all = Json::object();
  for (const Login& login : logins)
    all[server_for_engine(login.server)] = {{"username", login.user}, {"password", login.password}};
  return {{"X-Registry-Config", base64url(all.dump())}};
}

}  // namespace davit::docker
