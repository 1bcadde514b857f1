// authorized_keys: see the header.
#include "commands/authorized_keys.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace davit {
namespace {

constexpr std::string_view kMark = " git:ssh ";
constexpr std::size_t kMaxKeyBytes = 16 * 1024;

bool is_key_type(std::string_view word) {
  return word.starts_with("ssh-") || word.starts_with("ecdsa-sha2-") || word.starts_with("sk-");
}

/// `"` and `\` as sshd reads them inside an option's quotes.
std::string option_quote(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

Result<> check_key_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool good =
      !name.empty() && name.size() <= 64 && letter(name.front()) && std::ranges::all_of(name, [&](char c) {
        return letter(c) || c == '.' || c == '_' || c == '@' || c == '-';
      });
  if (good) return {};
  return fail(Code::kInvalid, fmt::format("{} cannot be the name of a key", name),
              "Letters, digits and . _ @ - are allowed, at most 64");
}

Result<AuthorizedKey> parse_public_key(std::string_view name, std::string_view text) {
  DAVIT_TRY(check_key_name(name));
  if (text.size() > kMaxKeyBytes)
    return fail(Code::kInvalid, "Key specified in is not a valid ssh public key");
  std::vector<std::string> lines;
  for (const std::string& line : split_lines(text)) {
    if (!trim(line).empty() && !trim(line).starts_with('#')) lines.push_back(line);
  }
  if (lines.empty())
    return fail(Code::kInvalid, "Empty key was specified",
                "Name a file, or give the key on stdin: davit ssh-keys:add NAME < key.pub");
  if (lines.size() > 1) {
    const bool is_private = lines.front().starts_with("-----BEGIN");
    return fail(Code::kInvalid,
                is_private ? "This is a private key: give the public one"
                           : "Too many keys provided, give one at a time",
                is_private ? "Its name ends in .pub" : "");
  }
  const auto words = split_words(lines.front());
  std::string blob;
  if (words.size() < 2 || !is_key_type(words[0]) || !base64_decode(words[1], blob)) {
    return fail(Code::kInvalid, "Key specified in is not a valid ssh public key",
                "Give one line such as: ssh-ed25519 AAAA... name, without options");
  }
  return AuthorizedKey{std::string(name), words[0], words[1], words.size() > 2 ? words[2] : ""};
}

std::vector<AuthorizedKey> davit_keys(std::string_view file_text) {
  std::vector<AuthorizedKey> keys;
  for (const std::string& line : split_lines(file_text)) {
    if (!line.starts_with("command=\"")) continue;
    const auto mark = line.find(kMark);
    const auto end = line.find("\",", mark == std::string::npos ? 0 : mark);
    if (mark == std::string::npos || end == std::string::npos) continue;
    AuthorizedKey key;
    key.name = line.substr(mark + kMark.size(), end - mark - kMark.size());
    const auto words = split_words(std::string_view(line).substr(end));
    if (!check_key_name(key.name) || words.size() < 3) continue;
    key.type = words[1];
    key.blob = words[2];
    if (words.size() > 3) key.comment = words[3];
    keys.push_back(std::move(key));
  }
  return keys;
}

std::string authorized_line(const AuthorizedKey& key, const Home& home, const Installation& installation) {
  std::string command = fmt::format("DAVIT_HOME={} DAVIT_ETC={} {}{}{}", shell_quote(home.root.string()),
                                    shell_quote(home.plugins_toml.parent_path().string()),
                                    shell_quote(installation.davit().string()), kMark, key.name);
  return fmt::format("command=\"{}\",restrict,pty {} {}{}\n", option_quote(command), key.type, key.blob,
                     key.comment.empty() ? "" : " " + key.comment);
}

}  // namespace davit
