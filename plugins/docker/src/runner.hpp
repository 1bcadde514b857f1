// Which process waits for a task's container: boot, pid and start time. If that process is gone, so is the
// one who would have removed the container.
#pragma once

#include <string>

namespace davit::docker_plugin {

std::string this_runner();
/// False if that process has ended, or the machine was started anew since; true for text that is no runner.
bool runner_lives(const std::string& runner);

}  // namespace davit::docker_plugin
