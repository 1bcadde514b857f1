// A slug's tree as a private, writable folder. Unpacked by tar as the user that will own it, never by root:
// the content is other people's.
#pragma once

#include <string>

#include "davit/host.hpp"
#include "sandbox.hpp"

namespace davit::process_plugin {

/// Makes `folder` (which must not exist) with the slug's content. Throws sdk::Failure: not found, unsupported
/// (an image), failed (damaged archive, disk full); a half-made folder is left for the caller to remove.
void copy_slug(const sdk::Host& host, const sdk::Call& call, const std::string& helper, const RunUser& user,
               const sdk::Artifact& artifact, const std::string& folder);

}  // namespace davit::process_plugin
