// loader: a plugin's file into this process, after every check that can be made without running it. Boost.DLL
// stays behind it. What was loaded is never unloaded.
#pragma once

#include <davit/plugin.h>
#include <sys/types.h>

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "plugin/note.hpp"

namespace davit {

/// Whose plugin files may be loaded besides root's.
struct LoadTrust {
  uid_t owner = 0;  ///< of the home
};

/// kDenied "plugin-untrusted" unless root or `trust.owner` owns the file and nobody else may write it.
Result<> check_trust(const std::filesystem::path& file, const LoadTrust& trust);

/// Maps the file (RTLD_NOW, RTLD_LOCAL) and returns its descriptor, checked against the note: ABI major, id,
/// version, no missing function. `requires` is the catalog's to check before. Errors: kInvalid
/// "plugin-load-failed" with the dynamic linker's own words, "plugin-descriptor"; kDenied as above. Threads:
/// one.
Result<const davit_plugin_descriptor*> load_plugin(const std::filesystem::path& file, const PluginNote& note,
                                                   const LoadTrust& trust);

}  // namespace davit
