// ReleaseExtras: what a release keeps beyond the store's columns, as JSON beside its process types: what its
// build suggested, and what its app.json said. It goes with the artifact, through config changes and
// rollbacks.
#pragma once

#include <string>
#include <string_view>

#include "lifecycle/app_manifest.hpp"
#include "store/releases.hpp"
#include "store/store.hpp"

namespace davit {

struct ReleaseExtras {
  std::map<std::string, std::string, std::less<>> config_defaults;  ///< a buildpack's config_vars
  ManifestFormation formation;
  DeployScripts scripts;
  std::string built_runtime{},
      built_stack{};  ///< where the slug was built, and on what: Runtime::build_stack

  /// app.json says how many of some type run: then ps:scale does not.
  [[nodiscard]] bool fixes_formation() const;
};

/// "" when there is nothing to keep.
std::string extras_to_json(const ReleaseExtras& extras);
/// Unknown members are ignored.
ReleaseExtras extras_of(const ReleaseSpec& spec);

/// The config that a new release of this artifact has: what is set for the app and for all apps, over what
/// its build suggested.
Result<ConfigMap> config_over_defaults(Store& store, AppId app, const ReleaseSpec& spec);

/// The live release's app.json fixes the formation.
Result<bool> formation_is_fixed(Store& store, AppId app);

/// What app.json's quantities make of the process types: those that are not named are 0. Empty if it names
/// none.
Quantities manifest_quantities(const ReleaseSpec& spec);

}  // namespace davit
