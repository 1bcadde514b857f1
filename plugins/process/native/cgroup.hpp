// A control group for one task, where the machine's tree is writable (v1 or v2). Units of the supervision
// have their own from the host; this is for what runs once.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "options.hpp"

namespace davit::sandbox {

class TaskGroup {
 public:
  /// Makes davit-tasks/NAME with the limits that the options ask for. Where the tree is not writable nothing
  /// is made: limits are then not enforced, and the plugin says so beforehand.
  explicit TaskGroup(const Options& options);
  /// Moves the calling process in. For the child, before it drops its rights.
  void enter() const;
  /// True if the kernel ended something here for lack of memory.
  [[nodiscard]] bool out_of_memory() const;
  /// Removes the folders; whatever ran in them must be gone.
  void remove() const;

 private:
  void make_v1(const Options& options, const std::string& controllers, const std::string& mount);
  void make_v2(const Options& options, const std::string& mount);
  void add(const std::string& parent, const std::string& name,
           const std::vector<std::pair<std::string, std::string>>& settings);

  std::vector<std::string> folders_;
};

}  // namespace davit::sandbox
