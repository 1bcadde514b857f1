// What an app gets of the services that it is linked to: composed from the records at each launch, so that no
// release holds an address or a password.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/model.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

namespace davit {

/// Where services answer, on every runtime: a port of loopback that is leased for the service's life.
inline constexpr std::string_view kServiceHost = "127.0.0.1";

/// "postgres://USER:PASS@HOST:PORT/NAME?QUERY": a secret.
std::string service_url(const Service& service, std::string_view querystring = {});

/// The variable of a link: "DATABASE_URL" of "DATABASE".
std::string variable_of(std::string_view alias);

/// The variables of all links of an app.
Result<TextMap> link_variables(Store& store, AppId app);
Result<TextMap> link_variables(Store& store, const std::vector<NewLink>& links);

/// What one link gives.
TextMap variables_of_link(const NewLink& link, const Service& service);

}  // namespace davit
