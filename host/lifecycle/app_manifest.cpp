// Reading app.json's healthchecks and the CHECKS file.
#include "lifecycle/app_manifest.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace davit {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxSeconds = 3600;

Error bad_member(std::string_view type, std::string_view member, std::string_view wanted) {
  return Error{
      Code::kInvalid,
      fmt::format("app.json: healthchecks{}{}: {} must be {}", type.empty() ? "" : ".", type, member, wanted),
      "See the README's section on checks",
      "app-json-invalid",
      {}};
}

Result<> read_seconds(const json& entry, std::string_view type, const char* member, std::uint64_t& ms) {
  const auto it = entry.find(member);
  if (it == entry.end()) return {};
  if (!it->is_number() || it->get<double>() < 0 || it->get<double>() > kMaxSeconds) {
    return fail(bad_member(type, member, "a number of seconds from 0 to 3600"));
  }
  ms = static_cast<std::uint64_t>(it->get<double>() * 1000);
  return {};
}

Result<> read_text(const json& entry, std::string_view type, const char* member, std::string& text) {
  const auto it = entry.find(member);
  if (it == entry.end()) return {};
  if (!it->is_string()) return fail(bad_member(type, member, "a text"));
  text = it->get<std::string>();
  return {};
}

Result<> read_kind(const json& entry, std::string_view type, HealthCheck& check) {
  if (!check.path.empty()) {
    if (check.path.front() != '/') return fail(bad_member(type, "path", "a path that begins with /"));
    check.kind = HealthCheck::Kind::kHttp;
  } else if (const auto command = entry.find("command"); command != entry.end()) {
    if (!command->is_array() || command->empty()) return fail(bad_member(type, "command", "a list of words"));
    for (const json& word : *command) {
      if (!word.is_string()) return fail(bad_member(type, "command", "a list of words"));
      check.command.push_back(word.get<std::string>());
    }
    check.kind = HealthCheck::Kind::kCommand;
  } else if (entry.contains("uptime")) {
    DAVIT_TRY(read_seconds(entry, type, "uptime", check.uptime_ms));
    check.kind = HealthCheck::Kind::kUptime;
  }
  return {};
}

Result<HealthCheck> read_entry(const json& entry, std::string_view type) {
  if (!entry.is_object()) return fail(bad_member(type, "each entry", "an object"));
  HealthCheck check;
  DAVIT_TRY(read_text(entry, type, "name", check.name));
  DAVIT_TRY(read_text(entry, type, "path", check.path));
  DAVIT_TRY(read_text(entry, type, "content", check.content));
  DAVIT_TRY(read_kind(entry, type, check));
  DAVIT_TRY(read_seconds(entry, type, "timeout", check.timeout_ms));
  DAVIT_TRY(read_seconds(entry, type, "wait", check.wait_ms));
  DAVIT_TRY(read_seconds(entry, type, "initialDelay", check.initial_delay_ms));
  if (const auto it = entry.find("attempts"); it != entry.end()) {
    if (!it->is_number_integer() || it->get<std::int64_t>() < 1 || it->get<std::int64_t>() > 1000) {
      return fail(bad_member(type, "attempts", "a whole number from 1 to 1000"));
    }
    check.attempts = it->get<unsigned>();
  }
  if (const auto it = entry.find("httpHeaders"); it != entry.end() && it->is_array()) {
    for (const json& header : *it) {
      if (header.is_object() && header.contains("name") && header.contains("value") &&
          header["name"].is_string() && header["value"].is_string()) {
        check.headers[header["name"].get<std::string>()] = header["value"].get<std::string>();
      }
    }
  }
  return check;
}

const char* kind_name(HealthCheck::Kind kind) {
  switch (kind) {
    case HealthCheck::Kind::kListening:
      return "listening";
    case HealthCheck::Kind::kHttp:
      return "http";
    case HealthCheck::Kind::kCommand:
      return "command";
    case HealthCheck::Kind::kUptime:
      return "uptime";
  }
  return "listening";
}

HealthCheck::Kind kind_from(std::string_view name) {
  if (name == "http") return HealthCheck::Kind::kHttp;
  if (name == "command") return HealthCheck::Kind::kCommand;
  if (name == "uptime") return HealthCheck::Kind::kUptime;
  return HealthCheck::Kind::kListening;
}

Result<std::uint64_t> whole_number(std::string_view text, std::string_view name, std::size_t line) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > kMaxSeconds) {
    return fail(Code::kInvalid,
                fmt::format("CHECKS:{}: {} must be a whole number from 0 to 3600", line, name),
                "Write for example WAIT=5", "checks-invalid");
  }
  return number;
}

