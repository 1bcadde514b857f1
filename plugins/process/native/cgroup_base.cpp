// See cgroup_base.hpp.
#include "cgroup_base.hpp"

#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

namespace davit::sandbox {
namespace {

constexpr char kSupervision[] = "/davit.supervision";

bool has_mark(const std::string& folder, const char* name) {
  char mark = 0;
  return getxattr(folder.c_str(), name, &mark, 1) == 1 && mark == '1';
}

bool is_delegated(const std::string& folder) {
  if (has_mark(folder, "user.delegate") || has_mark(folder, "trusted.delegate")) return true;
  return geteuid() != 0 && access((folder + "/cgroup.subtree_control").c_str(), W_OK) == 0 &&
         access(folder.c_str(), W_OK) == 0;
}

std::string own_group(const std::string& own_table) {
  std::ifstream table(own_table);
  std::string line;
  while (std::getline(table, line)) {
    if (!line.starts_with("0::/") || line.find("/..") != std::string::npos) continue;
    std::string own = line.substr(3);
    if (own.ends_with(kSupervision)) own.resize(own.size() - (sizeof kSupervision - 1));
    return own == "/" ? "" : own;
  }
  return {};
}

}  // namespace

std::string cgroup2_base(const std::string& mount, const std::string& own_table) {
  const std::string own = own_group(own_table);
  if (!own.empty() && is_delegated(mount + own)) return mount + own;
  return access(mount.c_str(), W_OK) == 0 ? mount : "";
}

bool is_machine_root(const std::string& base) {
  return access((base + "/cgroup.type").c_str(), F_OK) != 0;
}

std::string supervision_folder(const std::string& base) {
  return base + kSupervision;
}

}  // namespace davit::sandbox
