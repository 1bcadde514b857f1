// UnitWatch: "something about this unit may have changed", by inotify on its folder and s6's. Private to this
// room.
#pragma once

#include <filesystem>
#include <optional>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "process/cancel.hpp"
#include "process/unique_fd.hpp"

namespace davit::detail {

class UnitWatch {
 public:
  /// From now on changes are remembered: look at the unit after this, then wait().
  static Result<UnitWatch> open(const std::filesystem::path& unit_folder);
  /// Until something may have changed since the last wait(), a second at most. kTimeout, kCancelled.
  /// `until_mono_ms` 0: for ever.
  Result<> wait(MonoMs until_mono_ms, const std::optional<CancelToken>& cancel);

 private:
  UnitWatch(UniqueFd fd, std::filesystem::path folder) : fd_(std::move(fd)), folder_(std::move(folder)) {}
  /// s6-supervise makes its folder after ours exists.
  void add_supervise();

  UniqueFd fd_;
  std::filesystem::path folder_;
};

}  // namespace davit::detail
