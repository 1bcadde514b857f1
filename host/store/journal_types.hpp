// The records of the journal. Value types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "store/types.hpp"

namespace davit {

inline constexpr std::size_t kMaxTokenBytes = 64 * 1024;

enum class DeploymentState {
  kQueued,
  kRunning,
  kCommitted,  ///< the switch is confirmed: from here on only forward
  kDraining,
  kDone,
  kFailed,  ///< ended before anything had to be undone
  kUndone,  ///< failed, and what it did was taken back
  kCancelled,
  kStuck,  ///< an undo failed for good, or its plugin is gone: a person must look
};
std::string_view name_of(DeploymentState state);  ///< "queued", "running", ...
/// Done, failed, undone, cancelled. Stuck is not: `deploys:cancel --force` ends it.
bool is_finished(DeploymentState state);

enum class StepState { kPrepared, kApplying, kApplied, kUndoing, kUndone, kFailed, kFinished };
std::string_view name_of(StepState state);  ///< "prepared", "applying", ...

/// A process that cannot be mistaken for a later one with the same pid, nor for one before a reboot.
struct ProcessIdentity {
  std::string boot_id;  ///< /proc/sys/kernel/random/boot_id
  std::int32_t pid = 0;
  std::uint64_t start_time_ticks = 0;  ///< field 22 of /proc/PID/stat
  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

struct DeploymentError {
  std::string slug;
  std::string message;
  std::string hint;
  std::string plugin;  ///< id of the plugin that it came from; "" for the host
};

struct NewDeployment {
  AppId app{};       ///< a real app
  std::string kind;  ///< "push", "rebuild", "restart", "config", "scale", "rollback", "start", "stop", ...
  std::string request_json;  ///< what was asked for, enough to go on after a crash; no secrets
  std::string actor;
  std::optional<std::uint32_t> from_version;  ///< the live release when it was opened
};

struct Deployment {
  std::string id;  ///< "d17": also the revision name of its instance groups; numbers grow over all apps
  AppId app{};
  std::string app_name;  ///< at the time it was opened
  std::string kind;
  DeploymentState state = DeploymentState::kQueued;
  std::string phase;  ///< "" before the first
  std::string request_json;
  std::string actor;
  std::optional<std::uint32_t> from_version;
  std::optional<std::uint32_t> to_version;
  std::optional<ProcessIdentity> owner;
  bool cancel_requested = false;
  std::optional<DeploymentError> error;
  UnixMs created_at_ms = 0;
  std::optional<UnixMs> started_at_ms;
  std::optional<UnixMs> committed_at_ms;
  std::optional<UnixMs> finished_at_ms;
};

enum class StepId : std::int64_t {};

struct NewStep {
  std::string phase;    ///< "launch"
  std::string plugin;   ///< id of the plugin that acts; "host" for the core itself
  std::string hook;     ///< which of the plugin's steps: "process.start"
  std::string version;  ///< the plugin's, so that a newer one can read an old token
  std::string token;    ///< bytes from prepare()
  std::string note;
};

struct Step {
  StepId id{};
  std::string deployment_id;
  std::uint32_t seq = 0;  ///< from 1, per deployment
  std::string phase;
  std::string plugin;
  std::string hook;
  std::string version;
  StepState state = StepState::kPrepared;
  std::string token;
  std::uint32_t undo_attempts = 0;
  UnixMs started_at_ms = 0;
  std::optional<UnixMs> finished_at_ms;  ///< applied, undone, failed or finished
  std::string note;
};

}  // namespace davit
