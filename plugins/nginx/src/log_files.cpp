// See log_files.hpp.
#include "log_files.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "files/files.hpp"

namespace davit::nginx {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLongestText = 1024 * 1024;

std::vector<fs::path> larger_files(const fs::path& folder, std::uintmax_t largest) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::error_code gone;
    if (entry.path().extension() == ".1" || !entry.is_regular_file(gone) || entry.is_symlink(gone)) continue;
    if (entry.file_size(gone) > largest && !gone) found.push_back(entry.path());
  }
  return found;
}

// Copied and emptied, and not renamed: masters and workers have it open and append to it, and a worker may
// not open it anew by itself.
void copy_and_empty(const fs::path& log, std::uintmax_t largest) {
  const fs::path older = log.string() + ".1";
  std::error_code error;
  fs::remove(older, error);  // the disk may be full
  std::ifstream in(log, std::ios::binary);
  std::ofstream out(older, std::ios::binary);
  in.seekg(-static_cast<std::streamoff>(std::min(largest, fs::file_size(log, error))), std::ios::end);
  out << in.rdbuf();
  out.close();
  if (in && out) {
    fs::resize_file(log, 0, error);
  } else {
    fs::remove(older, error);
  }
}

}  // namespace

void bound_logs(const Settings& settings, std::uintmax_t largest) {
  if (settings.switching == Switching::kReload) {
    for (const auto& log : larger_files(settings.access_logs, largest)) {
      std::error_code ignored;  // workers find out when open_log_file_cache expires
      fs::rename(log, log.string() + ".1", ignored);
    }
  }
  if (larger_files(settings.logs, largest).empty()) return;
  const files::FileLock lock(settings.run + "/logs.lock");
  for (const auto& log : larger_files(settings.logs, largest)) copy_and_empty(log, largest);
}

void move_logs(const Settings& settings, const std::string& from, const std::string& to) {
  std::error_code ignored;
  const fs::path older = settings.access_logs + "/" + to + "-access.log.1";
  if (!fs::exists(older, ignored))
    fs::rename(settings.access_logs + "/" + from + "-access.log", older, ignored);
  remove_logs(settings, from);
}

void remove_logs(const Settings& settings, const std::string& app) {
  std::error_code ignored;
  for (const auto* end : {"", ".1"}) {
    fs::remove(settings.access_logs + "/" + app + "-access.log" + end, ignored);
    fs::remove(settings.logs + "/" + app + "-error.log" + end, ignored);
  }
}

LogSince::LogSince(const Settings& settings) : path_(settings.logs + "/error.log") {
  std::error_code error;
  const auto size = fs::file_size(path_, error);
  from_ = error ? 0 : size;
}

std::string LogSince::text() const {
  std::error_code error;
  const auto size = fs::file_size(path_, error);
  if (error || size == from_) return {};
  const auto from = size < from_ ? 0 : from_;  // emptied meanwhile
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(from));
  std::string text(std::min<std::uintmax_t>(size - from, kLongestText), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace davit::nginx
