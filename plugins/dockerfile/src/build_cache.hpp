// What the classic builder leaves behind: images of steps, without name or label, that the next build may go
// on from. Those that no finished image stands on are written down, so that they can be removed: after a
// build that did not need them, and by system:collect. Only what a build of ours has made is ever removed.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "davit/host.hpp"
#include "davit/payloads.hpp"
#include "engine/asking.hpp"

namespace davit::dockerfile {

/// Reads the classic builder's words, message by message. Pure.
class BuildSteps {
 public:
  void read(const std::string& text);
  /// In which container the present step runs; empty: in none.
  [[nodiscard]] const std::string& container() const { return container_; }
  /// Images that this build has made and that nothing was made on since, the last one included.
  [[nodiscard]] std::set<std::string> tops() const;
  /// Every image that it named, also those that were there before.
  [[nodiscard]] const std::set<std::string>& named() const { return named_; }

 private:
  std::set<std::string> ends_;  ///< of stages that are over
  std::set<std::string> named_;
  std::string top_;
  std::string container_;
  bool begins_stage_ = false;
  bool cached_ = false;
};

class BuildCache {
 public:
  BuildCache(const sdk::Host& host, const sdk::Call& call, docker::Engine& engine)
      : host_(host), call_(call), engine_(engine) {}

  /// After a build of `app` that began at `since_unix_ms`. Succeeded: what earlier builds of the app have
  /// left and this one did not name goes.
  void settle(const std::string& app, const BuildSteps& steps, bool succeeded,
              std::int64_t since_unix_ms) const;
  /// system.collect: all that is written down, but of apps that are being worked on, or were made meanwhile.
  void collect(const sdk::CollectEvent& event) const;

 private:
  bool is_made_since(const std::string& id, std::int64_t since_unix_ms) const;
  /// True if it is gone, or is no leftover any more.
  bool remove(const std::string& id) const;

  const sdk::Host& host_;
  const sdk::Call& call_;
  docker::Engine& engine_;
};

}  // namespace davit::dockerfile
