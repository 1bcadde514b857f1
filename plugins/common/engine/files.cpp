// See files.hpp.
#include "engine/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "davit/failure.hpp"

namespace davit::docker {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& path) {
  throw sdk::Failure(DAVIT_UNAVAILABLE, "file", "cannot " + what + " " + path + ": " + std::strerror(errno),
                     "see disk space and permissions of davit's home");
}

}  // namespace

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) refuse("write", temporary);
  const bool whole =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  close(fd);
  if (!whole || rename(temporary.c_str(), path.c_str()) != 0) refuse("write", path);
}

void remove_file(const std::string& path) {
  unlink(path.c_str());
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    errno = error.value();
    refuse("make the folder", path);
  }
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

std::int64_t modified_ns(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return 0;
  return static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1'000'000'000 + facts.st_mtim.tv_nsec;
}

FileLock::FileLock(const std::string& path) : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0) refuse("open", path);
  while (flock(fd_, LOCK_EX) != 0) {
    if (errno != EINTR) refuse("lock", path);
  }
}

FileLock::~FileLock() {
  close(fd_);
}

}  // namespace davit::docker
