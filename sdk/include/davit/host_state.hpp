/* What the host keeps for a plugin: settings, properties, key-values, paths. One class a table; see
 * davit/host.h for the contracts. Absent values are std::nullopt; every other failure is a HostFailure.
 */
#ifndef DAVIT_HOST_STATE_HPP
#define DAVIT_HOST_STATE_HPP

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "davit/host_table.hpp"
#include "davit/quantities.hpp"

namespace davit::sdk {

/* [plugins.ID.settings] of plugins.toml. */
class Settings : public detail::HostTable<davit_host_settings> {
 public:
  using HostTable::HostTable;
  std::optional<std::string> get(std::string_view key) const {
    return text(&davit_host_settings::get, str(key));
  }
  std::string get_or(std::string_view key, std::string_view fallback) const {
    return get(key).value_or(std::string(fallback));
  }
  /* For settings of type uint and int. */
  int64_t integer(std::string_view key, int64_t fallback) const {
    const std::optional<std::string> value = get(key);
    if (!value) return fallback;
    int64_t number = 0;
    const char* end = value->data() + value->size();
    const auto parsed = std::from_chars(value->data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) throw unreadable(key, *value, "a whole number");
    return number;
  }
  uint64_t duration_ms(std::string_view key, uint64_t fallback) const {
    const std::optional<std::string> value = get(key);
    if (!value) return fallback;
    const std::optional<uint64_t> parsed = parse_duration_ms(*value);
    if (!parsed) throw unreadable(key, *value, "a duration such as 30s");
    return *parsed;
  }
  uint64_t size_bytes(std::string_view key, uint64_t fallback) const {
    const std::optional<std::string> value = get(key);
    if (!value) return fallback;
    const std::optional<uint64_t> parsed = parse_size_bytes(*value);
    if (!parsed) throw unreadable(key, *value, "a size such as 64MiB");
    return *parsed;
  }
  bool boolean(std::string_view key, bool fallback) const {
    const std::optional<std::string> value = get(key);
    return value ? *value == "true" : fallback;
  }
  Strings items(std::string_view key) const { return strings(&davit_host_settings::each_item, str(key)); }

 private:
  static Failure unreadable(std::string_view key, const std::string& value, const char* wanted) {
    return Failure(DAVIT_INVALID, "setting-unreadable",
                   "setting " + std::string(key) + " is " + value + ", which is not " + wanted,
                   "correct it in plugins.toml");
  }
};

/* GROUP:set. An empty app is the global value. */
class Properties : public detail::HostTable<davit_host_properties> {
 public:
  using HostTable::HostTable;
  /* The app's, else the global one, else the declared default. */
  std::optional<std::string> get(std::string_view app, std::string_view group, std::string_view key) const {
    return text(&davit_host_properties::get, str(app), str(group), str(key));
  }
  std::optional<std::string> get_own(std::string_view app, std::string_view group,
                                     std::string_view key) const {
    return text(&davit_host_properties::get_own, str(app), str(group), str(key));
  }
  void set(std::string_view app, std::string_view group, std::string_view key, std::string_view value) const {
    must(&davit_host_properties::set, str(app), str(group), str(key), str(value));
  }
  void unset(std::string_view app, std::string_view group, std::string_view key) const {
    must(&davit_host_properties::unset, str(app), str(group), str(key));
  }
  Strings list(std::string_view app, std::string_view group, std::string_view key) const {
    return strings(&davit_host_properties::each_in_list, str(app), str(group), str(key));
  }
  void set_list(std::string_view app, std::string_view group, std::string_view key,
                const Strings& items) const {
    const StrArray array(items);
    must(&davit_host_properties::set_list, str(app), str(group), str(key), array.get());
  }
  Strings apps_with(std::string_view group) const {
    return strings(&davit_host_properties::each_app_with, str(group));
  }
};

/* A plugin's own rows in davit's database. `scope` is an app's name or empty. */
class Kv : public detail::HostTable<davit_host_kv> {
 public:
  using HostTable::HostTable;
  std::optional<std::string> get(std::string_view scope, std::string_view key) const {
    return text(&davit_host_kv::get, str(scope), str(key));
  }
  void set(std::string_view scope, std::string_view key, std::string_view value) const {
    must(&davit_host_kv::set, str(scope), str(key), str(value));
  }
  void erase(std::string_view scope, std::string_view key) const {
    must(&davit_host_kv::erase, str(scope), str(key));
  }
  Pairs all(std::string_view scope, std::string_view prefix = {}) const {
    return pairs(&davit_host_kv::each, str(scope), str(prefix));
  }
  /* False if the present value is not `expected` (nullopt: absent). */
  bool compare_and_set(std::string_view scope, std::string_view key, std::optional<std::string_view> expected,
                       std::string_view value) const {
    const davit_str present = str(expected.value_or(std::string_view()));
    const davit_str* wanted = expected ? &present : nullptr;
    const davit_status status =
        invoke(&davit_host_kv::compare_and_set, str(scope), str(key), wanted, str(value));
    if (status == DAVIT_CONFLICT) return false;
    detail::check(call_, status);
    return true;
  }
};

/* Absolute paths without a trailing slash. */
class Paths : public detail::HostTable<davit_host_paths> {
 public:
  using HostTable::HostTable;
  std::string get(std::string_view which) const {
    TextSink path;
    must(&davit_host_paths::get, str(which), path.get());
    return path.take();
  }
  std::string state() const { return get("state"); }
  std::string run() const { return get("run"); }
  std::string logs() const { return get("logs"); }
  std::string share() const { return get("share"); }
  std::string libexec() const { return get("libexec"); }
  std::string home() const { return get("home"); }
  std::string app_logs() const { return get("app-logs"); }
};

}  // namespace davit::sdk
#endif
