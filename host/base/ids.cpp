// The checks of users' names. No regular expressions: they are slow to start and their errors say nothing.
#include "base/ids.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxNameBytes = 63;
constexpr std::size_t kMaxDomainBytes = 253;
constexpr std::size_t kMaxShownBytes = 80;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower_alnum(char c) {
  return is_lower(c) || is_digit(c);
}
bool is_alnum(char c) {
  return is_lower_alnum(c) || is_upper(c);
}

// A bad name is shown in the error, so it must not break the terminal or flood it.
std::string shown(std::string_view name) {
  const bool cut = name.size() > kMaxShownBytes;
  return json_quote(name.substr(0, kMaxShownBytes)) + (cut ? "..." : "");
}

template <typename Rest>
bool all_of(std::string_view text, Rest rest) {
  return std::all_of(text.begin(), text.end(), rest);
}

// One label of a host name: letters, digits, inner hyphens; underscores occur in real names.
bool is_domain_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxNameBytes) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return all_of(label, [](char c) { return is_lower_alnum(c) || c == '-' || c == '_'; });
}

}  // namespace

Result<> check_app_name(std::string_view name) {
  constexpr std::string_view kRule =
      "Use 1 to 63 of: lower-case letters, digits, - and . (a letter or digit first and last, no ..)";
  if (name.empty()) return fail(Code::kInvalid, "App name is empty", std::string(kRule), "app-name-invalid");
  const bool ok = name.size() <= kMaxNameBytes && is_lower_alnum(name.front()) &&
                  is_lower_alnum(name.back()) && name.find("..") == std::string_view::npos &&
                  all_of(name, [](char c) { return is_lower_alnum(c) || c == '.' || c == '-'; });
  if (ok) return {};
  return fail(Code::kInvalid, fmt::format("App name {} is not valid", shown(name)), std::string(kRule),
              "app-name-invalid");
}

Result<> check_domain(std::string_view domain) {
  std::string_view rest = domain;
  if (rest.starts_with("*.")) rest.remove_prefix(2);
  bool ok = !rest.empty() && domain.size() <= kMaxDomainBytes;
  for (const auto& label : split(rest, '.')) ok = ok && is_domain_label(label);
  if (ok) return {};
  return fail(Code::kInvalid, fmt::format("Domain {} is not valid", shown(domain)),
              "Give a host name in lower case, such as www.example.com or *.example.com", "domain-invalid");
}

Result<> check_config_key(std::string_view key) {
  if (is_identifier(key)) return {};
  return fail(Code::kInvalid, fmt::format("Config key {} is not valid", shown(key)),
              "Use letters, digits and _, and no digit first", "config-key-invalid");
}

Result<> check_process_type(std::string_view type) {
  const bool ok = !type.empty() && type.size() <= kMaxNameBytes && is_alnum(type.front()) &&
                  all_of(type, [](char c) { return is_alnum(c) || c == '_' || c == '-'; });
  if (ok) return {};
  return fail(Code::kInvalid, fmt::format("Process type {} is not valid", shown(type)),
              "Use 1 to 63 letters, digits, _ and -, a letter or digit first", "process-type-invalid");
}

Result<> check_plugin_id(std::string_view id) {
  const bool ok = !id.empty() && id.size() <= kMaxNameBytes && is_lower_alnum(id.front()) &&
                  all_of(id, [](char c) { return is_lower_alnum(c) || c == '-'; });
  if (ok) return {};
  return fail(Code::kInvalid, fmt::format("Plugin id {} is not valid", shown(id)),
              "Use 1 to 63 lower-case letters, digits and -, a letter or digit first", "plugin-id-invalid");
}

std::string instance_id(std::string_view owner, std::string_view revision, std::string_view type,
                        unsigned number) {
  return fmt::format("{}.{}.{}.{}", owner, revision, type, number);
}

}  // namespace davit
