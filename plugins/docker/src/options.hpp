// docker-options: what a user may add to containers, as fields of the API. An allow-list: what could reach
// past the container, or what davit itself decides, is refused with the reason. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "davit/text.hpp"

namespace davit::docker_plugin {

/// "--memory 512m", "--memory=512m", "-m 512m": one option each. Throws sdk::Failure (invalid, unsupported).
struct Option {
  std::string name;   ///< "--memory"
  std::string value;  ///< "" for switches such as --read-only
  [[nodiscard]] std::string text() const { return value.empty() ? name : name + "=" + value; }
};

enum class Phase : std::uint8_t { kBuild, kDeploy, kRun };

/// "build", "deploy", "run" and lists such as "build,run". Throws for others.
std::vector<Phase> parse_phases(const std::string& text);
const char* name_of(Phase phase);

/// Words split at blanks (quotes hold together), each option checked for the phase.
std::vector<Option> parse_options(const std::string& text, Phase phase);

/// Adds the options to a container's JSON ("Env", "Labels", "HostConfig").
void apply_options(const std::vector<Option>& options, nlohmann::json& container);

/// "512m", "2g", "1024": bytes. Throws.
std::uint64_t parse_bytes(const std::string& option, const std::string& text);

}  // namespace davit::docker_plugin
