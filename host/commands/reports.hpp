// The rows of each group's report that are facts and no properties. Used by GROUP:report and by `report`.
#pragma once

#include "commands/property_commands.hpp"

namespace davit {

MoreRows app_rows(Session& session);
MoreRows check_rows(Session& session);
MoreRows domain_rows(Session& session);
MoreRows git_rows(Session& session);
/// `with_status`: also asks the runtime, which starts a worker.
MoreRows process_rows(Session& session, bool with_status);
MoreRows resource_rows(Session& session);

}  // namespace davit
