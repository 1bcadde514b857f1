// See workers_folders.hpp.
#include "workers_folders.hpp"

#include <unistd.h>

#include <filesystem>
#include <functional>

#include "files/files.hpp"

namespace davit::nginx {
namespace fs = std::filesystem;
namespace {

constexpr const char* kOutside = "/var/lib/davit-nginx";
constexpr const char* kHomeFile = "/home";

// Can any user pass through every directory on the way to this one, and it?
bool everyone_passes(const fs::path& directory) {
  for (fs::path at = directory; !at.empty(); at = at.parent_path()) {
    std::error_code error;
    if ((fs::status(at, error).permissions() & fs::perms::others_exec) == fs::perms::none || error)
      return false;
    if (at == at.root_path()) break;
  }
  return true;
}

bool is_gone(const std::string& home) {
  std::error_code error;
  return fs::symlink_status(home, error).type() == fs::file_type::not_found;
}

// A home that we do not see, because it is hidden from our service, say, may be at work all the same.
bool its_nginx_runs(const std::string& home) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const auto title = files::read_file(entry.path() / "cmdline").value_or("");
    if (title.rfind("nginx: master process", 0) == 0 && title.find(home + "/") != std::string::npos)
      return true;
  }
  return false;
}

}  // namespace

std::string workers_folder(const std::string& home) {
  if (everyone_passes(home)) return home + "/nginx-workers";
  return std::string(kOutside) + "/" + std::to_string(std::hash<std::string>()(home));
}

void name_home(const std::string& home) {
  const auto folder = workers_folder(home);
  if (folder.rfind(kOutside, 0) != 0) return;
  files::make_dirs(folder);
  const auto text = home + "\n";
  if (files::read_file(folder + kHomeFile) != text) files::write_file(folder + kHomeFile, text, 0600);
}

std::vector<std::string> sweep_workers_folders() {
  std::vector<std::string> swept;
  if (::geteuid() != 0) return swept;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(kOutside, error)) {
    auto home = files::read_file(entry.path().string() + kHomeFile).value_or("");
    if (home.empty() || home.back() != '\n') continue;
    home.pop_back();
    if (!is_gone(home) || its_nginx_runs(home)) continue;
    std::error_code failed;
    fs::remove_all(entry.path(), failed);
    if (!failed) swept.push_back(home);
  }
  return swept;
}

}  // namespace davit::nginx
