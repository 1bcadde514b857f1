// The containers of this home, as the engine lists them. Nothing without this home's label is ever seen.
#pragma once

#include <string>
#include <vector>

#include "names.hpp"
#include "parts.hpp"

namespace davit::docker_plugin {

struct Found {
  InstanceName name;
  std::string id;
  std::string container_name;  ///< without the slash
  std::string state;           ///< "created", "running", "restarting", "paused", "exited", "removing", "dead"
  Labels labels;
  [[nodiscard]] std::string label(const char* key) const {
    const auto at = labels.find(key);
    return at == labels.end() ? std::string() : at->second;
  }
};

/// The selected instances, in inspect's order. An empty owner: of all.
std::vector<Found> find_instances(const Base& base, const sdk::Selector& selector, const Patience& patience);

/// Runs `work(id)` for each at once, each with an engine connection of its own; the first failure is thrown
/// when all are done.
void at_once(const Base& base, const std::vector<Found>& containers,
             const std::function<void(Engine&, const Found&)>& work);

}  // namespace davit::docker_plugin
