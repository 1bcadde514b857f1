// Ends a build that takes too long or writes too much, and a cancelled one. It is asked while the engine
// works, several times a second, and looks at the disk once a second.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "davit/host.hpp"
#include "engine/asking.hpp"

namespace davit::dockerfile {

struct BuildLimits {
  std::uint64_t time_ms = 0;     ///< 0: none
  std::uint64_t disk_bytes = 0;  ///< what all steps together may write; 0: no limit
};

class BuildWatch {
 public:
  BuildWatch(const sdk::Host& host, const sdk::Call& call, docker::Engine& engine, BuildLimits limits,
             bool names_containers);

  /// The step now runs in this container; empty: in none.
  void in_container(const std::string& id);
  /// Throws sdk::Failure for a build that is to end.
  void check();
  /// For the build's connection, which has no other bound.
  [[nodiscard]] docker::Patience patience();

 private:
  [[nodiscard]] std::uint64_t written();

  const sdk::Host& host_;
  const sdk::Call call_;
  docker::Engine& engine_;
  const BuildLimits limits_;
  const bool names_containers_;  ///< the classic builder does, BuildKit does not
  const std::int64_t begun_ms_;
  std::int64_t looked_ms_;
  std::string container_;
  std::uint64_t before_ = 0;  ///< by the steps that have ended
  std::uint64_t now_ = 0;     ///< by the step that runs
  std::string root_;          ///< where the engine keeps its data, if this machine sees it
  std::uint64_t free_ = 0;    ///< there, at the beginning
};

}  // namespace davit::dockerfile
