// Units as values: names, and the bytes that davit-unit reads.
#include "supervise/unit.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace davit {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

Result<> check_strings(const Unit& unit) {
  const auto bad = [](std::string_view what) {
    return fail(Code::kInvalid, fmt::format("unit has a NUL byte or an illegal key in its {}", what));
  };
  if (std::ranges::any_of(unit.argv, has_nul)) return bad("command line");
  for (const auto& [key, value] : unit.env) {
    if (key.empty() || has_nul(key) || key.find('=') != std::string::npos || has_nul(value))
      return bad("environment");
  }
  if (has_nul(unit.cwd) || unit.cwd.empty() || unit.cwd.front() != '/') return bad("working directory");
  if (unit.log && (has_nul(unit.log->dir.native()) || !unit.log->dir.is_absolute())) return bad("log folder");
  return {};
}

class SpecWriter {
 public:
  void put(std::string_view key, std::string_view value) {
    bytes_.append(key).append("=").append(value).push_back('\0');
  }
  template <typename Number>
  void number(std::string_view key, Number value) {
    put(key, fmt::format("{}", value));
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

void put_identity(SpecWriter& spec, const Unit& unit) {
  spec.number("drop", unit.run_as ? 1 : 0);
  if (unit.run_as) {
    spec.number("uid", unit.run_as->uid);
    spec.number("gid", unit.run_as->gid);
    for (const auto group : unit.run_as->groups) spec.number("group", group);
  }
  if (unit.log_owner) {
    spec.number("log_owner", *unit.log_owner);
  } else if (unit.run_as) {
    spec.number("log_owner", unit.run_as->uid);
  }
}

void put_limits(SpecWriter& spec, const UnitLimits& limits) {
  if (limits.memory_bytes != 0) spec.number("memory_bytes", limits.memory_bytes);
  if (limits.memory_reserve_bytes != 0) spec.number("memory_reserve_bytes", limits.memory_reserve_bytes);
  if (limits.cpu_quota > 0)
    spec.number("cpu_milli", static_cast<std::uint64_t>(limits.cpu_quota * 1000 + 0.5));
  if (limits.pids != 0) spec.number("pids", limits.pids);
  if (limits.nofile != 0) spec.number("nofile", limits.nofile);
}

}  // namespace

Result<> check_unit_name(std::string_view name) {
  const bool chars =
      std::ranges::all_of(name, [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
  const bool good = !name.empty() && name.size() <= 200 && chars && is_alnum(name.front()) &&
                    is_alnum(name.back()) && name.find("..") == std::string_view::npos;
  if (good) return {};
  return fail(Code::kInvalid,
              "unit name is empty, too long or has characters other than letters, digits, . _ -",
              "Use a name like shop.d17.web.1", "unit-name");
}

Result<std::string> encode_spec(const Unit& unit) {
  DAVIT_TRY(check_unit_name(unit.name));
  if (unit.argv.empty() || unit.argv.front().empty() || unit.argv.front().front() != '/') {
    return fail(Code::kInvalid, fmt::format("unit {} needs an absolute program in argv[0]", unit.name));
  }
  DAVIT_TRY(check_strings(unit));
  SpecWriter spec;
  spec.put("davit-unit", "1");
  spec.put("name", unit.name);
  spec.put("cwd", unit.cwd);
  put_identity(spec, unit);
  spec.number("stop_signal", unit.stop_signal);
  spec.number("stop_timeout_ms", unit.stop_timeout_ms);
  spec.number("stop_all", unit.stop_all ? 1 : 0);
  spec.number("sandboxed", unit.sandboxed ? 1 : 0);
  if (unit.log) {
    spec.put("log_dir", unit.log->dir.native());
    spec.number("log_max_bytes", std::clamp<std::uint64_t>(unit.log->max_bytes, 4096, 268435455));
    spec.number("log_max_files", unit.log->max_files);
  }
  put_limits(spec, unit.limits);
  spec.number("restart", static_cast<int>(unit.restart));
  spec.number("max_failures", unit.max_failures);
  spec.number("backoff_min_ms", unit.backoff.min_ms);
  spec.number("backoff_max_ms", unit.backoff.max_ms);
  spec.number("quick_ms", unit.backoff.quick_ms);
  spec.number("notify_fd", unit.notify_fd);
  spec.number("umask", unit.umask_bits);
  for (const auto& word : unit.argv) spec.put("arg", word);
  for (const auto& [key, value] : unit.env) spec.put("env", key + "=" + value);
  return spec.take();
}

}  // namespace davit
