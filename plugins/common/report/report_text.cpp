// Padding and labels follow the core's reports, so that all groups look alike.
#include "report/report_text.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/core.h>

#include "davit/failure.hpp"

namespace davit::reports {
namespace {

constexpr std::size_t kLeastWidth = 31;

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

std::string report_json(const sdk::Pairs& rows, std::string_view group) {
  const std::string prefix = std::string(group) + "-";
  std::map<std::string, std::string> members;
  for (const auto& [key, value] : rows) {
    members[key] = value;
    if (key.starts_with(prefix)) members[key.substr(prefix.size())] = value;
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

bool wants_json(const sdk::Command& command) {
  const std::string format = command.flag("format").value_or("text");
  if (format != "text" && format != "json") {
    throw sdk::Failure(DAVIT_INVALID, "format-invalid", fmt::format("Invalid format specified: {}", format),
                       "Use --format text or --format json");
  }
  return format == "json";
}

int show_reports(const sdk::Host& host, const sdk::Call& call, const sdk::Command& command,
                 std::string_view group, const std::function<sdk::Pairs(const std::string& app)>& rows_of) {
  std::string wanted;
  for (const auto& [flag, value] : command.flags) {
    if (flag.starts_with(std::string(group) + "-")) wanted = flag;
  }
  const bool json = wants_json(command);
  if (!wanted.empty() && command.has("format")) {
    throw sdk::Failure(DAVIT_INVALID, "flags-conflict",
                       "--format flag cannot be specified when specifying an info flag");
  }
  const bool global = command.has("global");
  const bool single = global || !command.arg(0).empty();
  if (!global && single) (void)host.apps(call).report(command.arg(0));  // it says when there is no such app
  const sdk::Strings apps = single ? sdk::Strings{global ? "" : command.arg(0)} : host.apps(call).names();
  if (apps.empty() && !json) call.warning("You haven't deployed any applications yet");
  std::string all;
  for (const std::string& app : apps) {
    const sdk::Pairs report = rows_of(app);
    if (json) {
      all += single ? report_json(report, group)
                    : (all.empty() ? "" : ",") + json_text(app) + ":" + report_json(report, group);
    } else if (!wanted.empty()) {
      call.result_line(report_value(report, wanted));
    } else {
      call.header(fmt::format("{} {} information", app.empty() ? "Global" : app, group));
      call.result(report_text(report));
    }
  }
  if (json) call.result_line(single ? all : "{" + all + "}");
  return 0;
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

}  // namespace davit::reports
