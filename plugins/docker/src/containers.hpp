// The containers of this home, as the engine lists them. Nothing is ever seen that has not
// this home's label, or has it from an image only.
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

/// Of a row of /containers/json that has the home's label: whether davit made it. An image hands its labels
/// on to whatever others make of it, but not where davit-init is mounted.
bool is_davits(Engine& engine, const Json& listed, const Patience& patience);

/// The selected instances, in inspect's order. An empty owner: of all.
std::vector<Found> find_instances(const Base& base, const sdk::Selector& selector, const Patience& patience);

/// Whether `pid`, as an engine told it, is a process of this machine, and in the container.
bool is_in_container(std::int64_t pid, const std::string& id);

/// Of each live name that none of these has: its oldest container. The newest may be one that only launches.
/// `containers`: in inspect's order. Pure.
std::vector<Found> heirs_of_free_names(const std::vector<Found>& containers);

/// Runs `work(id)` for each at once, each with an engine connection of its own; the first failure is thrown
/// when all are done.
void at_once(const Base& base, const std::vector<Found>& containers,
             const std::function<void(Engine&, const Found&)>& work);

}  // namespace davit::docker_plugin
