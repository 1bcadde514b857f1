// What runs once: builds, the release command, `davit run`, and commands in running instances.
#pragma once

#include "container_spec.hpp"
#include "containers.hpp"
#include "images.hpp"
#include "networks.hpp"
#include "pump.hpp"
#include "records.hpp"

namespace davit::docker_plugin {

/// Threads: one at a time.
class Tasks {
 public:
  Tasks(const Base& base, Images& images, Networks& networks, const Records& records)
      : base_(base), images_(images), networks_(networks), records_(records) {}

  std::int32_t run_task(const sdk::Call& call, const sdk::Task& task);
  std::int32_t exec(const sdk::Call& call, const sdk::Exec& exec);
  /// Removes containers, and ends commands in instances, whose davit was killed while it waited for them.
  void sweep(const sdk::Call& call);

 private:
  struct Running;
  ContainerSpec spec_for(const sdk::Call& call, const sdk::Task& task, bool is_build);
  std::string network_for(const sdk::Call& call, const sdk::Task& task, bool is_build);
  std::string create(const sdk::Call& call, const sdk::Task& task, const ContainerSpec& spec);
  std::int32_t wait_for(const sdk::Call& call, const sdk::Task& task, Running& running);
  void end(Running& running, std::uint64_t stop_timeout_ms);
  void signal(const std::string& id, const char* name);
  void tell_of_memory(const sdk::Task& task, const std::string& id);
  void sweep_execs(const sdk::Call& call);
  bool end_exec(Pump& pump, const std::string& container, const std::string& exec_id);

  const Base& base_;
  Images& images_;
  Networks& networks_;
  const Records& records_;
};

}  // namespace davit::docker_plugin
