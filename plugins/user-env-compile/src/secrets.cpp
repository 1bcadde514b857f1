// See secrets.hpp.
#include "secrets.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "names.hpp"

namespace davit::build_env {
namespace {

constexpr std::array<std::string_view, 13> kSecretWords{
    "APIKEY", "AUTH", "CREDENTIAL", "CREDENTIALS", "CREDS", "DSN", "KEY",
    "KEYS",   "PASS", "PASSPHRASE", "PRIVATE",     "PWD",   "SALT"};
// Nothing harmless ends in them: PGPASSWORD, OAUTHTOKEN.
constexpr std::array<std::string_view, 7> kSecretEnds{"PASSWD",  "PASSWORD", "PASSWORDS", "SECRET",
                                                      "SECRETS", "TOKEN",    "TOKENS"};
constexpr std::size_t kLeastTokenBytes = 16;

bool is_secret_word(std::string_view word) {
  return std::ranges::find(kSecretWords, word) != kSecretWords.end() ||
         std::ranges::any_of(kSecretEnds, [word](std::string_view end) { return word.ends_with(end); });
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
    secret = secret || is_secret_word(word);
    begin = end + 1;
  }
  return secret;
}

std::vector<std::string> secrets_of_urls(std::string_view value) {
  std::vector<std::string> secrets;
  const auto add = [&secrets](std::string_view secret) { secrets.emplace_back(secret); };
  for (std::size_t at = value.find("://"); at != std::string_view::npos; at = value.find("://", at + 3)) {
    const std::string_view before = value.substr(0, at);
    const bool is_http = before.ends_with("http") || before.ends_with("https");
    std::string_view user = value.substr(at + 3);
    user = user.substr(0, user.find_first_of("/?# \t\r\n"));
    const std::size_t end = user.rfind('@');
    if (end == std::string_view::npos) continue;
    user = user.substr(0, end);
    const std::size_t colon = std::min(user.find(':'), user.size());
    if (colon + 1 < user.size()) add(user.substr(colon + 1));
    if (is_http && colon >= kLeastTokenBytes) add(user.substr(0, colon));
  }
  return secrets;
}

}  // namespace davit::build_env
