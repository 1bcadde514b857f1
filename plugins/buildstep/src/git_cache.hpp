// GitCache: one bare repository per URL, kept between builds and brought up to date before each. Only for
// buildpacks; apps' repositories are the host's.
#pragma once

#include <filesystem>
#include <string>

#include "seams.hpp"
#include "spec.hpp"

namespace davit::buildstep {

class GitCache {
 public:
  /// git runs in `home` (absolute), its HOME: an operator may put .ssh there. `folder` holds the bare
  /// repository.
  GitCache(Programs& programs, std::filesystem::path home, std::filesystem::path folder,
           std::uint64_t timeout_ms)
      : programs_(programs), home_(std::move(home)), folder_(std::move(folder)), timeout_ms_(timeout_ms) {}

  /// The commit that `spec` means now. `warning` is set when the source did not answer and an earlier copy
  /// serves.
  /// @throws sdk::Failure buildpack-unavailable with git's own last words, without credentials.
  std::string update(const BuildpackSpec& spec, const std::string& url, std::string& warning);

  /// Writes the commit's tree into `target`, which must exist and be empty.
  void check_out(const std::string& commit, const std::filesystem::path& target);

 private:
  struct Answer {
    int code = 0;
    std::string out;
    std::string err;
  };
  Answer git(sdk::Strings argv, const sdk::Pairs& more_env = {});
  std::string find_commit(const std::string& name);
  bool fetch(const BuildpackSpec& spec, const std::string& url, const sdk::Strings& refspecs,
             std::string& why);

  Programs& programs_;
  std::filesystem::path home_;
  std::filesystem::path folder_;
  std::uint64_t timeout_ms_;
};

}  // namespace davit::buildstep
