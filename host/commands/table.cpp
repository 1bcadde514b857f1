// The groups of the core, sorted. First lines of help are dokku's where dokku has the group.
#include "commands/table.hpp"

#include <algorithm>
#include <array>

namespace davit {

std::span<const CoreCommand> app_json_commands();  // app_json.cpp

namespace {

constexpr std::array kGroups{
    CoreGroup{{"app-json", "Manage where app.json is"}, app_json_commands},
    CoreGroup{{"apps", "Manage apps"}, app_commands},
    CoreGroup{{"builds", "Manage running builds"}, builds_commands},
    CoreGroup{{"checks", "Manage zero-downtime settings"}, check_commands},
    CoreGroup{{"completion", "Print a completion script for bash or zsh"}, completion_commands},
    CoreGroup{{"config", "Manage global and app-specific config vars"}, config_commands},
    CoreGroup{{"deploys", "Show, follow and cancel deployments"}, deploy_commands},
    CoreGroup{{"doctor", "Check the whole installation"}, doctor_commands},
    CoreGroup{{"domains", "Manage domains used by the proxy"}, domain_commands},
    CoreGroup{{"enter", "Enter running app containers"}, enter_commands},
    CoreGroup{{"git", "Manage app deploys via git"}, git_commands},
    CoreGroup{{"help", "Show help"}, help_commands},
    CoreGroup{{"init", "Make a new home"}, init_commands},
    CoreGroup{{"logs", "Manage log integration for an app"}, log_commands},
    CoreGroup{{"plugin", "Manage installed plugins"}, plugin_commands},
    CoreGroup{{"ps", "Manage app processes"}, process_commands},
    CoreGroup{{"releases", "Show releases and roll back"}, release_commands},
    CoreGroup{{"report", "Show the reports of all groups"}, report_commands},
    CoreGroup{{"resource", "Manage resource settings for an app"}, resource_commands},
    CoreGroup{{"retention", "Manage how much of an app's past is kept"}, retention_commands},
    CoreGroup{{"run", "Run a one-off process inside a container"}, run_commands},
    CoreGroup{{"service-image", "Manage the images of services"}, service_image_commands},
    CoreGroup{{"ssh-keys", "Manage public ssh keys used for deployment"}, ssh_key_commands},
    CoreGroup{{"storage", "Manage mounted volumes"}, storage_commands},
    CoreGroup{{"system", "Start and stop everything of this home"}, system_commands},
    CoreGroup{{"version", "Print davit's version"}, version_commands},
};
static_assert(std::ranges::is_sorted(kGroups, {}, [](const CoreGroup& group) { return group.help.name; }));

}  // namespace

std::span<const CoreGroup> core_groups() {
  return kGroups;
}

const CoreCommand* find_core_command(std::string_view name) {
  const std::string_view group = group_name(name);
  const auto found =
      std::ranges::find_if(kGroups, [&](const CoreGroup& candidate) { return candidate.help.name == group; });
  if (found == kGroups.end()) return nullptr;
  for (const CoreCommand& command : found->commands()) {
    if (command.spec.name == name) return &command;
  }
  return nullptr;
}

}  // namespace davit
