// The script is constant; comments only cost space in every release's record.
#include "launcher.hpp"

namespace davit::buildstep {

sdk::Strings launcher_argv(std::string_view script) {
  std::string text;
  while (!script.empty()) {
    const std::size_t end = script.find('\n');
    const std::string_view line = script.substr(0, end);
    script.remove_prefix(end == std::string_view::npos ? script.size() : end + 1);
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string_view::npos || line[first] == '#') continue;
    text.append(line).append("\n");
  }
  return {"/bin/bash", "--noprofile", "--norc", "-c", text, "davit-start"};
}

}  // namespace davit::buildstep
