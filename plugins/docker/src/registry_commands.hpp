// registry:login, logout, list and report: logins at registries of images, as pulls of the docker runtime and
// builds of Dockerfiles use them. A password comes from stdin, and is shown nowhere.
#pragma once

#include <cstdint>
#include <string>

#include "davit/commands.hpp"
#include "engine/registries.hpp"
#include "parts.hpp"

namespace davit::docker_plugin {

/// Lives for one command.
class RegistryCommands {
 public:
  RegistryCommands(const Base& base, const sdk::Call& call)
      : base_(base), call_(call), registries_(base.host.properties(call)) {}
  static bool is_one(const std::string& command) { return command.starts_with("registry:"); }
  std::int32_t run(const sdk::Command& command);

 private:
  std::int32_t login(const sdk::Command& command);
  std::int32_t logout(const sdk::Command& command);
  std::int32_t list(const sdk::Command& command);
  std::int32_t report(const sdk::Command& command);
  /// `words` are what is left of the arguments when the app, or --global, is taken off. "" for all apps.
  std::string scope_of(const sdk::Command& command, std::size_t words, sdk::Strings& left) const;
  void ask_registry(const Login& login) const;

  const Base& base_;
  const sdk::Call& call_;
  const Registries registries_;
};

/// The first line of what stdin has. Throws for a terminal, for nothing, and for more than a password can be.
std::string read_password(int fd);

}  // namespace davit::docker_plugin
