// The parts of a server block that the shared one and an app's own one have in common. Internal to the
// renderer.
#pragma once

#include <string>

#include "config_text.hpp"
#include "model.hpp"

namespace davit::nginx {

// The value of a declared key, or its default when it is empty or missing.
std::string value_of(const Properties& properties, std::string_view key);

// "[::1]" for an IPv6 address, everything else as it is.
std::string bracketed(const std::string& address);

// Limits, timeouts, logs and compression. `app` is the fixed app's name, or empty in the shared block.
void write_server_basics(ConfigText& out, const Settings& settings, const Properties& properties,
                         const std::string& app);

// What every proxied request is sent with. Client's values of these headers are dropped unless a property
// says so.
void write_proxy_directives(ConfigText& out, const Properties& properties);

// location / with the given access statement ("" for none) and the error pages.
void write_locations(ConfigText& out, const Settings& settings, const Properties& properties,
                     const std::string& access, const std::string& upstream);

// HSTS as the properties say; nothing when it is off.
void write_hsts(ConfigText& out, const Properties& properties);

}  // namespace davit::nginx
