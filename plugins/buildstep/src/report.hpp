// BuildReport: what the driver left in its result folder. Written by the build's user, so nothing in it is
// trusted: only small regular files, numbers in range, known words.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace davit::buildstep {

struct BuildReport {
  std::vector<std::size_t> chosen;  ///< buildpacks that ran, by number
  std::string phase;                ///< the last one begun: "detect", "compile" or "release"
  std::size_t phase_pack = 0;       ///< and of which buildpack
  std::optional<int> failed;        ///< exit code of the script that ended the build
  bool done = false;
  std::string release;  ///< the last bin/release output that says anything
  std::size_t release_pack = 0;
};

/// @throws sdk::Failure file-unusable if the folder has been tampered with.
BuildReport read_report(const std::filesystem::path& result, std::size_t pack_count);

}  // namespace davit::buildstep
