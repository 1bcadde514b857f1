// network:create, destroy, exists, info, list: networks of the engine that users make for their apps to meet
// on. Which app joins which is a property (network:set), read by Networks.
#pragma once

#include <cstdint>
#include <string>

#include "davit/commands.hpp"
#include "parts.hpp"

namespace davit::docker_plugin {

/// Lives for one command.
class NetworkCommands {
 public:
  NetworkCommands(const Base& base, const sdk::Call& call) : base_(base), call_(call) {}
  static bool is_one(const std::string& command) { return command.starts_with("network:"); }
  std::int32_t run(const sdk::Command& command);

 private:
  std::int32_t create(const sdk::Command& command);
  std::int32_t destroy(const sdk::Command& command);
  std::int32_t exists(const sdk::Command& command);
  std::int32_t info(const sdk::Command& command);
  std::int32_t list(const sdk::Command& command);
  bool find(const std::string& name, Json& found) const;

  const Base& base_;
  const sdk::Call& call_;
};

}  // namespace davit::docker_plugin
