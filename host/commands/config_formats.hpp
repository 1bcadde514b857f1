// The forms in which config is printed and read. Values may be any bytes but NUL; every form but JSON keeps
// them all.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/config.hpp"

namespace davit {

/// "exports", "envfile", "shell", "docker-args", "docker-args-keys", "pack-keys", "pretty", "json",
/// "json-list", "keys". Invalid for another name, which lists them.
Result<std::string> format_config(const ConfigMap& config, std::string_view format);

/// `format`: "json"; "envfile" or "exports", which are read alike; "auto" (below). Invalid for another name.
Result<> check_import_format(std::string_view format);

/// An env file (`KEY=value`, `export KEY='value'`, quoted values over several lines, # comments) or, when it
/// begins with
/// `{` or as `format` says, a JSON object. Invalid with the line; a value is never in the message.
Result<ConfigMap> parse_config(std::string_view text, std::string_view format = "auto");

}  // namespace davit