// "PATH [CONTENT]", where PATH may be a URL or //HOST/PATH.
Result<HealthCheck> check_line(std::string_view text, std::size_t line) {
  HealthCheck check;
  const auto blank = text.find_first_of(" \t");
  std::string_view target = text.substr(0, blank);
  if (blank != std::string_view::npos) check.content = std::string(trim(text.substr(blank)));
  const auto scheme = target.find("//");
  const bool has_host = scheme != std::string_view::npos &&
                        (scheme == 0 || target.starts_with("http://") || target.starts_with("https://"));
  if (has_host) {
    const auto slash = target.find('/', scheme + 2);
    check.headers["Host"] =
        std::string(target.substr(scheme + 2, slash == std::string_view::npos ? slash : slash - scheme - 2));
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  if (target.empty() || target.front() != '/') {
    return fail(Code::kInvalid, fmt::format("CHECKS:{}: {} is no path", line, json_quote(target)),
                "A check is a path such as /health, and perhaps a text that must be in the answer",
                "checks-invalid");
  }
  check.kind = HealthCheck::Kind::kHttp;
  check.path = std::string(target);
  return check;
}

}  // namespace

Result<HealthChecks> checks_of_app_json(std::string_view text) {
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded() || !root.is_object()) {
    return fail(Code::kInvalid, "app.json is not a JSON object", "Check it with `jq . app.json`",
                "app-json-invalid");
  }
  HealthChecks checks;
  const auto section = root.find("healthchecks");
  if (section == root.end()) return checks;
  if (!section->is_object()) return fail(bad_member("", "it", "an object of process types"));
  for (const auto& [type, entries] : section->items()) {
    if (!entries.is_array()) return fail(bad_member(type, "it", "a list"));
    for (const json& entry : entries) {
      std::string when = "startup";
      if (entry.is_object()) DAVIT_TRY(read_text(entry, type, "type", when));
      if (when != "startup") continue;
      DAVIT_TRY_ASSIGN(HealthCheck check, read_entry(entry, type));
      checks[type].push_back(std::move(check));
    }
  }
  return checks;
}

Result<HealthChecks> checks_of_checks_file(std::string_view text) {
  HealthChecks checks;
  HealthCheck defaults;
  std::size_t number = 0;
  for (const std::string& raw : split_lines(text)) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    if (equals != std::string_view::npos && is_identifier(line.substr(0, equals))) {
      const auto name = line.substr(0, equals);
      DAVIT_TRY_ASSIGN(const std::uint64_t value, whole_number(trim(line.substr(equals + 1)), name, number));
      if (name == "WAIT") defaults.wait_ms = value * 1000;
      if (name == "TIMEOUT") defaults.timeout_ms = value * 1000;
      if (name == "ATTEMPTS") defaults.attempts = static_cast<unsigned>(value == 0 ? 1 : value);
      continue;
    }
    DAVIT_TRY_ASSIGN(HealthCheck check, check_line(line, number));
    checks["web"].push_back(std::move(check));
  }
  for (HealthCheck& check : checks["web"]) {
    check.wait_ms = defaults.wait_ms;
    check.timeout_ms = defaults.timeout_ms;
    check.attempts = defaults.attempts;
  }
  if (checks["web"].empty()) checks.clear();
  return checks;
}

std::string checks_to_json(const HealthChecks& checks) {
  json root = json::object();
  for (const auto& [type, list] : checks) {
    for (const HealthCheck& check : list) {
      root[type].push_back({{"kind", kind_name(check.kind)},
                            {"name", check.name},
                            {"path", check.path},
                            {"content", check.content},
                            {"headers", check.headers},
                            {"command", check.command},
                            {"initial_delay_ms", check.initial_delay_ms},
                            {"uptime_ms", check.uptime_ms},
                            {"timeout_ms", check.timeout_ms},
                            {"wait_ms", check.wait_ms},
                            {"attempts", check.attempts}});
    }
  }
  return root.dump(-1, ' ', false, json::error_handler_t::replace);
}

HealthChecks checks_from_json(std::string_view text) {
  HealthChecks checks;
  const json root = json::parse(text, nullptr, false);
  if (!root.is_object()) return checks;
  for (const auto& [type, list] : root.items()) {
    for (const json& entry : list) {
      HealthCheck check;
      check.kind = kind_from(entry.value("kind", std::string()));
      check.name = entry.value("name", std::string());
      check.path = entry.value("path", std::string());
      check.content = entry.value("content", std::string());
      check.headers = entry.value("headers", std::map<std::string, std::string>{});
      check.command = entry.value("command", std::vector<std::string>{});
      check.initial_delay_ms = entry.value("initial_delay_ms", check.initial_delay_ms);
      check.uptime_ms = entry.value("uptime_ms", check.uptime_ms);
      check.timeout_ms = entry.value("timeout_ms", check.timeout_ms);
      check.wait_ms = entry.value("wait_ms", check.wait_ms);
      check.attempts = entry.value("attempts", check.attempts);
      checks[type].push_back(std::move(check));
    }
  }
  return checks;
}

}  // namespace davit
