// A program that takes too long is a failed program to its caller, who knows what it was for; a cancelled
// build goes up.
#include "host_adapters.hpp"

#include <fmt/core.h>

namespace davit::buildstep {

int HostPrograms::run(const Program& program) {
  constexpr int kTimedOut = 124;  // as timeout(1) has it
  sdk::Process process;
  process.argv = program.argv;
  process.env = program.env;
  process.input = program.input;
  process.timeout_ms = program.timeout_ms;
  process.out = program.out;
  process.err = program.err;
  try {
    return host_.processes(call_).run(process);
  } catch (const sdk::HostFailure& failure) {
    if (failure.status() != DAVIT_TIMEOUT) throw;
    const sdk::Output& say = program.err ? program.err : program.out;
    if (say) say(fmt::format("it took longer than {} s", program.timeout_ms / 1000));
    return kTimedOut;
  }
}

}  // namespace davit::buildstep
