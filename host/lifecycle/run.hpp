// DeploymentRun: everything that the phases of one deployment hand to each other. Lives for one run of the
// engine in one process; what must survive a crash is in the journal, not here.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lifecycle/app_manifest.hpp"
#include "lifecycle/link_change.hpp"
#include "lifecycle/services.hpp"
#include "store/journal_types.hpp"
#include "store/live_groups.hpp"
#include "store/releases.hpp"

namespace davit {

/// Which parts of the deploy a kind of deployment has.
struct Plan {
  bool builds = false;  ///< fetch, detect, build
  bool makes_release = false;
  bool runs_release_command = false;
  bool launches = false;  ///< a new revision beside the old one
  bool rescales = false;  ///< other counts of the live revision
  bool stops = false;     ///< nothing runs afterwards
  bool destroys = false;  ///< and the app is forgotten
  bool renames = false;   ///< what starts beside the old has the app's new name
};
/// nullopt for a kind that does not exist.
std::optional<Plan> plan_of(std::string_view kind);

/// What is wanted of one process type.
struct WantedGroup {
  ReleaseProcess process;
  unsigned count = 0;
  unsigned old_count = 0;  ///< with rescales: what runs now
};

class DeploymentRun {
 public:
  DeploymentRun(const LifecycleServices& services, const CallContext& call, Deployment deployment, App app);

  const LifecycleServices& services;
  const CallContext& call;
  Deployment deployment;
  App app;                   ///< with a rename, its name is the new one from the beginning
  std::string renamed_from;  ///< with a rename: the old one
  nlohmann::json request;    ///< always an object
  Plan plan;
  std::optional<LinkChange> link_change;  ///< of link, unlink and promote

  std::optional<Release> live;    ///< the release that answers now
  std::optional<Release> target;  ///< the one that will: made, or the live one
  std::vector<LiveGroup> live_groups;

  // fetch
  std::string source_dir;
  CheckedOut source;
  AppManifest manifest;
  ConfigMap settled_config;  ///< what app.json's env sets with this deployment
  // detect, build
  Builder* builder = nullptr;
  BuildOutput built;
  // launch
  Runtime* runtime = nullptr;
  std::string revision;  ///< of the instances that will answer: ours, or the live one when only counts change
  std::vector<WantedGroup> wanted;
  bool runs_told = false;           ///< the detached runs that may have contended storage are named
  std::vector<Instance> ready_web;  ///< set by check: what the routes will point at

  /// A member of the request, or a default.
  [[nodiscard]] std::string text(const char* key, std::string_view otherwise = {}) const;
  /// What the instances that it starts are linked to.
  [[nodiscard]] Result<std::vector<NewLink>> links() const;
  /// Folder for this deployment's scratch.
  [[nodiscard]] std::string work_dir() const;
  /// The app's property, else the global one, else `otherwise`.
  [[nodiscard]] std::string property(std::string_view group, std::string_view key,
                                     std::string_view otherwise) const;
  [[nodiscard]] std::uint64_t number_property(std::string_view group, std::string_view key,
                                              std::uint64_t otherwise) const;
};

/// Phases, in order (rename is the first of a rename). Each announces itself on the bus and calls one
/// capability.
Result<> rename_app(DeploymentRun& run);
Result<> fetch(DeploymentRun& run);
Result<> detect(DeploymentRun& run);
Result<> build(DeploymentRun& run);
Result<> release(DeploymentRun& run);
Result<> launch(DeploymentRun& run);
Result<> check(DeploymentRun& run);
Result<> switch_over(DeploymentRun& run);
Result<> drain(DeploymentRun& run);
Result<> finish(DeploymentRun& run);

}  // namespace davit
