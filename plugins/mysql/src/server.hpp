// How a server of MariaDB or MySQL is prepared and served: argv and files. Pure.
#pragma once

#include <span>
#include <string>

#include "davit/service.hpp"

namespace davit::mysql_plugin {

/// The two have the same protocol, and programs of other names.
struct Flavour {
  const char* name;  // versions are NAME-MAJOR.MINOR
  const char *server, *client, *dump;
};
/// MySQL's, then MariaDB's.
std::span<const Flavour> flavours();
const Flavour& flavour_of(const sdk::Service& service);

/// Here by its path; in an image PATH finds it, wherever it is.
std::string at(const sdk::Service& service, const char* path);

void add(sdk::Strings& argv, const sdk::Strings& words);

sdk::Program prepare_of(const sdk::Service& service);
sdk::Program serve_of(const sdk::Service& service);

}  // namespace davit::mysql_plugin
