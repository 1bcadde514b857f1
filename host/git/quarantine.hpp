// A push's objects lie in a quarantine folder that git deletes when the pusher goes away. They are linked
// into the repository before the deployment begins, so that it loses nothing.
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace davit {

/// Hard-links (or copies) every object file of `quarantine` (GIT_QUARANTINE_PATH) to its place below
/// `objects`. Existing files are the same objects and stay. git's own migration afterwards finds them there
/// and is content.
Result<> adopt_objects(const std::filesystem::path& quarantine, const std::filesystem::path& objects);

/// Removes incoming-* folders older than a day: left behind by a receive-pack that was killed.
void sweep_quarantines(const std::filesystem::path& objects);

}  // namespace davit
