// Processes: from a release and the wanted quantities to groups that a runtime can run.
#pragma once

#include <string_view>
#include <vector>

#include "lifecycle/run.hpp"
#include "lifecycle/storage.hpp"

namespace davit {

/// The process type that requests are routed to.
inline constexpr std::string_view kWebType = "web";
/// The process type that runs once per release, before anything starts.
inline constexpr std::string_view kReleaseType = "release";

/// The type that the instances of run:detached have. An app may have one of that name, too.
inline constexpr std::string_view kRunType = "run";
/// Of run:detached: its revision is "r4", that of an app's own instance "d17".
bool is_detached_run(const Instance& instance);

/// What an instance executes: the launcher of its slug, then a shell that reads the Procfile's line, which is
/// shell text by definition. In an image: nothing for its own command, the words of a line that needs no
/// shell, else the image's /bin/sh. Nothing of a user is spliced into anything here.
std::vector<std::string> argv_of(const Release& release, const ReleaseProcess& process);
/// The launcher of the release, then these words: for `run`.
std::vector<std::string> argv_of(const Release& release, const std::vector<std::string>& words);

[[nodiscard]] bool has_type(const ReleaseSpec& spec, std::string_view type);

/// Quantities to run: what was said, else web=1 and others 0. Types that the release does not have are left
/// out.
Quantities wanted_quantities(const Release& release, const Quantities& said);

/// The formation that a deployment of this release goes by: what its app.json fixes, when it was built just
/// now, else what ps:scale said.
Result<Quantities> said_quantities(DeploymentRun& run, const ReleaseSpec& spec);

ArtifactRef artifact_of(const LifecycleServices& services, const Release& release);

/// The limits set with resource:limit and resource:reserve for a type.
Limits limits_of(Store& store, AppId app, std::string_view process_type);

/// What its instances get: what is mounted now; with a scale, what those that run have.
Result<std::vector<HostMount>> mounts_of(const DeploymentRun& run);

/// The whole group, environment included. env.resolve and process.plan are asked.
Result<Group> group_of(DeploymentRun& run, const ReleaseProcess& process, unsigned count);

/// Which runtime an app uses now: its setting, else the host's default ("").
Result<std::string> runtime_of(Store& store, AppId app);

}  // namespace davit
