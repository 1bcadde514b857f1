// The properties of apps (nginx:set), with dokku's names and defaults, and the check of their values. The
// checks are strict because values end in nginx's configuration: nothing may close a directive or open a
// block.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "model.hpp"

namespace davit::nginx {

enum class ValueKind {
  kSize,      // 1m, 0
  kTime,      // 60s, 5m
  kSwitch,    // on, off
  kBool,      // true, false
  kNumber,    // digits
  kBuffers,   // "8 8k"
  kAddress,   // numeric address, brackets allowed around IPv6; empty: the operator's
  kLogPath,   // off, or a file name that ends in .log: in the plugin's log directory
  kFormat,    // name of a log format
  kVariable,  // text for a header: letters, digits, $variables, and " .,:_-"
};

struct Property {
  std::string_view key;
  ValueKind kind;
  std::string_view fallback;  // dokku's default
};

// All of them, sorted by key.
std::span<const Property> properties();

// The declared property with this key, or nullptr.
const Property* find_property(std::string_view key);

// Empty, or one sentence that says what the value must look like. An empty value is always fine: it means the
// default.
std::string complaint(const Property& property, std::string_view value);

// False: it is stored, since an older davit took it, and does not count.
bool is_used(const Property& property, std::string_view value);

// Every declared key with its default.
Properties default_properties();

}  // namespace davit::nginx
