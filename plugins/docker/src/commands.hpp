// stack:* and docker-options:*.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "davit/commands.hpp"
#include "engine/options.hpp"
#include "parts.hpp"
#include "stacks.hpp"

namespace davit::docker_plugin {

/// Lives for one command.
class DockerCommands {
 public:
  DockerCommands(const Base& base, Stacks& stacks, const sdk::Call& call)
      : base_(base), stacks_(stacks), call_(call) {}
  std::int32_t run(const sdk::Command& command);

 private:
  std::int32_t stack_build(const sdk::Command& command);
  std::int32_t stack_list(const sdk::Command& command);
  std::int32_t stack_set(const sdk::Command& command);
  std::int32_t stack_report(const sdk::Command& command);
  std::int32_t options_add(const sdk::Command& command);
  std::int32_t options_remove(const sdk::Command& command);
  std::int32_t options_clear(const sdk::Command& command);
  std::int32_t options_list(const sdk::Command& command);
  std::int32_t options_report(const sdk::Command& command);
  std::vector<Phase> phases_of(const sdk::Command& command, std::size_t at) const;
  sdk::Strings listed(const std::string& app, Phase phase) const;
  /// As JSON, all apps are one object by their names, and the app that was named is its own.
  void show(const std::map<std::string, sdk::Pairs>& reports, const sdk::Command& command,
            const std::string& title) const;
  sdk::Strings apps_of(const sdk::Command& command) const;

  const Base& base_;
  Stacks& stacks_;
  const sdk::Call& call_;
};

}  // namespace davit::docker_plugin
