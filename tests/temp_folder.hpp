// TempFolder: a folder for tests, removed at the end of its scope. It has its program's number in its name,
// so that what a killed program left is known, and a later one can remove it.
#pragma once

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

namespace davit::test {

/// Whether a running program, other than this one, was started with this text in its arguments.
inline bool process_with_argument(const std::string& text) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos || name == std::to_string(getpid()))
      continue;
    const int fd = open((entry.path() / "cmdline").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;  // it has ended meanwhile, and may do so at any moment: a stream would throw then
    std::string line;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) line.append(buffer, static_cast<std::size_t>(got));
    close(fd);
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

/// Removes folders of that prefix whose program has ended, and which nobody uses; `before` sees each first.
inline void sweep_temp_folders(const std::string& prefix,
                               const std::function<void(const std::string& folder)>& before = {}) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (const fs::path& parent : {fs::temp_directory_path(), fs::path("/dev/shm")}) {
    for (const auto& entry : fs::directory_iterator(parent, error)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with(prefix + "-")) continue;
      const char* const digits = name.c_str() + prefix.size() + 1;
      int pid = 0;
      const auto [end, bad] = std::from_chars(digits, name.c_str() + name.size(), pid);
      if (bad != std::errc() || *end != '-') continue;
      if (fs::exists("/proc/" + std::to_string(pid), error) || process_with_argument(entry.path().string()))
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
}

class TempFolder {
 public:
  /// What is left of folders with this prefix is swept by the next program that makes one.
  static constexpr const char* kPrefix = "davit-test";

  /// PARENT/PREFIX-PID-XXXXXX, for its owner alone. Another prefix than kPrefix: whoever names it sweeps.
  explicit TempFolder(const std::string& prefix = kPrefix,
                      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    [[maybe_unused]] static const bool swept = (sweep_temp_folders(kPrefix), true);
    std::string path = parent / (prefix + "-" + std::to_string(getpid()) + "-XXXXXX");
    if (mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace davit::test
