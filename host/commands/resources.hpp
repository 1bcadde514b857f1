// Limits and reservations: how they are written and kept. The lifecycle reads the numbers; what the user
// typed is kept beside them for reports.
#pragma once

#include <string>
#include <string_view>

#include "cli/layout.hpp"
#include "store/store.hpp"

namespace davit {

/// What holds for every process type without a value of its own.
inline constexpr std::string_view kDefaultType = "_default_";

/// "512m", "2g", "100" (MB) to bytes; "0.5", "2" to thousandths of a core; a plain count of processes.
/// `resource`: "memory", "cpu" or "pids".
Result<std::uint64_t> parse_resource(std::string_view resource, std::string_view value);

/// The store's key of the number: "web.limit.memory". `kind`: "limit" or "reserve".
std::string resource_key(std::string_view type, std::string_view kind, std::string_view resource);
/// Of what was typed.
std::string resource_text_key(std::string_view type, std::string_view kind, std::string_view resource);

/// Rows such as "resource-web-limit-memory" for everything that is set.
Result<> report_resources(Report& report, Store& store, AppId app);

}  // namespace davit
