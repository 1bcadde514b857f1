// See files.hpp.
#include "files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "davit/failure.hpp"

namespace davit::nginx {
namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path) {
  const int error = errno;
  throw sdk::Failure(DAVIT_FAILED, "file-not-written",
                     what + " " + path.string() + ": " + std::strerror(error),
                     error == ENOSPC ? "the disk is full: free some space and try again" : "");
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

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

FileLock::FileLock(const std::filesystem::path& path)
    : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0) fail("cannot open", path);
  while (::flock(fd_, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    ::close(fd_);
    fail("cannot lock", path);
  }
}

FileLock::~FileLock() {
  ::close(fd_);
}

}  // namespace davit::nginx
