// docker-options: what a user may add to containers, as fields of the API. An allow-list: what could reach
// past the container, or what davit itself decides, is refused with the reason. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "davit/text.hpp"
#include "engine/engine.hpp"

namespace davit::docker {

/// "--memory 512m", "--memory=512m", "-m 512m": one option each. Throws sdk::Failure (invalid, unsupported).
struct Option {
  std::string name;   ///< "--memory"
  std::string value;  ///< "" for switches such as --read-only
  /// What parse_options() reads as this option again.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Option&, const Option&) = default;
};

/// In quotes if need be, so that it is one word, and this one.
std::string quoted_word(const std::string& word);

enum class Phase : std::uint8_t { kBuild, kDeploy, kRun };

/// "build", "deploy", "run" and lists such as "build,run". Throws for others.
std::vector<Phase> parse_phases(const std::string& text);
const char* name_of(Phase phase);

/// Words split at blanks (quotes hold together), each option checked for the phase.
std::vector<Option> parse_options(const std::string& text, Phase phase);
/// The same for what is to be added now. Of what is stored already more is taken: an older davit stored it,
/// and it must neither stop a deploy nor be irremovable.
std::vector<Option> parse_new_options(const std::string& text, Phase phase);

/// Adds the options to a container's JSON ("Env", "Labels", "HostConfig"). What only a Dockerfile's build can
/// use is left out.
void apply_options(const std::vector<Option>& options, nlohmann::json& container);

/// What options of the phase build say of the build of a Dockerfile.
struct BuildOptions {
  Query query;  ///< parameters of POST /build
  /// Build arguments; without a value: that of the build's environment.
  std::vector<std::pair<std::string, std::optional<std::string>>> arguments;
};
BuildOptions build_options(const std::vector<Option>& options);

/// "512m", "2g", "1024": bytes. Throws.
std::uint64_t parse_bytes(const std::string& option, const std::string& text);

}  // namespace davit::docker
