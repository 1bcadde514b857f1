// What every part of the plugin needs at hand, and the engine's calls in the words of this plugin.
#pragma once

#include <cstdint>
#include <string>

#include "config.hpp"
#include "davit/host.hpp"
#include "engine/asking.hpp"
#include "engine/times.hpp"

namespace davit::docker_plugin {

/// Borrowed by all parts; lives from start to stop. Threads: one at a time.
struct Base {
  const sdk::Host& host;
  const Config& config;
  Engine& engine;
};

/// Removes a container with its anonymous volumes; one that is gone is fine.
void remove_container(Engine& engine, const std::string& id);

}  // namespace davit::docker_plugin
