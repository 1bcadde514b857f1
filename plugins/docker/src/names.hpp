// Names and labels: OWNER.REVISION.TYPE.N and what is written on everything that this plugin makes. Pure. The
// owner may hold dots (an app's name may be a host name), the other parts may not.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "davit/instances.hpp"

namespace davit::docker_plugin {

using Labels = std::map<std::string, std::string>;

inline constexpr const char* kLabelHome = "davit.home";  ///< on everything; nothing without it is touched
inline constexpr const char* kLabelHomePath = "davit.home-path";
inline constexpr const char* kLabelKind = "davit.kind";  ///< instance, task, network, image, scratch
inline constexpr const char* kLabelOwnerKind = "davit.owner-kind";
inline constexpr const char* kLabelOwner = "davit.owner";
inline constexpr const char* kLabelRevision = "davit.revision";
inline constexpr const char* kLabelType = "davit.type";
inline constexpr const char* kLabelNumber = "davit.number";
inline constexpr const char* kLabelSpec = "davit.spec";  ///< a hash: what an instance was made from
inline constexpr const char* kLabelPort = "davit.port";  ///< published on 127.0.0.1
inline constexpr const char* kLabelStopMs = "davit.stop-ms";
inline constexpr const char* kLabelRunner = "davit.runner";  ///< of a task: the process that waits for it
inline constexpr const char* kLabelSlug = "davit.slug";      ///< of an image: the slug's path
inline constexpr const char* kLabelStackId = "davit.stack-id";
inline constexpr const char* kLabelStack = "davit.stack";  ///< of an image: the stack's name or image

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
  friend bool operator==(const InstanceName&, const InstanceName&) = default;
};

/// By revision (d9 before d10), type, number: the order that inspect promises.
bool comes_before(const InstanceName& a, const InstanceName& b);

std::string owner_word(std::uint32_t owner_kind);  ///< "app", "service"

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
