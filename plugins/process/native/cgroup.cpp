// Control groups of tasks; see cgroup.hpp.
#include "cgroup.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "cgroup_base.hpp"

namespace davit::sandbox {
namespace {

constexpr char kParent[] = "/davit-tasks";
constexpr std::uint64_t kCpuPeriodUs = 100'000;

bool write_text(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool good = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return good;
}

/// Folders that a killed davit-sandbox left: the kernel refuses those that are in use.
void sweep(const std::string& parent) {
  DIR* folder = opendir(parent.c_str());
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') rmdir((parent + "/" + entry->d_name).c_str());
  }
  closedir(folder);
}

/// Processes and groups with controllers cannot be direct members of one group: those that are there, we
/// among them, move aside.
void make_room(const std::string& base) {
  constexpr int kRounds = 3;  // whoever is forked meanwhile is there in the next one
  const std::string folder = supervision_folder(base);
  for (int round = 0; round < kRounds; ++round) {
    std::ifstream processes(base + "/cgroup.procs");
    bool moved = false;
    for (std::string pid; std::getline(processes, pid);) {
      if (!moved) mkdir(folder.c_str(), 0755);
      moved = write_text(folder + "/cgroup.procs", pid) || moved;
    }
    if (!moved) return;
  }
}

std::string quota_us(std::uint64_t cpu_millis) {
  return std::to_string(cpu_millis * kCpuPeriodUs / 1000);
}

struct Mount {
  std::string path;
  std::string type;
  std::string options;  ///< of the file system: the controllers of v1
};

std::vector<Mount> cgroup_mounts() {
  std::vector<Mount> found;
  std::ifstream table("/proc/self/mounts");
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string device;
    Mount mount;
    words >> device >> mount.path >> mount.type >> mount.options;
    if (mount.type == "cgroup" || mount.type == "cgroup2") found.push_back(mount);
  }
  return found;
}

bool has_word(const std::string& list, const std::string& word) {
  return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

}  // namespace

TaskGroup::TaskGroup(const Options& options) {
  const bool asked = options.memory_bytes != 0 || options.pids != 0 || options.cpu_millis != 0;
  if (options.cgroup.empty() || !asked) return;
  for (const Mount& mount : cgroup_mounts()) {
    if (mount.type == "cgroup2") {
      make_v2(options, mount.path);
    } else {
      make_v1(options, mount.options, mount.path);
    }
  }
}

void TaskGroup::make_v1(const Options& options, const std::string& controllers, const std::string& mount) {
  const std::string parent = mount + kParent;
  if (options.memory_bytes != 0 && has_word(controllers, "memory")) {
    add(parent, options.cgroup, {{"memory.limit_in_bytes", std::to_string(options.memory_bytes)}});
  }
  if (options.pids != 0 && has_word(controllers, "pids")) {
    add(parent, options.cgroup, {{"pids.max", std::to_string(options.pids)}});
  }
  if (options.cpu_millis != 0 && has_word(controllers, "cpu")) {
    add(parent, options.cgroup,
        {{"cpu.cfs_period_us", std::to_string(kCpuPeriodUs)},
         {"cpu.cfs_quota_us", quota_us(options.cpu_millis)}});
  }
}

void TaskGroup::make_v2(const Options& options, const std::string& mount) {
  std::ifstream file(mount + "/cgroup.controllers");
  std::string controllers;
  std::getline(file, controllers);
  if (controllers.find("memory") == std::string::npos) return;  // a hybrid tree: v1 has them
  const std::string base = cgroup2_base(mount);
  if (base.empty()) return;
  if (!is_machine_root(base)) make_room(base);
  const std::string parent = base + kParent;
  mkdir(parent.c_str(), 0755);
  for (const char* controller : {"+memory", "+pids", "+cpu"}) {
    write_text(base + "/cgroup.subtree_control", controller);
    write_text(parent + "/cgroup.subtree_control", controller);
  }
  std::vector<std::pair<std::string, std::string>> settings;
  if (options.memory_bytes != 0) {
    settings.emplace_back("memory.max", std::to_string(options.memory_bytes));
    settings.emplace_back("memory.swap.max", "0");
  }
  if (options.pids != 0) settings.emplace_back("pids.max", std::to_string(options.pids));
  if (options.cpu_millis != 0) {
    settings.emplace_back("cpu.max", quota_us(options.cpu_millis) + " " + std::to_string(kCpuPeriodUs));
  }
  add(parent, options.cgroup, settings);
}

void TaskGroup::add(const std::string& parent, const std::string& name,
                    const std::vector<std::pair<std::string, std::string>>& settings) {
  const std::string folder = parent + "/" + name;
  bool made = false;
  for (int attempt = 0; attempt < 3 && !made; ++attempt) {  // the end of another task removes an empty parent
    mkdir(parent.c_str(), 0755);
    sweep(parent);
    made = mkdir(folder.c_str(), 0755) == 0;
  }
  if (!made) return;
  for (const auto& [file, value] : settings) write_text(folder + "/" + file, value);
  folders_.push_back(folder);
}

void TaskGroup::enter() const {
  for (const std::string& folder : folders_) {
    if (write_text(folder + "/cgroup.procs", "0")) continue;
    mkdir(folder.c_str(), 0755);  // swept by another task in this moment: limits are lost, the task is not
    write_text(folder + "/cgroup.procs", "0");
  }
}

bool TaskGroup::out_of_memory() const {
  for (const std::string& folder : folders_) {
    for (const char* name : {"/memory.oom_control", "/memory.events"}) {
      std::ifstream file(folder + name);
      std::string word;
      std::uint64_t count = 0;
      while (file >> word >> count) {
        if (word == "oom_kill" && count > 0) return true;
      }
    }
  }
  return false;
}

void TaskGroup::remove() const {
  for (const std::string& folder : folders_) {
    rmdir(folder.c_str());
    rmdir(folder.substr(0, folder.rfind('/')).c_str());  // refused while others are in it
  }
}

}  // namespace davit::sandbox
