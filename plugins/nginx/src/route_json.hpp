// A route as JSON: what the control socket takes, what the files of the table hold, what a token carries.
#pragma once

#include <optional>
#include <string>

#include "model.hpp"

namespace davit::nginx {

std::string to_json(const Route& route);

// Nothing if the text is not such a route.
std::optional<Route> route_from_json(const std::string& text);

// Empty, or why nginx could not take the route: a host name or an instance that is not one.
std::string complaint(const Route& route);

}  // namespace davit::nginx
