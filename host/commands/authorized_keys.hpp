// authorized_keys: OpenSSH's own file is the record of who may push; names live in its lines. Lines that are
// not ours are kept as they are and never shown. Pure on the file's text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/paths.hpp"
#include "base/result.hpp"

namespace davit {

struct AuthorizedKey {
  std::string name;
  std::string type;     ///< "ssh-ed25519"
  std::string blob;     ///< base64
  std::string comment;  ///< may be empty
};

/// `^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`: it stands in a line of the file and in a command.
Result<> check_key_name(std::string_view name);

/// One public key, as `ssh-keygen` writes it: "TYPE BASE64 [COMMENT]". Options in front are refused. Only the
/// form is checked; whether the key is one, ssh-keygen says.
Result<AuthorizedKey> parse_public_key(std::string_view name, std::string_view text);

/// The keys that davit wrote, in the file's order.
std::vector<AuthorizedKey> davit_keys(std::string_view file_text);

/// The line for a key: the forced command runs `davit git:ssh NAME` with this home, and nothing else is
/// allowed but a terminal (for `enter`).
std::string authorized_line(const AuthorizedKey& key, const Home& home, const Installation& installation);

/// The text without the keys for which `gone` says true; other lines stay byte for byte.
template <typename Gone>
std::string without_keys(std::string_view file_text, const Gone& gone);

}  // namespace davit

// --- implementation of the template
// -----------------------------------------------------------------------------

namespace davit {

template <typename Gone>
std::string without_keys(std::string_view file_text, const Gone& gone) {
  std::string kept;
  while (!file_text.empty()) {
    const auto end = file_text.find('\n');
    const std::string_view line =
        file_text.substr(0, end == std::string_view::npos ? file_text.size() : end + 1);
    const auto keys = davit_keys(line);
    if (keys.empty() || !gone(keys.front())) kept += line;
    file_text.remove_prefix(line.size());
  }
  return kept;
}

}  // namespace davit
