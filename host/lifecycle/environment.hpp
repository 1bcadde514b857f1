// The environment of a build, of the release command and of what runs. The core puts the app's config
// and the variables of its links in; plugins edit it on env.resolve. Variables of links are resolved here, at
// launch, and never frozen into a release.
#pragma once

#include <string_view>

#include "lifecycle/run.hpp"

namespace davit {

/// For "release" and "run": the config of the release.
Result<TextMap> resolve_environment(DeploymentRun& run, std::string_view phase,
                                    std::string_view process_type);

/// The environment of the build; `masked` gets what its output must not show.
Result<TextMap> resolve_build_environment(DeploymentRun& run, TextMap& masked);

/// The same without a deployment, for `run` and `enter`: the live release's config.
Result<TextMap> resolve_run_environment(const LifecycleServices& services, const App& app,
                                        const Release& release, std::string_view process_type,
                                        const CallContext& call);

/// The config of now (global under app), as plain bytes.
Result<TextMap> current_config(const LifecycleServices& services, AppId app);

}  // namespace davit
