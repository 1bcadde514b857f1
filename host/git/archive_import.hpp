// An archive as a tree of an app's repository: tar, tar.gz or zip. Nothing of it is unpacked to disk:
// libexec/davit/davit-archive turns every form into one plain stream, which is judged entry by entry and
// handed to git fast-import. Making a commit of the tree, and deploying it, is others'.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/call_context.hpp"
#include "base/result.hpp"
#include "git/git_command.hpp"
#include "git/source_rules.hpp"
#include "process/unique_fd.hpp"

namespace davit {

/// A file without a name in `folder`: gone with its descriptor, whatever ends us.
Result<UniqueFd> nameless_file(const std::filesystem::path& folder);

/// The archive's tree in the repository of `git`: an object id. A single folder that holds everything else is
/// left out, and so is a `.git` at the top. Refused (kInvalid), each with what to do: what is no tar, tar.gz
/// or zip or not of the `type` that was said ("": any), names with "..", absolute names, devices and the
/// like, more bytes or files than the rules allow (said while it is read, so that a small archive cannot
/// become a large one), and an archive without files. `archive` is read from its beginning, by the program
/// `reader` (davit-archive). Scratch is in `folder`.
Result<std::string> import_archive(const GitCommand& git, ProcessRunner& processes, const SourceRules& rules,
                                   const std::filesystem::path& reader, int archive, std::string_view type,
                                   const std::filesystem::path& folder, const CallContext& context);

}  // namespace davit
