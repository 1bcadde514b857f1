// Names and labels: OWNER.REVISION.TYPE.N and what is written on everything that this plugin makes. Pure. The
// owner may hold dots (an app's name may be a host name), the other parts may not.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/instances.hpp"
#include "engine/labels.hpp"

namespace davit::docker_plugin {

using namespace docker;

struct InstanceName {
  std::string owner;
  std::string revision;
  std::string type;
  std::uint32_t number = 0;  ///< from 1; 0: the group
  std::uint32_t owner_kind = DAVIT_OWNER_APP;

  [[nodiscard]] std::string group() const { return owner + "." + revision + "." + type; }
  [[nodiscard]] std::string text() const { return group() + "." + std::to_string(number); }
  /// Of the one that is live: without the revision.
  [[nodiscard]] std::string live() const { return owner + "." + type + "." + std::to_string(number); }
  /// What other containers find it by, beside the container's name: its own, and one for all of its type.
  [[nodiscard]] std::vector<std::string> aliases() const { return {text(), owner + "." + type}; }
  friend bool operator==(const InstanceName&, const InstanceName&) = default;
};

/// By revision (d9 before d10), type, number: the order that inspect promises.
bool comes_before(const InstanceName& a, const InstanceName& b);

std::string owner_word(std::uint32_t owner_kind);  ///< "app", "service"

/// What run:detached makes: the type "run" and a revision such as "r4". An app may have a type of that name
/// too; its revision is "d17".
bool is_detached_run(std::string_view revision, std::string_view type);

/// "OWNER.REVISION.TYPE.N"; nullopt if it is none.
std::optional<InstanceName> parse_instance(std::string_view text);
/// Throws sdk::Failure (invalid) for a group that containers cannot be named after.
void check_group(const sdk::Group& group);

Labels instance_labels(const std::string& home_id, const InstanceName& name);
/// nullopt if these are not of an instance of this home.
std::optional<InstanceName> name_in(const std::string& home_id, const Labels& labels);

bool matches(const sdk::Selector& selector, const InstanceName& name);

/// Throws sdk::Failure (invalid) for variables that no container can be given.
void check_environment(const sdk::Pairs& env);
void set_default(sdk::Pairs& env, std::string_view key, std::string_view value);
void set_value(sdk::Pairs& env, std::string_view key, std::string_view value);
bool is_utf8(std::string_view text);

}  // namespace davit::docker_plugin
