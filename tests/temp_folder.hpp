// TempFolder: a folder below the system's temporary one, removed at the end of its scope. It has its
// program's number in its name, so that what a killed program left is known, and a later one can remove it.
#pragma once

#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

namespace davit::test {

class TempFolder {
 public:
  /// PREFIX-PID-XXXXXX.
  explicit TempFolder(const std::string& prefix) {
    const std::string name = prefix + "-" + std::to_string(getpid()) + "-XXXXXX";
    std::string path = (std::filesystem::temp_directory_path() / name).string();
    if (mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Whether a running program was started with this text in its arguments.
inline bool is_argument_of_any(const std::string& text) {
  std::error_code ended;
  for (const auto& process : std::filesystem::directory_iterator("/proc", ended)) {
    std::ifstream in(process.path() / "cmdline", std::ios::binary);
    const std::string words{std::istreambuf_iterator<char>(in), {}};
    if (words.find(text) != std::string::npos) return true;
  }
  return false;
}

/// Removes folders of that prefix whose program has ended, and which nobody uses; `before` sees each first.
inline void sweep_temp_folders(const std::string& prefix,
                               const std::function<void(const std::string& folder)>& before = {}) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::temp_directory_path(), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix + "-")) continue;
    const char* const digits = name.c_str() + prefix.size() + 1;
    int pid = 0;
    const auto [end, bad] = std::from_chars(digits, name.c_str() + name.size(), pid);
    if (bad != std::errc() || *end != '-') continue;
    if (fs::exists("/proc/" + std::to_string(pid), error) || is_argument_of_any(entry.path().string()))
      continue;
    if (before) before(entry.path().string());
    std::ifstream mounts("/proc/self/mounts");
    std::vector<std::string> below;
    for (std::string source, at, rest; mounts >> source >> at && std::getline(mounts, rest);)
      if (at.starts_with(entry.path().string() + "/")) below.push_back(at);
    std::ranges::reverse(below);  // the innermost first
    const bool free = std::ranges::all_of(
        below, [](const std::string& at) { return umount2(at.c_str(), MNT_DETACH) == 0; });
    if (free) fs::remove_all(entry.path(), error);
  }
}

}  // namespace davit::test
