// The output of buildpacks, sorted line by line into steps, headers, warnings and detail, so that it looks
// like davit's own. It runs outside the sandbox, on the stream that the task gives: no pipe, so no exit code
// can be lost.
#pragma once

#include <string>
#include <string_view>

#include "seams.hpp"

namespace davit::buildstep {

class BuildOutput {
 public:
  explicit BuildOutput(Screen& screen) : screen_(screen) {}

  /// Chunks of any size, cut anywhere.
  void write(std::string_view chunk);
  /// The unfinished last line, if there is one. To be called at the end.
  void flush();

 private:
  void line(std::string_view text);
  void cut();

  Screen& screen_;
  std::string rest_;
};

}  // namespace davit::buildstep
