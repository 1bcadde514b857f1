// To whom a program that a plugin asks for is run: the `user` fields of davit.host.process and supervise.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "plugin/plugin_host.hpp"
#include "process/process_runner.hpp"

namespace davit {

/// "": as we are; "app": the app user where there is one; "root": only for root; else an account or uid
/// (owner root only, unless it is ourselves). kDenied "user-denied", kNotFound "user-missing".
Result<std::optional<RunAs>> run_as(const PluginServices& services, std::string_view user);

/// kInvalid if a text has a NUL: it would be cut there.
Result<> check_no_nul(const std::vector<std::string>& texts, std::string_view what);

}  // namespace davit
