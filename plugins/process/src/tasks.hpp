// What runs once: run_task (builds, release commands, `run`) and exec (`enter`). Each task has a folder of
// its own that is gone when it ends; one whose davit was killed is swept by the next.
#pragma once

#include <string>

#include "config.hpp"
#include "davit/host.hpp"
#include "davit/instances.hpp"
#include "machine.hpp"
#include "records.hpp"

namespace davit::process_plugin {

/// Threads: one at a time.
class Tasks {
 public:
  Tasks(const sdk::Host& host, const Records& records, Machine& machine)
      : host_(host), records_(records), machine_(machine) {}

  std::int32_t run_task(const sdk::Call& call, const sdk::Task& task);
  std::int32_t exec(const sdk::Call& call, const sdk::Exec& exec);
  /// Removes the folders of tasks whose davit is gone.
  void sweep() const;

 private:
  class Folder;

  sdk::Process sandboxed(const sdk::Task& task, const RunUser& user, const std::string& folder,
                         const sdk::Pairs& env) const;
  sdk::Process plain(const sdk::Task& task, const RunUser& user, const std::string& folder,
                     const sdk::Pairs& env) const;
  sdk::Strings task_options(const sdk::Task& task, const std::string& folder) const;

  const sdk::Host& host_;
  const Records& records_;
  Machine& machine_;
};

}  // namespace davit::process_plugin
