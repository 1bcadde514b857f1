// TomlNode: a TOML document as plain values with line numbers. Private to host/plugin; toml++ stays in
// toml_tree.cpp, because it is slow to compile and must not see some inputs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace davit {

struct TomlMember;

struct TomlNode {
  enum class Kind : std::uint8_t { kString, kInteger, kFloat, kBool, kDate, kArray, kTable };

  Kind kind = Kind::kTable;
  std::string text;          ///< scalars: a string's bytes, a number in decimal, true or false
  std::int64_t integer = 0;  ///< of kInteger
  bool boolean = false;      ///< of kBool
  std::vector<TomlNode> items;
  std::vector<TomlMember> members;  ///< in the document's order
  unsigned line = 0;                ///< from 1; of a member: its key's

  [[nodiscard]] const TomlNode* find(std::string_view key) const;
};

struct TomlMember {
  std::string first;  ///< the key
  TomlNode second;
};

/// "a string", "an integer", ...: for messages.
std::string_view name_of(TomlNode::Kind kind);

/// kInvalid: "SOURCE:LINE: what". Text that is not UTF-8, a control character, a non-ASCII character outside
/// strings and comments, and keys or lines of absurd depth are refused before toml++ sees them (3.3 has
/// undefined behaviour there).
Result<TomlNode> parse_toml(std::string_view text, const std::string& source);

}  // namespace davit
