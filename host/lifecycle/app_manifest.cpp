// The CHECKS file, and how checks are kept with a release.
#include "lifecycle/app_manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace davit {
namespace {

using nlohmann::json;

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

CheckPurpose purpose_from(std::string_view name) {
  if (name == "liveness") return CheckPurpose::kLiveness;
  if (name == "readiness") return CheckPurpose::kReadiness;
  return CheckPurpose::kStartup;
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
  if (error != std::errc{} || end != text.data() + text.size() || number > kMaxCheckSeconds) {
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

std::string_view name_of(CheckPurpose purpose) {
  switch (purpose) {
    case CheckPurpose::kStartup:
      return "startup";
    case CheckPurpose::kLiveness:
      return "liveness";
    case CheckPurpose::kReadiness:
      return "readiness";
  }
  return "startup";
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
      if (name == "TIMEOUT") defaults.timeout_ms = value == 0 ? kDefaultCheckTimeoutMs : value * 1000;
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
      root[type].push_back({{"type", name_of(check.purpose)},
                            {"kind", kind_name(check.kind)},
                            {"name", check.name},
                            {"path", check.path},
                            {"content", check.content},
                            {"statuses", check.statuses},
                            {"headers", check.headers},
                            {"command", check.command},
                            {"initial_delay_ms", check.initial_delay_ms},
                            {"uptime_ms", check.uptime_ms},
                            {"timeout_ms", check.timeout_ms},
                            {"wait_ms", check.wait_ms},
                            {"attempts", check.attempts},
                            {"warn", check.warn},
                            {"on_failure", check.on_failure}});
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
      check.purpose = purpose_from(entry.value("type", std::string()));
      check.kind = kind_from(entry.value("kind", std::string()));
      check.name = entry.value("name", std::string());
      check.path = entry.value("path", std::string());
      check.content = entry.value("content", std::string());
      check.statuses = entry.value("statuses", std::vector<int>{});
      check.headers = entry.value("headers", std::map<std::string, std::string>{});
      check.command = entry.value("command", std::vector<std::string>{});
      check.initial_delay_ms = entry.value("initial_delay_ms", check.initial_delay_ms);
      check.uptime_ms = entry.value("uptime_ms", check.uptime_ms);
      check.timeout_ms = entry.value("timeout_ms", check.timeout_ms);
      if (check.timeout_ms == 0) check.timeout_ms = kDefaultCheckTimeoutMs;  // of a release of before
      check.wait_ms = entry.value("wait_ms", check.wait_ms);
      check.attempts = entry.value("attempts", check.attempts);
      check.warn = entry.value("warn", false);
      check.on_failure = entry.value("on_failure", std::vector<std::string>{});
      checks[type].push_back(std::move(check));
    }
  }
  return checks;
}

std::vector<HealthCheck> checks_of(const HealthChecks& checks, std::string_view process_type,
                                   CheckPurpose purpose) {
  std::vector<HealthCheck> found;
  const auto it = checks.find(process_type);
  if (it == checks.end()) return found;
  std::ranges::copy_if(it->second, std::back_inserter(found),
                       [&](const HealthCheck& check) { return check.purpose == purpose; });
  return found;
}

bool has_watched_checks(const HealthChecks& checks) {
  return std::ranges::any_of(checks, [](const auto& item) {
    return std::ranges::any_of(
        item.second, [](const HealthCheck& check) { return check.purpose != CheckPurpose::kStartup; });
  });
}

}  // namespace davit
