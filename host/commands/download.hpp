// Getting an archive: from a URL by curl, or from stdin, into a file of ours, no larger than allowed.
#pragma once

#include <cstdint>
#include <string>

#include "base/call_context.hpp"
#include "base/result.hpp"
#include "process/process_runner.hpp"

namespace davit {

/// Tries up to three times; the URL (which may have a password) is on no command line. `max_bytes` 0: any.
/// Errors: kInvalid "archive-too-large" with a hint; kFailed "download-failed" with curl's words.
Result<> download(ProcessRunner& processes, const std::string& url, int file, std::uint64_t max_bytes,
                  const CallContext& context);

/// All of `from` into `file`. Errors as above.
Result<> spool(int from, int file, std::uint64_t max_bytes, const CallContext& context);

}  // namespace davit
