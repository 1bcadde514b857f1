// What really runs of an app, as the worker's `ps` operation tells it: one JSON object a line.
#pragma once

#include <string>
#include <vector>

#include "commands/session.hpp"

namespace davit {

struct InstanceLine {
  std::string id;
  std::string type;
  std::string number;
  std::string state;
  std::string exit_code;  ///< of its last end; empty: it has not ended yet
  std::string json;       ///< the whole line
};

/// Starts a worker. Sorted as the worker lists them.
Result<std::vector<InstanceLine>> list_instances(Session& session, const App& app);
/// The lines of any worker operation that prints such objects.
Result<std::vector<InstanceLine>> read_instance_lines(std::string_view text);

}  // namespace davit
