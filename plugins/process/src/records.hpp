// What the plugin keeps of groups and instances: small files in its run folder, beside the copies they speak
// of, so that both are there or gone together. The definition itself (command, environment) is the
// supervision's to keep.
//
//   groups/OWNER.REVISION.TYPE             a file
//   instances/OWNER.REVISION.TYPE.N/       record (written last), app/ (the slug's copy)
//   tasks/NAME.RANDOM/                     lock, app/, tmp/
//   etc/                                   passwd, group and sources.list of all sandboxes
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "names.hpp"

namespace davit::process_plugin {

struct GroupRecord {
  std::uint32_t owner_kind = DAVIT_OWNER_APP;
  std::uint32_t count = 0;
};

struct InstanceRecord {
  std::uint32_t owner_kind = DAVIT_OWNER_APP;
  std::string digest;      ///< of the slug that was copied; empty: none
  std::uint32_t port = 0;  ///< 0: does not listen
  bool sandboxed = false;
  std::string cwd;        ///< where its program starts, inside (or on the host without a sandbox)
  std::uint32_t uid = 0;  ///< whom it runs as
  std::uint32_t gid = 0;

  friend bool operator==(const InstanceRecord&, const InstanceRecord&) = default;
};

/// Threads: one at a time. Different processes may use one folder as long as they work on different groups.
class Records {
 public:
  /// Makes the folders below `run`.
  explicit Records(std::string run);

  [[nodiscard]] std::string instance_folder(const InstanceName& name) const;
  [[nodiscard]] std::string tasks_folder() const { return run_ + "/tasks"; }
  [[nodiscard]] std::string etc_folder() const { return run_ + "/etc"; }
  [[nodiscard]] const std::string& run() const { return run_; }

  void write(const GroupName& name, const GroupRecord& record) const;
  void write(const InstanceName& name, const InstanceRecord& record) const;
  /// nullopt: none, or none that can be read.
  [[nodiscard]] std::optional<GroupRecord> group(const GroupName& name) const;
  [[nodiscard]] std::optional<InstanceRecord> instance(const InstanceName& name) const;
  void forget(const GroupName& name) const;

  /// Sorted by revision, type and number within an owner. Also half-made ones, that have a folder and no
  /// record.
  [[nodiscard]] std::vector<GroupName> groups() const;
  [[nodiscard]] std::vector<InstanceName> instances() const;

 private:
  [[nodiscard]] std::string group_file(const GroupName& name) const;
  std::string run_;
};

}  // namespace davit::process_plugin
