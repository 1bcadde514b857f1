// What BuildKit says of a build: messages of its own, as protobuf in base64, of which steps and their output
// are read. Pure but for the call that they are shown to.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "davit/call.hpp"

namespace davit::dockerfile {

class BuildTrace {
 public:
  explicit BuildTrace(const sdk::Call& call) : call_(call), lines_(call) {}
  /// The `aux` of a "moby.buildkit.trace"; what cannot be read is left out.
  void feed(const std::string& base64);

 private:
  enum class Told : unsigned char { kNothing, kBegun, kEnded };
  void vertex(std::string_view message);
  void log(std::string_view message);

  const sdk::Call call_;
  sdk::DetailLines lines_;
  std::map<std::string, Told, std::less<>> told_;  ///< by a step's digest
};

}  // namespace davit::dockerfile
