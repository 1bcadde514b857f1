// Which values the output of a build must not show, judged by their names and forms. Pure: the host masks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "davit/text.hpp"

namespace davit::build_env {

/// SECRET, TOKEN, PASSWORD, KEY and their like as a word of the name (words are separated by _), unless
/// another word says that it is public; or one of `more`, patterns as in names.hpp.
bool is_secret_name(std::string_view name, const sdk::Strings& more);

/// PASS of scheme://USER:PASS@HOST.
std::optional<std::string> password_of_url(std::string_view value);

}  // namespace davit::build_env
