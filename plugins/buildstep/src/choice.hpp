// Which buildpacks build an app, and in which order: the app's list, then BUILDPACK_URL, then .buildpacks,
// then detection in the declared order. Pure; it reads no file and fetches nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "davit/text.hpp"
#include "spec.hpp"

namespace davit::buildstep {

struct ChoiceInputs {
  sdk::Strings listed;              ///< of buildpacks:set and add
  std::string url_variable;         ///< BUILDPACK_URL; empty: not set
  std::optional<std::string> file;  ///< the bytes of .buildpacks
  sdk::Strings detection_order;     ///< candidates, first match wins
};

struct Choice {
  std::string source;      ///< "buildpacks:set", "BUILDPACK_URL", ".buildpacks" or "detection"
  bool detected = false;   ///< one of the packs is to be found by bin/detect; else all of them run
  std::size_t rivals = 0;  ///< if detected: the packs before the fallbacks, whose overlaps deserve a warning
  std::vector<BuildpackSpec> packs;  ///< never empty
};

/// @throws sdk::Failure buildpack-invalid, naming where the bad entry stands.
Choice choose_buildpacks(const ChoiceInputs& inputs);

}  // namespace davit::buildstep
