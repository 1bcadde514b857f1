// What the engine needs of the outside world: programs, and the nginx that it drives. The plugin implements
// it with the host's interfaces, the tests with an nginx of their own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace davit::nginx {

struct ProgramResult {
  int exit_code = 0;
  std::string output;  // both streams
};

class Machine {
 public:
  virtual ~Machine() = default;
  virtual ProgramResult run(const std::vector<std::string>& argv) = 0;
  // Starts nginx (argv complete, in the foreground) if it is not running. Returns once that is asked for.
  virtual void start(const std::vector<std::string>& argv) = 0;
  // Asks the running master to read its configuration anew (SIGHUP).
  virtual void reload() = 0;
};

}  // namespace davit::nginx
