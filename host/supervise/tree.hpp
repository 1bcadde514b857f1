// Tree: s6-svscan and the folders around it. Knows units only as names in folders. Private to this room.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "supervise/supervisor.hpp"
#include "supervise/unit_files.hpp"

namespace davit::detail {

/// FOLDER/scan/NAME -> ../units/NAME: what s6-svscan looks at. FOLDER/orphans/NAME: units whose s6-supervise
/// was left behind by a killed s6-svscan; davit-adopt gives them back to scan/ when that one ends.
/// FOLDER/held/NAME: what a start of the tree leaves down for a while. FOLDER/locks/NAME, FOLDER/log,
/// FOLDER/tree.lock.
class Tree {
 public:
  explicit Tree(const SupervisorSettings& settings) : settings_(&settings) {}

  [[nodiscard]] UnitFiles unit(std::string_view name) const { return UnitFiles(folder("units") / name); }
  [[nodiscard]] std::filesystem::path folder(std::string_view name) const { return settings_->folder / name; }

  [[nodiscard]] bool running() const;
  /// True: it was started now, without those that are `held` (none: all are started).
  Result<bool> ensure(const std::function<bool(std::string_view)>& held = {}) const;
  /// What was held goes back to scan/.
  Result<> release_held() const;
  [[nodiscard]] bool is_held(std::string_view name) const;
  Result<> stop(MonoMs until_mono_ms) const;
  Result<> make_folders() const;

  [[nodiscard]] bool linked(std::string_view name) const;
  Result<> link(std::string_view name) const;
  /// Out of both folders; its s6-supervise goes on until it is told.
  Result<> unlink(std::string_view name) const;
  /// Tells s6-svscan that scan/ has changed.
  void rescan() const;
  /// Its s6-supervise stops the unit and ends. kTimeout.
  Result<> end_supervisor(const UnitFiles& unit, MonoMs until_mono_ms) const;

 private:
  Result<> move(const std::string& name, std::string_view from, std::string_view to) const;
  Result<> set_orphans_aside() const;
  Result<> prepare_adopter() const;
  Result<> start_svscan() const;
  [[nodiscard]] std::vector<std::string> names_in(std::string_view folder_name) const;
  [[nodiscard]] std::filesystem::path control() const { return folder("scan") / ".s6-svscan" / "control"; }
  [[nodiscard]] std::filesystem::path svscan_lock() const { return folder("scan") / ".s6-svscan" / "lock"; }

  const SupervisorSettings* settings_;
};

/// Starts argv in a session of its own, as nobody's child, fds 0-2 on /dev/null and `log_fd`, `ready_fd` as
/// 3, all others closed.
Result<> spawn_detached(const std::vector<std::string>& argv, const std::string& cwd, int log_fd,
                        int ready_fd);

}  // namespace davit::detail
