// See trees.hpp.
#include "trees.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "davit/failure.hpp"

namespace davit::process_plugin {
namespace {

constexpr int kDeepest = 256;  // nested folders that are held open at once

[[noreturn]] void fail_with(const std::string& what, const std::string& path) {
  const int error = errno;
  const std::string hint =
      error == ENOSPC || error == EDQUOT ? "free some space on the disk of DAVIT_HOME" : "";
  throw sdk::Failure(DAVIT_UNAVAILABLE, error == ENOSPC ? "disk-full" : "file",
                     what + " " + path + ": " + std::strerror(error), hint);
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Folder open_folder(int parent, const char* name) {
  int fd = openat(parent, name, kOpenFolder);
  if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
    fd = openat(parent, name, kOpenFolder);
  if (fd < 0) return nullptr;
  Folder folder(fdopendir(fd));
  if (!folder) close(fd);
  return folder;
}

bool is_dots(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

/// Removes one tree. Folders nested beyond kDeepest are moved up beside it first, so that neither the stack
/// nor the descriptors end before the tree does.
class Remover {
 public:
  explicit Remover(std::string top) : top_(std::move(top)) {}

  void run() {
    remove_entry(AT_FDCWD, top_.c_str(), top_, 0);
    while (!moved_.empty()) {
      const std::string next = std::move(moved_.back());
      moved_.pop_back();
      remove_entry(AT_FDCWD, next.c_str(), next, 0);
    }
  }

 private:
  void remove_entry(int parent, const char* name, const std::string& path, int depth) {
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return;
    if (errno != EISDIR && errno != EPERM) fail_with("remove", path);
    if (depth > kDeepest) return move_up(parent, name);
    {
      const Folder folder = open_folder(parent, name);
      if (!folder) {
        if (errno == ENOENT) return;
        fail_with("open", path);
      }
      remove_content(folder.get(), path, depth);
    }
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) fail_with("remove", path);
  }

  void remove_content(DIR* folder, const std::string& path, int depth) {
    struct stat facts {};
    const int fd = dirfd(folder);
    // A folder that its owner may not write cannot be emptied either.
    if (fstat(fd, &facts) == 0 && (facts.st_mode & 0700) != 0700) fchmod(fd, 0700);
    while (const dirent* entry = readdir(folder)) {
      if (!is_dots(entry->d_name)) remove_entry(fd, entry->d_name, path + "/" + entry->d_name, depth + 1);
    }
  }

  void move_up(int parent, const char* name) {
    std::string place = top_ + ".deep" + std::to_string(++moves_);
    if (renameat(parent, name, AT_FDCWD, place.c_str()) != 0) fail_with("move up", place);
    moved_.push_back(std::move(place));
  }

  std::string top_;
  std::vector<std::string> moved_;
  int moves_ = 0;
};

class Giver {
 public:
  Giver(std::uint32_t uid, std::uint32_t gid, bool linked_too)
      : uid_(uid), gid_(gid), linked_too_(linked_too) {}

  void give(int parent, const char* name, const std::string& path, int depth) const {
    struct stat facts {};
    if (fstatat(parent, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return;
      fail_with("look at", path);
    }
    const bool theirs = facts.st_uid == uid_ && facts.st_gid == gid_;
    const bool folder = S_ISDIR(facts.st_mode);
    if (!theirs && !folder && facts.st_nlink > 1 && !linked_too_) return;
    if (!theirs && fchownat(parent, name, uid_, gid_, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT) {
      fail_with("give away", path);
    }
    if (folder) give_content(parent, name, path, depth);
  }

 private:
  void give_content(int parent, const char* name, const std::string& path, int depth) const {
    if (depth > kDeepest) throw sdk::Failure(DAVIT_INVALID, "tree-too-deep", path + " is nested too deeply");
    const Folder folder = open_folder(parent, name);
    if (!folder) {
      if (errno == ENOENT) return;
      fail_with("open", path);
    }
    while (const dirent* entry = readdir(folder.get())) {
      if (is_dots(entry->d_name)) continue;
      give(dirfd(folder.get()), entry->d_name, path + "/" + entry->d_name, depth + 1);
    }
  }

  std::uint32_t uid_;
  std::uint32_t gid_;
  bool linked_too_;
};

}  // namespace

void make_folder(const std::string& path, unsigned mode) {
  struct stat status {};
  const bool is_there = stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  if (is_there && (status.st_mode & 07777U) == mode) return;  // the disk may be read-only
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) fail_with("make the folder", path);
  if (chmod(path.c_str(), mode) != 0) fail_with("set the mode of", path);
}

void write_file(const std::string& path, std::string_view bytes, unsigned mode) {
  const std::string temporary = path + "~";  // one that a kill leaves is no group's name
  const Fd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (fd.get() < 0 || fchmod(fd.get(), mode) != 0) fail_with("write", temporary);
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail_with("write", temporary);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (fsync(fd.get()) != 0) fail_with("sync", temporary);
  if (rename(temporary.c_str(), path.c_str()) != 0) fail_with("rename to", path);
  const std::string above = path.substr(0, path.rfind('/') + 1);
  const Fd folder(open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || fsync(folder.get()) != 0) fail_with("sync", above);
}

std::optional<std::string> read_file(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (fd.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    fail_with("read", path);
  }
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with("read", path);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

void remove_tree(const std::string& path) {
  Remover(path).run();
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  const Folder folder(opendir(path.c_str()));
  if (!folder) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    fail_with("list", path);
  }
  while (const dirent* entry = readdir(folder.get())) {
    if (!is_dots(entry->d_name)) names.emplace_back(entry->d_name);
  }
  std::ranges::sort(names);
  return names;
}

void give_tree(const std::string& path, std::uint32_t uid, std::uint32_t gid, bool linked_too) {
  Giver(uid, gid, linked_too).give(AT_FDCWD, path.c_str(), path, 0);
}

FileLock::FileLock(const std::string& path, bool wait) {
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.get() < 0) {
    if (errno == ENOENT && !wait) return;
    fail_with("open the lock", path);
  }
  while (flock(fd.get(), wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return;
    fail_with("lock", path);
  }
  fd_ = fd.release();
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace davit::process_plugin
