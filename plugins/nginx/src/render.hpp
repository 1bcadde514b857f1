// nginx's configuration as text: pure functions from values to the content of files. Nothing here reads a
// file, runs nginx or knows the live state; tree.cpp writes the files and engine.cpp decides when.
//
// Files, all below Settings::root (names are absolute, since a system nginx has a prefix of its own):
//   nginx.conf         the main file of a private nginx; includes http.conf
//   http.conf          what belongs into http{}; a system nginx includes this one
//   listen/*.conf      the listen lines, so that an app's file does not change when an address is added
//   sites/APP.conf     an app's own server block (every app's, when switching by reload)
//   generation.conf    counts reloads
#pragma once

#include <map>
#include <string>

#include "model.hpp"

namespace davit::nginx {

// Relative path -> content of every file that does not belong to one app.
std::map<std::string, std::string> render_shared_files(const Settings& settings, const SharedNeeds& needs);

std::string render_main(const Settings& settings);
std::string render_http(const Settings& settings, const SharedNeeds& needs);
std::string render_generation(const Settings& settings);

// One app's own server block(s). With Switching::kReload the upstream too.
std::string render_site(const Settings& settings, const Site& site);

// Whether the app needs a server block of its own: a value that differs from the global one, a certificate,
// or configuration files of its own; always when switching by reload.
bool needs_own_site(const Settings& settings, const Site& site);

// What a site asks of the shared parts, from the first line of its text ("# davit site ..."), so that a
// thousand sites can be summed up without their inputs. Unknown text: nothing.
void add_needs(const std::string& site_text, SharedNeeds& needs);

}  // namespace davit::nginx
