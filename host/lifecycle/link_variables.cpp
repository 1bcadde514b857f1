// URLs of services, and the variables of links.
#include "lifecycle/link_variables.hpp"

#include <fmt/format.h>

#include "lifecycle/link_change.hpp"

namespace davit {
namespace {

// RFC 3986's unreserved characters stay.
std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace

std::string service_url(const Service& service, std::string_view querystring) {
  std::string url = service.scheme + "://" + percent_encoded(service.username);
  const std::string& password = service.password.reveal();
  if (!password.empty()) url += ":" + percent_encoded(password);
  if (!service.username.empty() || !password.empty()) url += "@";
  url += fmt::format("{}:{}", kServiceHost, service.port);
  if (!service.database.empty()) url += "/" + percent_encoded(service.database);
  if (!querystring.empty()) url += fmt::format("?{}", querystring);
  return url;
}

std::string variable_of(std::string_view alias) {
  return std::string(alias) + "_URL";
}

TextMap variables_of_link(const NewLink& link, const Service& service) {
  TextMap variables{{variable_of(link.alias), service_url(service, link.querystring)}};
  if (link.host_style) {
    variables["DB_HOST"] = kServiceHost;
    variables["DB_PORT"] = std::to_string(service.port);
    variables["DB_USER"] = service.username;
    variables["DB_PASS"] = service.password.reveal();
    variables["DB_NAME"] = service.database;
  }
  return variables;
}

Result<TextMap> link_variables(Store& store, AppId app) {
  DAVIT_TRY_ASSIGN(const auto links, links_now(store, app));
  return link_variables(store, links);
}

Result<TextMap> link_variables(Store& store, const std::vector<NewLink>& links) {
  TextMap variables;
  for (const NewLink& link : links) {
    DAVIT_TRY_ASSIGN(const Service service, store.services().get(link.service));
    variables.merge(variables_of_link(link, service));
  }
  return variables;
}

}  // namespace davit
