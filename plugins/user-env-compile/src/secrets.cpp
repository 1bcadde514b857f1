// See secrets.hpp.
#include "secrets.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "names.hpp"

namespace davit::build_env {
namespace {

constexpr std::array<std::string_view, 18> kSecretWords{
    "APIKEY",     "AUTH",   "CREDENTIAL", "CREDENTIALS", "CREDS", "DSN",  "KEY",    "KEYS",  "PASS",
    "PASSPHRASE", "PASSWD", "PASSWORD",   "PRIVATE",     "PWD",   "SALT", "SECRET", "TOKEN", "TOKENS"};

bool is_one_of(std::string_view word, const auto& words) {
  return std::ranges::find(words, word) != words.end();
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

}  // namespace

bool is_secret_name(std::string_view name, const sdk::Strings& more) {
  if (matches_any(more, name)) return true;
  if (name == "PWD" || name == "OLDPWD") return false;  // where a shell stands
  const std::string words = upper(name);
  bool secret = false;
  for (std::size_t begin = 0; begin <= words.size();) {
    const std::size_t end = std::min(words.find('_', begin), words.size());
    const std::string_view word = std::string_view(words).substr(begin, end - begin);
    if (word == "PUBLIC" || word == "PUBLISHABLE") return false;
    secret = secret || is_one_of(word, kSecretWords);
    begin = end + 1;
  }
  return secret;
}

std::optional<std::string> password_of_url(std::string_view value) {
  const std::size_t scheme = value.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  std::string_view authority = value.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?# \t\r\n"));
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view user = authority.substr(0, at);
  const std::size_t colon = user.find(':');
  if (colon == std::string_view::npos || colon + 1 == user.size()) return std::nullopt;
  return std::string(user.substr(colon + 1));
}

}  // namespace davit::build_env
