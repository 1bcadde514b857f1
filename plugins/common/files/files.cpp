// See files.hpp.
#include "files/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "davit/failure.hpp"

namespace davit::files {
namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  throw sdk::Failure(full ? DAVIT_UNAVAILABLE : DAVIT_FAILED, full ? "disk-full" : "file-not-written",
                     what + " " + path.string() + ": " + std::strerror(error),
                     full ? "free some space on that disk and try again" : "");
}

void sync_directory(const std::filesystem::path& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) fail("cannot sync", path);
}

void write_all(int fd, const std::string& text, const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("cannot write", path);
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace

void write_file(const std::filesystem::path& path, const std::string& text, unsigned mode) {
  std::string temporary = path.string() + ".XXXXXX.tmp";
  const Descriptor file(::mkostemps(temporary.data(), 4, O_CLOEXEC));
  if (file.get() < 0) fail("cannot create", temporary);
  try {
    write_all(file.get(), text, temporary);
    if (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0) fail("cannot sync", temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail("cannot replace", path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_directory(path.parent_path());
}

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

void remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return;
    fail("cannot remove", path);
  }
  sync_directory(path.parent_path());
}

void make_dirs(const std::filesystem::path& path, unsigned mode) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (error) {
    throw sdk::Failure(DAVIT_FAILED, "file-not-written",
                       "cannot make " + path.string() + ": " + error.message());
  }
  if (made && ::chmod(path.c_str(), mode) != 0) fail("cannot set the mode of", path);
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

std::int64_t modified_ns(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return 0;
  return static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1'000'000'000 + facts.st_mtim.tv_nsec;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

FileLock::FileLock(const std::filesystem::path& path)
    : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (file_.get() < 0) fail("cannot open", path);
  while (::flock(file_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) fail("cannot lock", path);
  }
}

}  // namespace davit::files
