// What a buildpack's bin/release printed: default process types and default configuration.
#pragma once

#include <string_view>

#include "davit/text.hpp"

namespace davit::buildstep {

struct ReleaseInfo {
  sdk::Pairs process_types;  ///< default_process_types, in order
  sdk::Pairs config;         ///< config_vars, in order
};

/// Reads the YAML, with or without "---"; empty text and {} are fine; other keys (addons) are ignored.
/// @throws sdk::Failure release-invalid, naming the line where it can; `label` names the buildpack.
ReleaseInfo parse_release(std::string_view yaml, std::string_view label);

}  // namespace davit::buildstep
