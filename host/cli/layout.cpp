// Columns and reports: see the header.
#include "cli/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "cli/json.hpp"

namespace davit {
namespace {

constexpr std::size_t kReportKeyWidth = 31;  // dokku's least width of a report's key, colon included

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// "ps-restart-policy" as a label: "Ps restart policy:".
std::string label(std::string_view key) {
  std::string text(key);
  std::ranges::replace(text, '-', ' ');
  std::ranges::replace(text, '.', ' ');
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text + ":";
}

}  // namespace

std::string columns(const std::vector<std::vector<std::string>>& rows, std::string_view indent) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line(indent);
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] + 2 - width(row[i]), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string Report::header() const {
  return fmt::format("{} {} information", subject_, type_);
}

std::string Report::text() const {
  auto rows = rows_;
  std::ranges::sort(rows);
  std::size_t wide = kReportKeyWidth;
  for (const auto& [key, value] : rows) wide = std::max(wide, key.size() + 2);  // as a flag, with its dashes
  std::string text;
  for (const auto& [key, value] : rows) {
    std::string line = fmt::format("       {:<{}}{}", label(key), wide, value);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string Report::json() const {
  std::map<std::string, std::string> members;
  const std::string prefix = type_ + "-";
  for (const auto& [key, value] : rows_) {
    members[key] = value;
    if (key.starts_with(prefix)) members[key.substr(prefix.size())] = value;
  }
  JsonObject object;
  for (const auto& [key, value] : members) object.text(key, value);
  return object.str();
}

Result<std::string> Report::value(std::string_view flag) const {
  const std::string_view key = flag.starts_with("--") ? flag.substr(2) : flag;
  const auto found = std::ranges::find(rows_, key, &std::pair<std::string, std::string>::first);
  if (found != rows_.end()) return found->second;
  std::vector<std::string> valid;
  for (const auto& [name, value] : rows_) valid.push_back("--" + name);
  std::ranges::sort(valid);
  return fail(Code::kInvalid, fmt::format("Invalid flag passed, valid flags: {}", join(valid, ", ")));
}

}  // namespace davit
