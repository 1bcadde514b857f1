// See names.hpp.
#include "names.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace davit::docker_plugin {
namespace {

constexpr std::size_t kLongestName = 180;
constexpr std::size_t kLargestEntry = 128 * 1024;  // MAX_ARG_STRLEN
constexpr std::size_t kLargestWhole = 1536 * 1024;

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_part(std::string_view text, bool dots) {
  const auto good = [dots](char c) { return is_alnum(c) || c == '-' || c == '_' || (dots && c == '.'); };
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::ranges::all_of(text, good) && text.find("..") == std::string_view::npos;
}

bool is_good(const InstanceName& name) {
  return is_part(name.owner, true) && is_part(name.revision, false) && is_part(name.type, false) &&
         name.group().size() <= kLongestName;
}

std::string_view take_last(std::string_view& text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view last = text.substr(dot + 1);
  text = text.substr(0, dot);
  return last;
}

std::uint32_t number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? number : 0;
}

/// "d10" as ("d", 10): deployments are counted.
std::pair<std::string_view, std::uint32_t> revision_key(std::string_view revision) {
  const std::size_t digits = revision.find_first_of("0123456789");
  if (digits == std::string_view::npos) return {revision, 0};
  return {revision.substr(0, digits), number_of(revision.substr(digits))};
}

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
  throw sdk::Failure(DAVIT_INVALID, "environment", message, hint);
}

}  // namespace

bool comes_before(const InstanceName& a, const InstanceName& b) {
  return std::tuple(revision_key(a.revision), a.revision, a.type, a.number) <
         std::tuple(revision_key(b.revision), b.revision, b.type, b.number);
}

std::string owner_word(std::uint32_t owner_kind) {
  return owner_kind == DAVIT_OWNER_SERVICE ? "service" : "app";
}

bool is_detached_run(std::string_view revision, std::string_view type) {
  return type == "run" && revision.starts_with('r') && number_of(revision.substr(1)) != 0;
}

std::optional<InstanceName> parse_instance(std::string_view text) {
  InstanceName name;
  name.number = number_of(take_last(text));
  name.type = take_last(text);
  name.revision = take_last(text);
  name.owner = text;
  if (name.number == 0 || !is_good(name)) return std::nullopt;
  return name;
}

void check_group(const sdk::Group& group) {
  if (is_good(InstanceName{group.owner, group.revision, group.process_type, 0, group.owner_kind})) return;
  throw sdk::Failure(DAVIT_INVALID, "group-name",
                     "the group " + group.owner + "." + group.revision + "." + group.process_type +
                         " has a name that cannot be used for containers",
                     "use letters, digits, - and _ for process types; dots only in an app's name");
}

Labels instance_labels(const std::string& home_id, const InstanceName& name) {
  return {{kLabelHome, home_id},
          {kLabelKind, "instance"},
          {kLabelOwnerKind, owner_word(name.owner_kind)},
          {kLabelOwner, name.owner},
          {kLabelRevision, name.revision},
          {kLabelType, name.type},
          {kLabelNumber, std::to_string(name.number)}};
}

std::optional<InstanceName> name_in(const std::string& home_id, const Labels& labels) {
  const auto value = [&labels](const char* key) {
    const auto at = labels.find(key);
    return at == labels.end() ? std::string() : at->second;
  };
  if (value(kLabelHome) != home_id || value(kLabelKind) != "instance") return std::nullopt;
  InstanceName name{value(kLabelOwner), value(kLabelRevision), value(kLabelType),
                    number_of(value(kLabelNumber)),
                    value(kLabelOwnerKind) == "service" ? DAVIT_OWNER_SERVICE : DAVIT_OWNER_APP};
  if (name.number == 0 || !is_good(name)) return std::nullopt;
  return name;
}

bool matches(const sdk::Selector& selector, const InstanceName& name) {
  return name.owner_kind == selector.owner_kind && name.owner == selector.owner &&
         (selector.revision.empty() || name.revision == selector.revision) &&
         (selector.process_type.empty() || name.type == selector.process_type) &&
         (selector.number == 0 || name.number == 0 || name.number == selector.number);
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
    const unsigned char head = byte(i);
    const std::size_t length = head < 0x80                   ? 1
                               : head >= 0xc2 && head < 0xe0 ? 2
                               : head >= 0xe0 && head < 0xf0 ? 3
                               : head >= 0xf0 && head < 0xf5 ? 4
                                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    }
    if (head == 0xe0 && byte(i + 1) < 0xa0) return false;
    if (head == 0xed && byte(i + 1) > 0x9f) return false;
    if (head == 0xf0 && byte(i + 1) < 0x90) return false;
    if (head == 0xf4 && byte(i + 1) > 0x8f) return false;
    i += length;
  }
  return true;
}

void check_environment(const sdk::Pairs& env) {
  std::size_t whole = 0;
  for (const auto& [key, value] : env) {
    if (key.empty() || key.find('=') != std::string::npos || key.find('\0') != std::string::npos ||
        !is_utf8(key))
      refuse("a variable has no name, or one with =, NUL or bytes that are not UTF-8",
             "unset it and choose another name");
    if (value.find('\0') != std::string::npos)
      refuse("the variable " + key + " holds a NUL byte, which no process can be given",
             "encode it, for example as base64");
    if (!is_utf8(value)) {
      refuse("the variable " + key + " is not UTF-8 text, and the engine's API takes nothing else",
             "encode it, for example as base64");
    }
    if (key.size() + value.size() + 2 > kLargestEntry) {
      refuse("the variable " + key + " has " + std::to_string(value.size()) +
                 " bytes; the kernel gives a process at most 128 KiB in one variable",
             "put the data into a file, or split it");
    }
    whole += key.size() + value.size() + 2;
  }
  if (whole > kLargestWhole) {
    refuse(
        "all variables together have " + std::to_string(whole) + " bytes; a process is given at most 1.5 MiB",
        "put large values into files");
  }
}

void set_default(sdk::Pairs& env, std::string_view key, std::string_view value) {
  if (std::ranges::none_of(env, [&](const auto& entry) { return entry.first == key; }))
    env.emplace_back(key, value);
}

void set_value(sdk::Pairs& env, std::string_view key, std::string_view value) {
  const auto at = std::ranges::find_if(env, [&](const auto& entry) { return entry.first == key; });
  if (at == env.end()) {
    env.emplace_back(key, value);
  } else {
    at->second = value;
  }
}

}  // namespace davit::docker_plugin
