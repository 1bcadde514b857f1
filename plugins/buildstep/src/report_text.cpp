// Padding and labels follow the core's reports, so that all groups look alike.
#include "report_text.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/core.h>

#include "davit/failure.hpp"

namespace davit::buildstep {
namespace {

constexpr std::size_t kLeastWidth = 31;
constexpr std::string_view kPrefix = "buildpacks-";

std::string label(std::string_view key) {
  std::string text(key);
  std::ranges::replace(text, '-', ' ');
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text + ":";
}

/// Bytes of the UTF-8 character at the front, 0 if it is none.
std::size_t character(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = byte(0) < 0x80                      ? 1
                           : byte(0) >= 0xc2 && byte(0) < 0xe0 ? 2
                           : (byte(0) & 0xf0U) == 0xe0         ? 3
                           : byte(0) >= 0xf0 && byte(0) < 0xf5 ? 4
                                                               : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  return size;
}

}  // namespace

std::string report_text(sdk::Pairs rows) {
  std::ranges::sort(rows);
  std::size_t wide = kLeastWidth;
  for (const auto& [key, value] : rows) wide = std::max(wide, key.size() + 2);
  std::string text;
  for (const auto& [key, value] : rows) {
    std::string line = fmt::format("       {:<{}}{}", label(key), wide, value);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string report_json(const sdk::Pairs& rows) {
  std::map<std::string, std::string> members;
  for (const auto& [key, value] : rows) {
    members[key] = value;
    if (key.starts_with(kPrefix)) members[key.substr(kPrefix.size())] = value;
  }
  std::string text;
  for (const auto& [key, value] : members)
    text += (text.empty() ? "" : ",") + json_text(key) + ":" + json_text(value);
  return "{" + text + "}";
}

std::string report_value(const sdk::Pairs& rows, std::string_view key) {
  std::string valid;
  for (const auto& [name, value] : rows) {
    if (name == key) return value;
    valid += (valid.empty() ? "--" : ", --") + name;
  }
  throw sdk::Failure(DAVIT_INVALID, "flag-invalid",
                     fmt::format("Invalid flag passed, valid flags: {}", valid));
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t size = character(text);
    const char c = text.front();
    if (size == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out + "\"";
}

}  // namespace davit::buildstep
