// The rows of storage:report, for reports.cpp.
#pragma once

#include "commands/property_commands.hpp"

namespace davit {

MoreRows storage_rows(Session& session);

}  // namespace davit
