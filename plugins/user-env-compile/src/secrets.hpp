// Which values the output of a build must not show, judged by their names and forms. Pure: the host masks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/text.hpp"

namespace davit::build_env {

/// KEY, AUTH and their like as a word of the name (words are separated by _), or a word that ends in SECRET,
/// TOKEN or PASSWORD, unless another word says that it is public; or one of `more`, patterns as in names.hpp.
bool is_secret_name(std::string_view name, const sdk::Strings& more);

/// PASS of each scheme://USER:PASS@HOST in the value, and USER of http and https where it is long enough to
/// be a token: https://TOKEN@HOST.
std::vector<std::string> secrets_of_urls(std::string_view value);

}  // namespace davit::build_env
