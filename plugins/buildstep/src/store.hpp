// BuildpackStore: brings a buildpack's files to where a build wants them. Shipped ones come from share/, git
// repositories through a cached bare copy per URL, archives through a cached file, local folders directly.
// It runs nothing of a buildpack.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "seams.hpp"
#include "spec.hpp"

namespace davit::buildstep {

struct StoreConfig {
  std::filesystem::path shipped;                 ///< folder with one folder per shipped buildpack
  std::filesystem::path state;                   ///< kept between builds; shared by all apps; ours alone
  std::uint64_t timeout_ms = 10ULL * 60 * 1000;  ///< of one fetch
  /// May this app name this folder or file of the host? An app developer must not read what only we may.
  std::function<bool(const std::filesystem::path&)> may_use_path;
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
  void check_path(const BuildpackSpec& spec) const;
  void check_buildpack(const BuildpackSpec& spec, const std::filesystem::path& folder) const;

  Programs& programs_;
  Screen& screen_;
  StoreConfig config_;
};

}  // namespace davit::buildstep
