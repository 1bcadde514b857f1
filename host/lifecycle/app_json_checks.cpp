// Reading app.json's healthchecks: names and meanings are dokku's, `status` is ours.
#include "lifecycle/app_manifest.hpp"
#include "lifecycle/checks.hpp"
#include "lifecycle/json_member.hpp"

namespace davit {
namespace {

using nlohmann::json;

constexpr std::size_t kMostStatuses = 64;

const std::vector<std::string>& known_members() {
  static const std::vector<std::string> names{
      "type",    "name",      "description",  "path",        "status",    "content",
      "command", "listening", "uptime",       "attempts",    "port",      "scheme",
      "timeout", "wait",      "initialDelay", "httpHeaders", "onFailure", "warn"};
  return names;
}

Result<> read_seconds(const JsonMember& entry, const char* name, std::uint64_t& ms) {
  const auto member = entry.find(name);
  if (!member) return {};
  const json& value = member->value();
  if (!value.is_number() || !(value.get<double>() >= 0) || value.get<double>() > kMaxCheckSeconds) {
    return member->must_be("a number of seconds from 0 to 3600", fmt::format("\"{}\": 5", name));
  }
  ms = static_cast<std::uint64_t>(value.get<double>() * 1000);
  return {};
}

Result<> read_text(const JsonMember& entry, const char* name, std::string& text) {
  const auto member = entry.find(name);
  if (!member) return {};
  DAVIT_TRY_ASSIGN(text, member->text(fmt::format("\"{}\": \"text\"", name)));
  return {};
}

Result<> read_purpose(const JsonMember& entry, HealthCheck& check) {
  const auto member = entry.find("type");
  if (!member) return {};
  constexpr std::string_view kExample = R"("type": "startup")";
  DAVIT_TRY_ASSIGN(const std::string name, member->text(kExample));
  for (const auto purpose : {CheckPurpose::kStartup, CheckPurpose::kLiveness, CheckPurpose::kReadiness}) {
    if (name == name_of(purpose)) {
      check.purpose = purpose;
      return {};
    }
  }
  return member->must_be("startup, liveness or readiness", kExample);
}

Result<> read_statuses(const JsonMember& entry, HealthCheck& check) {
  const auto member = entry.find("status");
  if (!member) return {};
  constexpr std::string_view kExample = R"("status": 204 or "status": [200, 301])";
  const auto wanted = [&] {
    return member->must_be("a status from 100 to 599, or a list of them", kExample);
  };
  const auto read_one = [&](const JsonMember& one) -> Result<> {
    const auto status = one.count(100, 599, kExample);
    if (!status) return wanted();
    check.statuses.push_back(static_cast<int>(*status));
    return {};
  };
  if (!member->value().is_array()) return read_one(*member);
  if (member->value().empty() || member->value().size() > kMostStatuses) return wanted();
  for (std::size_t i = 0; i < member->value().size(); ++i) DAVIT_TRY(read_one(member->at(i)));
  return {};
}

Result<> read_headers(const JsonMember& entry, HealthCheck& check) {
  const auto member = entry.find("httpHeaders");
  if (!member) return {};
  constexpr std::string_view kExample = R"("httpHeaders": [{"name": "Host", "value": "shop.example.com"}])";
  constexpr std::string_view kWanted = "a list of objects with name and value";
  if (!member->value().is_array()) return member->must_be(kWanted, kExample);
  for (std::size_t i = 0; i < member->value().size(); ++i) {
    const JsonMember header = member->at(i);
    if (!header.value().is_object()) return header.must_be("an object with name and value", kExample);
    DAVIT_TRY(header.allow({"name", "value"}));
    const auto name = header.find("name");
    const auto value = header.find("value");
    if (!name || !value) return header.must_be("an object with name and value", kExample);
    DAVIT_TRY_ASSIGN(const std::string name_text, name->text(kExample));
    DAVIT_TRY_ASSIGN(const std::string value_text, value->text(kExample));
    const bool name_is_good = !name_text.empty() && name_text.find_first_of(" \t\r\n:") == std::string::npos;
    if (!name_is_good) return name->must_be("the name of a header", kExample);
    if (value_text.find_first_of("\r\n") != std::string::npos) return value->must_be("one line", kExample);
    check.headers[name_text] = value_text;
  }
  return {};
}

// Exactly one of path, command, uptime and listening says how it is asked; none of them: as by default.
Result<> read_kind(const JsonMember& entry, const std::string& type, HealthCheck& check) {
  const bool listens = type == "web";
  std::vector<std::string> said;
  for (const char* name : {"path", "command", "uptime"}) {
    if (entry.find(name)) said.emplace_back(name);
  }
  bool listening = false;
  if (const auto member = entry.find("listening")) {
    DAVIT_TRY_ASSIGN(listening, member->boolean(R"("listening": true)"));
    if (listening) said.emplace_back("listening");
  }
  if (said.size() > 1) {
    return entry.refused(fmt::format("says {}, and a check asks in one way", join(said, " and ")),
                         "Make an entry of each");
  }
  const std::string kind = said.empty() ? (listens ? "listening" : "uptime") : said.front();
  if (!listens && (kind == "path" || kind == "listening")) {
    return entry.refused(fmt::format("says {}, but only web has a port that could be asked", kind),
                         "Use command or uptime for " + type);
  }
  if (kind == "path") {
    check.kind = HealthCheck::Kind::kHttp;
    DAVIT_TRY(read_text(entry, "path", check.path));
    const bool good = check.path.starts_with('/') && check.path.find_first_of(" \t\r\n") == std::string::npos;
    if (!good) return entry.find("path")->must_be("a path that begins with /", R"("path": "/health")");
  } else if (kind == "command") {
    check.kind = HealthCheck::Kind::kCommand;
    DAVIT_TRY_ASSIGN(check.command, entry.find("command")->words(R"("command": ["./alive", "--quick"])"));
  } else if (kind == "uptime") {
    check.kind = HealthCheck::Kind::kUptime;
    check.uptime_ms = kDefaultUptimeMs;
    DAVIT_TRY(read_seconds(entry, "uptime", check.uptime_ms));
  }
  for (const char* name : {"status", "content", "httpHeaders"}) {
    if (const auto member = entry.find(name); member && kind != "path") {
      return member->refused("belongs to a check with a path", R"(Add "path": "/health", or leave it out)");
    }
  }
  if (kind == "uptime" && check.purpose != CheckPurpose::kStartup) {
    return entry.refused("asks for the uptime, which says nothing about an instance that runs",
                         "Use path, command or listening for liveness and readiness");
  }
  return {};
}

Result<> read_on_failure(const JsonMember& entry, HealthCheck& check, std::vector<std::string>& warnings) {
  const auto member = entry.find("onFailure");
  if (!member || member->value().is_null()) return {};
  constexpr std::string_view kExample = R"("onFailure": {"command": ["./report-failure"]})";
  DAVIT_TRY(member->require_object(kExample));
  DAVIT_TRY(member->allow({"command", "url"}));
  if (const auto command = member->find("command")) {
    DAVIT_TRY_ASSIGN(check.on_failure, command->words(kExample));
  }
  if (const auto url = member->find("url")) {
    DAVIT_TRY(url->text(kExample));
    warnings.push_back(
        fmt::format("app.json: {} is not called; use a command, which runs in the instance", url->path()));
  }
  return {};
}

// Members that dokku has, and that mean nothing where every instance is given its own port.
Result<> read_port(const JsonMember& entry, std::vector<std::string>& warnings) {
  if (const auto port = entry.find("port")) {
    DAVIT_TRY(port->count(1, 65535, R"("port": 5000)"));
    warnings.push_back(
        fmt::format("app.json: {} is not used: instances are asked on their $PORT", port->path()));
  }
  if (const auto scheme = entry.find("scheme")) {
    constexpr std::string_view kExample = R"("scheme": "http")";
    DAVIT_TRY_ASSIGN(const std::string name, scheme->text(kExample));
    if (name != "http") return scheme->must_be("http: instances speak it behind the proxy", kExample);
  }
  return {};
}

Result<HealthCheck> read_entry(const JsonMember& entry, const std::string& type,
                               std::vector<std::string>& warnings) {
  DAVIT_TRY(entry.require_object(R"({"type": "startup", "path": "/health"})"));
  DAVIT_TRY(entry.allow(known_members()));
  HealthCheck check;
  std::string description;
  DAVIT_TRY(read_purpose(entry, check));
  DAVIT_TRY(read_text(entry, "name", check.name));
  DAVIT_TRY(read_text(entry, "description", description));
  DAVIT_TRY(read_kind(entry, type, check));
  DAVIT_TRY(read_text(entry, "content", check.content));
  DAVIT_TRY(read_statuses(entry, check));
  DAVIT_TRY(read_headers(entry, check));
  DAVIT_TRY(read_port(entry, warnings));
  DAVIT_TRY(read_seconds(entry, "timeout", check.timeout_ms));
  if (check.timeout_ms == 0) check.timeout_ms = kDefaultCheckTimeoutMs;
  DAVIT_TRY(read_seconds(entry, "wait", check.wait_ms));
  DAVIT_TRY(read_seconds(entry, "initialDelay", check.initial_delay_ms));
  DAVIT_TRY(read_on_failure(entry, check, warnings));
  if (const auto attempts = entry.find("attempts")) {
    DAVIT_TRY_ASSIGN(check.attempts, attempts->count(1, 1000, R"("attempts": 3)"));
  }
  if (const auto warn = entry.find("warn")) {
    DAVIT_TRY_ASSIGN(check.warn, warn->boolean(R"("warn": true)"));
  }
  return check;
}

}  // namespace

Result<std::vector<HealthCheck>> read_checks(const JsonMember& list, const std::string& process_type,
                                             std::vector<std::string>& warnings) {
  if (!list.value().is_array()) return list.must_be("a list of checks", R"([{"path": "/health"}])");
  std::vector<HealthCheck> checks;
  for (std::size_t i = 0; i < list.value().size(); ++i) {
    DAVIT_TRY_ASSIGN(HealthCheck check, read_entry(list.at(i), process_type, warnings));
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace davit
