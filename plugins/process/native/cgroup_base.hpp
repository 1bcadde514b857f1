// Below which folder of cgroup v2 we may make groups. What davit-unit of the host does for units
// (host/native/unit_cgroup.c), again, since a plugin is built without the host's sources.
#pragma once

#include <string>

namespace davit::sandbox {

/// Our own group, of `own_table` (as /proc/self/cgroup), where it is delegated to us (systemd's Delegate=, or
/// a normal user may write there); else `mount`; "" if nothing is writable. Of a group of whose processes
/// davit-unit made a folder beside the units', the group.
std::string cgroup2_base(const std::string& mount, const std::string& own_table = "/proc/self/cgroup");

/// Whether a group may have processes and pass controllers on at once: only the machine's root may.
bool is_machine_root(const std::string& base);

/// The folder of `base` for processes that are in it.
std::string supervision_folder(const std::string& base);

}  // namespace davit::sandbox
