// The real program behind a stand-in: found in PATH, run, or become.
#pragma once

#include <string>

#include "request.hpp"

namespace davit::downloads {

/// The first program of that name in PATH that is not this one; empty: there is none.
std::string find_real(const std::string& name);

/// Runs it to its end with our stdin and stderr; its stdout goes to the file `out`. Exit code, 128 + signal,
/// or 127.
int run_program(const std::string& program, const Words& arguments, const std::string& out);

/// Becomes it. Returns only if that fails: 126 or 127, as shells have it.
int become_program(const std::string& program, const std::string& name, const Words& arguments);

}  // namespace davit::downloads
