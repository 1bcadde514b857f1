// What davit must know of the distribution's nginx before it adds to it: is the lua module loaded there, and
// where is its pid. Reads the configuration's outermost level, as nginx does, and nothing inside a block;
// asking nginx itself (`nginx -T`) would parse every site at every command.
#pragma once

#include <filesystem>
#include <string>

namespace davit::nginx {

struct SystemConfig {
  bool has_lua = false;
  std::string pid_file = "/run/nginx.pid";  // nginx's own default on Debian
};

// `config`: the main file; what it includes is looked up beside it. A file that cannot be read counts as
// empty: nginx itself says what is wrong with it.
SystemConfig read_system_config(const std::filesystem::path& config);

}  // namespace davit::nginx
