// A line is TYPE: COMMAND. A line that is not is refused rather than skipped: a process that silently is not
// there costs more than a push that says why.
#include "source/procfile.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/core.h>

#include "davit/failure.hpp"

namespace davit::source {
namespace {

constexpr std::size_t kLongestFile = 256 * 1024;
constexpr std::size_t kLongestType = 63;

[[noreturn]] void refuse(std::size_t number, std::string_view why) {
  throw sdk::Failure(DAVIT_INVALID, "procfile-invalid", fmt::format("Procfile, line {}: {}", number, why),
                     "Write each process as TYPE: COMMAND, for example web: node server.js");
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_type(std::string_view text) {
  return !text.empty() && text.size() <= kLongestType &&
         std::isalnum(static_cast<unsigned char>(text.front())) &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

/// What of a bad line may be shown: short and printable.
std::string shown(std::string_view line) {
  std::string out;
  for (const char c : line.substr(0, 60)) out += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  return out;
}

void add_line(sdk::Pairs& types, std::string_view line, std::size_t number) {
  if (line.find('\0') != std::string_view::npos) refuse(number, "it has a NUL byte");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) refuse(number, fmt::format("`{}` has no colon", shown(line)));
  const std::string_view type = trim(line.substr(0, colon));
  const std::string_view command = trim(line.substr(colon + 1));
  if (!is_type(type)) {
    refuse(number, fmt::format("`{}` is not a process type (letters, digits, - and _, at most {})",
                               shown(type), kLongestType));
  }
  if (command.empty()) refuse(number, fmt::format("`{}` has no command", type));
  if (std::ranges::any_of(types, [type](const auto& known) { return known.first == type; })) {
    refuse(number, fmt::format("`{}` stands there already", type));
  }
  types.emplace_back(type, command);
}

}  // namespace

sdk::Pairs parse_procfile(std::string_view text) {
  if (text.size() > kLongestFile) refuse(1, "the file is larger than 256 KiB");
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  sdk::Pairs types;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.front() != '#') add_line(types, line, number);
  }
  return types;
}

}  // namespace davit::source
