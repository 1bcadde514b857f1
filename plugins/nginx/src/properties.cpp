// See properties.hpp. The table must agree with plugin.toml; tests/properties_test.cpp compares them.
#include "properties.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace davit::nginx {
namespace {

constexpr std::array kProperties = {
    Property{"access-log-format", ValueKind::kFormat, ""},
    Property{"access-log-path", ValueKind::kLogPath, ""},
    Property{"bind-address-ipv4", ValueKind::kAddress, ""},
    Property{"bind-address-ipv6", ValueKind::kAddress, ""},
    Property{"client-body-timeout", ValueKind::kTime, "60s"},
    Property{"client-header-timeout", ValueKind::kTime, "60s"},
    Property{"client-max-body-size", ValueKind::kSize, "1m"},
    Property{"error-log-path", ValueKind::kLogPath, ""},
    Property{"hsts", ValueKind::kBool, "true"},
    Property{"hsts-include-subdomains", ValueKind::kBool, "true"},
    Property{"hsts-max-age", ValueKind::kNumber, "15724800"},
    Property{"hsts-preload", ValueKind::kBool, "false"},
    Property{"keepalive-timeout", ValueKind::kTime, "75s"},
    Property{"lingering-timeout", ValueKind::kTime, "5s"},
    Property{"proxy-buffer-size", ValueKind::kSize, "8k"},
    Property{"proxy-buffering", ValueKind::kSwitch, "on"},
    Property{"proxy-buffers", ValueKind::kBuffers, "8 8k"},
    Property{"proxy-busy-buffers-size", ValueKind::kSize, "16k"},
    Property{"proxy-connect-timeout", ValueKind::kTime, "60s"},
    Property{"proxy-read-timeout", ValueKind::kTime, "60s"},
    Property{"proxy-send-timeout", ValueKind::kTime, "60s"},
    Property{"send-timeout", ValueKind::kTime, "60s"},
    Property{"underscore-in-headers", ValueKind::kSwitch, "off"},
    Property{"x-forwarded-for-value", ValueKind::kVariable, "$remote_addr"},
    Property{"x-forwarded-port-value", ValueKind::kVariable, "$server_port"},
    Property{"x-forwarded-proto-value", ValueKind::kVariable, "$scheme"},
    Property{"x-forwarded-ssl", ValueKind::kSwitch, ""},
};

bool only(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kWord = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

// Digits, then at most one of the units. Bounded so that nginx's own arithmetic cannot overflow.
bool number_with_unit(std::string_view text, std::initializer_list<std::string_view> units) {
  const auto digits = std::min(text.find_first_not_of(kDigits), text.size());
  if (digits == 0 || digits > 9) return false;
  const auto unit = text.substr(digits);
  return unit.empty() || std::find(units.begin(), units.end(), unit) != units.end();
}

bool is_size(std::string_view text) {
  return number_with_unit(text, {"k", "K", "m", "M", "g", "G"});
}

bool is_buffers(std::string_view text) {
  const auto blank = text.find(' ');
  return blank != std::string_view::npos && blank > 0 && blank <= 4 && only(text.substr(0, blank), kDigits) &&
         is_size(text.substr(blank + 1));
}

bool is_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  unsigned char buffer[sizeof(in6_addr)];
  const std::string address(text);
  return ::inet_pton(AF_INET, address.c_str(), buffer) == 1 ||
         ::inet_pton(AF_INET6, address.c_str(), buffer) == 1;
}

// The end tells logs from the folders that lie there as well: with one of these nginx does not start.
bool is_log_name(std::string_view text) {
  return only(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-") &&
         text.front() != '.' && text.ends_with(".log") && text.size() <= 200;
}

bool accepts(ValueKind kind, std::string_view value) {
  switch (kind) {
    case ValueKind::kSize:
      return is_size(value);
    case ValueKind::kTime:
      return number_with_unit(value, {"ms", "s", "m", "h", "d"});
    case ValueKind::kSwitch:
      return value == "on" || value == "off";
    case ValueKind::kBool:
      return value == "true" || value == "false";
    case ValueKind::kNumber:
      return value.size() <= 12 && only(value, kDigits);
    case ValueKind::kBuffers:
      return is_buffers(value);
    case ValueKind::kAddress:
      return is_address(value);
    case ValueKind::kLogPath:
      return value == "off" || is_log_name(value);
    case ValueKind::kFormat:
      return value.size() <= 64 && only(value, kWord);
    case ValueKind::kVariable:
      return value.size() <= 200 &&
             value.find_first_not_of(std::string(kWord) + "$ .,:-") == std::string_view::npos;
  }
  return false;
}

std::string_view shape(ValueKind kind) {
  switch (kind) {
    case ValueKind::kSize:
      return "a size such as 512k, 20m or 0";
    case ValueKind::kTime:
      return "a time such as 60s, 5m or 500ms";
    case ValueKind::kSwitch:
      return "on or off";
    case ValueKind::kBool:
      return "true or false";
    case ValueKind::kNumber:
      return "a number";
    case ValueKind::kBuffers:
      return "a count and a size such as \"8 8k\"";
    case ValueKind::kAddress:
      return "a numeric address such as 127.0.0.1 or ::1";
    case ValueKind::kLogPath:
      return "off, or the name of a file of the proxy's log directory that ends in .log";
    case ValueKind::kFormat:
      return "the name of a log format, of letters, digits and _";
    case ValueKind::kVariable:
      return "letters, digits, nginx variables such as $http_x_forwarded_for, blanks and .,:_-";
  }
  return "";
}

}  // namespace

std::span<const Property> properties() {
  return kProperties;
}

const Property* find_property(std::string_view key) {
  const auto found = std::find_if(kProperties.begin(), kProperties.end(),
                                  [&](const Property& property) { return property.key == key; });
  return found == kProperties.end() ? nullptr : &*found;
}

std::string complaint(const Property& property, std::string_view value) {
  if (value.empty() || accepts(property.kind, value)) return {};
  return std::string(property.key) + " must be " + std::string(shape(property.kind));
}

bool is_used(const Property& property, std::string_view value) {
  return property.kind != ValueKind::kLogPath || complaint(property, value).empty();
}

Properties default_properties() {
  Properties all;
  for (const auto& property : kProperties) all.emplace(property.key, property.fallback);
  return all;
}

}  // namespace davit::nginx
