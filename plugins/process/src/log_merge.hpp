// The logs of an owner's instances as one stream by time, and its continuation as they grow.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "davit/instances.hpp"
#include "log_reader.hpp"

namespace davit::process_plugin {

/// Folders are OWNERFOLDER/REVISION.TYPE.N; those of instances that are gone count too.
/// Threads: one at a time.
class LogMerge {
 public:
  LogMerge(std::string owner_folder, sdk::Selector selector);

  /// Everything that is there now, or the last query.lines of it, from query.since_unix_ms on.
  void read_present(const sdk::LogQuery& query, const sdk::LogOutput& out);
  /// What is new since, in new folders too. Waits for a change, at most `wait_ms` (the way to look whether
  /// somebody wants this to stop).
  void read_new(int wait_ms, const sdk::LogOutput& out);

  ~LogMerge();
  LogMerge(const LogMerge&) = delete;
  LogMerge& operator=(const LogMerge&) = delete;

 private:
  void find_folders();
  void watch(const std::string& folder) const;
  void wait(int wait_ms) const;

  std::string owner_folder_;
  sdk::Selector selector_;
  std::vector<std::unique_ptr<LogReader>> readers_;
  int inotify_ = -1;
};

}  // namespace davit::process_plugin
