// BuildpackStore: brings a buildpack's files to where a build wants them. Shipped ones come from share/, git
// repositories through a cached bare copy per URL, archives through a cached file, local folders directly.
// It runs nothing of a buildpack.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "files.hpp"
#include "seams.hpp"
#include "spec.hpp"

namespace davit::buildstep {

/// What an app may do with a folder or file of this machine: a developer must not read what only we may.
enum class PathUse {
  kAsItIs,    ///< the owner or the operator has named it
  kIfPublic,  ///< if everybody may read it
  kNever,     ///< it is davit's own
};

struct StoreConfig {
  std::filesystem::path shipped;                 ///< folder with one folder per shipped buildpack
  std::filesystem::path state;                   ///< kept between builds; shared by all apps; ours alone
  std::uint64_t timeout_ms = 10ULL * 60 * 1000;  ///< of one fetch
  /// Of what it is called and of what it really is, without links.
  std::function<PathUse(const std::string& named, const std::filesystem::path& real)> use_of_path;
};

class BuildpackStore {
 public:
  BuildpackStore(Programs& programs, Screen& screen, StoreConfig config)
      : programs_(programs), screen_(screen), config_(std::move(config)) {}

  /// Makes `folder` (which must not exist) a fresh writable copy of the buildpack. When a source does not
  /// answer but a copy from earlier is there, that is used, and a warning says so.
  /// @throws sdk::Failure buildpack-unavailable, buildpack-not-allowed, buildpack-invalid.
  void place(const BuildpackSpec& spec, const std::filesystem::path& folder);

 private:
  void place_git(const BuildpackSpec& spec, const std::string& url, const std::filesystem::path& folder);
  void place_archive(const BuildpackSpec& spec, const std::filesystem::path& folder);
  void download(const BuildpackSpec& spec, const std::filesystem::path& kept);
  void unpack(const BuildpackSpec& spec, const std::filesystem::path& archive,
              const std::filesystem::path& folder);
  void place_local(const BuildpackSpec& spec, const std::filesystem::path& folder);
  /// Throws if the app may not use it; else what is to look at all that is copied of it.
  Look check_path(const BuildpackSpec& spec, const std::filesystem::path& real) const;
  void check_buildpack(const BuildpackSpec& spec, const std::filesystem::path& folder) const;

  Programs& programs_;
  Screen& screen_;
  StoreConfig config_;
};

}  // namespace davit::buildstep
