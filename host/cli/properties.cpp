// Property groups: see the header.
#include "cli/properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/text.hpp"

namespace davit {
namespace {

constexpr std::uint64_t kMaxSeconds = 24 * 60 * 60;
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 50U;

Result<std::uint64_t> number(std::string_view text, std::uint64_t largest) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > largest) {
    return fail(Code::kInvalid, fmt::format("{} is not a number from 0 to {}", text, largest));
  }
  return value;
}

std::string names_of(const PropertyGroup& group) {
  std::vector<std::string> names;
  for (const CliProperty& property : group.properties) names.push_back(property.key);
  std::ranges::sort(names);
  return join(names, ", ");
}

}  // namespace

Result<const CliProperty*> check_property(const PropertyGroup& group, bool global_scope, std::string_view key,
                                          std::string_view value) {
  if (key.empty())
    return fail(Code::kInvalid, "No property specified", fmt::format("Name one of: {}", names_of(group)));
  const auto found = std::ranges::find(group.properties, key, &CliProperty::key);
  if (found == group.properties.end()) {
    return fail(Code::kInvalid,
                fmt::format("Invalid property specified, valid properties include: {}", names_of(group)));
  }
  if (global_scope && !found->global) return fail(Code::kInvalid, "Property cannot be specified globally");
  if (!global_scope && !found->per_app)
    return fail(Code::kInvalid, "Property can only be specified globally");
  // A report shows a value on one line of a terminal.
  if (std::ranges::any_of(value, [](unsigned char c) { return c < 32 || c == 127; }))
    return fail(Code::kInvalid, fmt::format("Invalid value for {}: it has a control character", key));
  if (!value.empty() && found->check) {
    if (auto good = found->check(value); !good) {
      return fail(Code::kInvalid, fmt::format("Invalid value for {}: {}", key, good.error().message),
                  good.error().hint);
    }
  }
  return &*found;
}

Result<> report_properties(Report& report, const PropertyGroup& group, Properties& properties, AppId scope) {
  DAVIT_TRY_ASSIGN(const PropertyMap global, properties.group(AppId::kGlobal, group.name));
  PropertyMap own;
  if (scope != AppId::kGlobal) {
    DAVIT_TRY_ASSIGN(own, properties.group(scope, group.name));
  }
  const auto value_of = [](const PropertyMap& map, const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? std::string() : found->second;
  };
  for (const CliProperty& property : group.properties) {
    const std::string mine = value_of(own, property.key);
    const std::string shared = value_of(global, property.key);
    const std::string computed = !mine.empty() ? mine : !shared.empty() ? shared : property.default_value;
    const auto key = [&](std::string_view kind) {
      return fmt::format("{}-{}{}", group.type, kind, property.key);
    };
    if (!property.global) {
      if (scope != AppId::kGlobal) report.add(key(""), mine.empty() ? property.default_value : mine);
      continue;
    }
    report.add(key("global-"), shared);
    report.add(key("computed-"), computed);
    if (scope != AppId::kGlobal && property.per_app) report.add(key(""), mine);
  }
  return {};
}

Result<> check_boolean(std::string_view value) {
  if (value == "true" || value == "false") return {};
  return fail(Code::kInvalid, fmt::format("{} is neither true nor false", value));
}

Result<> check_count(std::string_view value) {
  DAVIT_TRY(number(value, UINT32_MAX));
  return {};
}

Result<> check_bytes(std::string_view value) {
  DAVIT_TRY(number(value, kMaxBytes));
  return {};
}

Result<> check_seconds(std::string_view value) {
  DAVIT_TRY(number(value, kMaxSeconds));
  return {};
}

Result<> check_relative_path(std::string_view value) {
  if (value.starts_with('/')) return fail(Code::kInvalid, "the path is relative to the app's source");
  for (const std::string& part : split(value, '/')) {
    if (part == "..") return fail(Code::kInvalid, "the path must not leave the app's source");
  }
  return {};
}

Result<> check_restart_policy(std::string_view value) {
  if (value == "always" || value == "no" || value == "unless-stopped" || value == "on-failure") return {};
  if (value.starts_with("on-failure:") && number(value.substr(11), UINT32_MAX)) return {};
  return fail(Code::kInvalid, "Invalid restart-policy specified",
              "Use always, no, unless-stopped, on-failure or on-failure:N");
}

Result<> check_branch(std::string_view value) {
  // The rules of git-check-ref-format that a single branch name can break.
  const bool bad =
      value.starts_with('/') || value.starts_with('-') || value.starts_with('.') || value.ends_with('/') ||
      value.ends_with('.') || value.ends_with(".lock") || value.find("..") != std::string_view::npos ||
      value.find("@{") != std::string_view::npos || value.find("//") != std::string_view::npos ||
      value.find("/.") != std::string_view::npos ||
      value.find_first_of(" ~^:?*[\\") != std::string_view::npos ||
      std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
  if (bad) return fail(Code::kInvalid, fmt::format("{} is not a name that git allows for a branch", value));
  return {};
}

}  // namespace davit
