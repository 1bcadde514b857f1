// See parts.hpp.
#include "parts.hpp"

namespace davit::docker_plugin {

void remove_container(Engine& engine, const std::string& id) {
  try {
    engine.remove("/containers/" + id, {{"force", "1"}, {"v", "1"}}, steady());
  } catch (const EngineFailure& failure) {
    if (failure.http_status() == 404) return;
    // "removal of container ... is already in progress"
    if (failure.http_status() != 409) throw;
  }
}

}  // namespace davit::docker_plugin
