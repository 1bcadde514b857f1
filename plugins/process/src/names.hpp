// Names of instances and groups: OWNER.REVISION.TYPE.N and OWNER.REVISION.TYPE. Pure text. The owner may hold
// dots (an app's name may be a host name), the other parts may not, so names are read from the right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "davit/instances.hpp"

namespace davit::process_plugin {

struct GroupName {
  std::string owner;
  std::string revision;
  std::string type;

  [[nodiscard]] std::string text() const { return owner + "." + revision + "." + type; }
  friend bool operator==(const GroupName&, const GroupName&) = default;
  friend auto operator<=>(const GroupName&, const GroupName&) = default;
};

struct InstanceName {
  GroupName group;
  std::uint32_t number = 0;  ///< from 1

  [[nodiscard]] std::string text() const { return group.text() + "." + std::to_string(number); }
  friend bool operator==(const InstanceName&, const InstanceName&) = default;
  friend auto operator<=>(const InstanceName&, const InstanceName&) = default;
};

/// nullopt if `text` is none. What parses has no '/', no "..", and is safe as a file's name.
std::optional<GroupName> parse_group(std::string_view text);
std::optional<InstanceName> parse_instance(std::string_view text);

/// Throws sdk::Failure (invalid) for names that could not be read back or would lead out of a folder.
void check_group(const GroupName& name);

bool matches(const sdk::Selector& selector, const GroupName& group);
bool matches(const sdk::Selector& selector, const InstanceName& instance);

}  // namespace davit::process_plugin
