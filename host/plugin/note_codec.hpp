// A compact binary form of a PluginNote and of a parsed plugins.toml, for the cache only: read back by the
// same build that wrote it, or dropped.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "plugin/note.hpp"
#include "plugin/plugins_toml.hpp"

namespace davit {

class Packer {
 public:
  void number(std::int64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void text(std::string_view value) {
    number(static_cast<std::int64_t>(value.size()));
    bytes_.append(value);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Every getter gives an empty value once something was wrong: look at failed() at the end.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}
  std::int64_t number() {
    std::int64_t value = 0;
    if (bytes_.size() < sizeof value) return fail_now(), 0;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  std::string text() { return std::string(view()); }
  /// A text where it lies.
  std::string_view view() {
    const auto size = static_cast<std::uint64_t>(number());
    if (size > bytes_.size()) return fail_now(), std::string_view();
    const std::string_view value = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return value;
  }
  /// How many elements follow; each is at least 8 bytes long.
  std::size_t count() {
    const auto value = static_cast<std::uint64_t>(number());
    if (value > bytes_.size() / 8) return fail_now(), 0;
    return value;
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

 private:
  void fail_now() {
    failed_ = true;
    bytes_ = {};
  }
  std::string_view bytes_;
  bool failed_ = false;
};

void pack(Packer& out, const PluginNote& note);
PluginNote unpack_note(Unpacker& in);

void pack(Packer& out, const PluginsToml& file);
PluginsToml unpack_plugins_toml(Unpacker& in);

}  // namespace davit
