// What the engine cannot remember for us: groups without an instance, which containers davit stopped itself,
// and who waits for a command in one. Files in the plugin's folders.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config.hpp"
#include "names.hpp"

namespace davit::docker_plugin {

class Records {
 public:
  explicit Records(const Config& config);

  void keep_group(const InstanceName& group) const;
  void forget_group(const InstanceName& group) const;
  [[nodiscard]] bool has_group(const InstanceName& group) const;
  [[nodiscard]] std::vector<InstanceName> groups() const;

  /// `policy`: the restart policy that it gets back when it is started, as JSON; "" if it has kept it.
  void set_stopped(const std::string& container_id, const std::string& policy) const;
  void clear_stopped(const std::string& container_id) const;
  [[nodiscard]] bool is_stopped(const std::string& container_id) const;
  [[nodiscard]] std::string policy_of(const std::string& container_id) const;
  /// Stopped by system:stop, for the next system:start to bring back. clear_stopped() clears it, too.
  void set_halted(const std::string& container_id, const std::string& policy) const;
  [[nodiscard]] bool is_halted(const std::string& container_id) const;

  /// A command in an instance, for which this process waits.
  struct Exec {
    std::string id;
    std::string container;
    std::string runner;  ///< runner.hpp
  };
  void keep_exec(const Exec& exec) const;
  void forget_exec(const std::string& id) const;
  [[nodiscard]] std::vector<Exec> execs() const;

  /// The folder, on the host, that becomes /run/davit in containers: davit-init as it is now. A copy of its
  /// own for each version, since containers outlive an upgrade of davit.
  [[nodiscard]] std::string init_folder() const;

 private:
  [[nodiscard]] std::string group_file(const InstanceName& group) const;
  const Config& config_;
  mutable std::string init_folder_;
};

}  // namespace davit::docker_plugin
