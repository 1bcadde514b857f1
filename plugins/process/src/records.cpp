// See records.hpp. Files hold one "key=value" a line.
#include "records.hpp"

#include <algorithm>
#include <charconv>

#include "trees.hpp"

namespace davit::process_plugin {
namespace {

std::string value_of(const std::string& text, std::string_view key) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=') {
      return std::string(line.substr(key.size() + 1));
    }
    begin = end + 1;
  }
  return {};
}

std::uint32_t number_of(const std::string& text, std::string_view key) {
  const std::string value = value_of(text, key);
  std::uint32_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

/// nullopt: no record. Empty, say, by a power loss under a davit that did not sync it.
std::optional<std::uint32_t> kind_of(const std::string& text) {
  const std::uint32_t kind = number_of(text, "kind");
  if (kind != DAVIT_OWNER_APP && kind != DAVIT_OWNER_SERVICE) return std::nullopt;
  return kind;
}

}  // namespace

Records::Records(std::string run) : run_(std::move(run)) {
  for (const char* name : {"/groups", "/instances", "/tasks"}) make_folder(run_ + name, 0711);
  make_folder(etc_folder(), 0755);
}

std::string Records::instance_folder(const InstanceName& name) const {
  return run_ + "/instances/" + name.text();
}

std::string Records::group_file(const GroupName& name) const {
  return run_ + "/groups/" + name.text();
}

void Records::write(const GroupName& name, const GroupRecord& record) const {
  write_file(group_file(name),
             "kind=" + std::to_string(record.owner_kind) + "\ncount=" + std::to_string(record.count) + "\n");
}

void Records::write(const InstanceName& name, const InstanceRecord& record) const {
  write_file(instance_folder(name) + "/record",
             "kind=" + std::to_string(record.owner_kind) + "\ndigest=" + record.digest +
                 "\nport=" + std::to_string(record.port) + "\nsandboxed=" + (record.sandboxed ? "1" : "0") +
                 "\ncwd=" + record.cwd + "\nuid=" + std::to_string(record.uid) +
                 "\ngid=" + std::to_string(record.gid) + "\n");
}

std::optional<GroupRecord> Records::group(const GroupName& name) const {
  const std::optional<std::string> text = read_file(group_file(name));
  const auto kind = text ? kind_of(*text) : std::nullopt;
  if (!kind) return std::nullopt;
  return GroupRecord{*kind, number_of(*text, "count")};
}

std::optional<InstanceRecord> Records::instance(const InstanceName& name) const {
  const std::optional<std::string> text = read_file(instance_folder(name) + "/record");
  const auto kind = text ? kind_of(*text) : std::nullopt;
  if (!kind) return std::nullopt;
  return InstanceRecord{*kind,
                        value_of(*text, "digest"),
                        number_of(*text, "port"),
                        number_of(*text, "sandboxed") == 1,
                        value_of(*text, "cwd"),
                        number_of(*text, "uid"),
                        number_of(*text, "gid")};
}

void Records::forget(const GroupName& name) const {
  remove_tree(group_file(name));
}

std::vector<GroupName> Records::groups() const {
  std::vector<GroupName> found;
  for (const std::string& name : names_in(run_ + "/groups")) {
    if (const auto parsed = parse_group(name)) found.push_back(*parsed);
  }
  std::ranges::sort(found);
  return found;
}

std::vector<InstanceName> Records::instances() const {
  std::vector<InstanceName> found;
  for (const std::string& name : names_in(run_ + "/instances")) {
    if (const auto parsed = parse_instance(name)) found.push_back(*parsed);
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace davit::process_plugin
