// Careful file operations.
#include "process/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>

#include "process/sync_tree.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

Result<> write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(fmt::format("write {}", path.native()), errno));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

// Removes its file unless told that it was renamed.
class TempFile {
 public:
  explicit TempFile(fs::path path) : path_(std::move(path)) {}
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() {
    if (!kept_) ::unlink(path_.c_str());
  }
  void keep() { kept_ = true; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  bool kept_ = false;
};

Result<> write_and_rename(const fs::path& path, std::string_view bytes, mode_t mode, bool sync) {
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::string name = (folder / fmt::format(".{}.XXXXXX", path.filename().native())).native();
  UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.valid()) return fail(system_error(fmt::format("create a file in {}", folder.native()), errno));
  TempFile temp(name);
  if (::fchmod(fd.get(), mode) != 0) return fail(system_error(fmt::format("chmod {}", name), errno));
  DAVIT_TRY(write_all(fd.get(), bytes, path));
  if (sync && ::fsync(fd.get()) != 0) return fail(system_error(fmt::format("sync {}", path.native()), errno));
  if (::rename(name.c_str(), path.c_str()) != 0) {
    return fail(system_error(fmt::format("rename to {}", path.native()), errno));
  }
  temp.keep();
  if (sync) DAVIT_TRY(sync_folder(folder));
  return {};
}

struct CloseDir {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

constexpr int kDeepest = 200;  // nested folders that are held open at once

using Folder = std::unique_ptr<DIR, CloseDir>;

// Opened up for its owner if need be, which a symlink in its place cannot lead astray. Null: see errno.
Folder open_folder(int parent, const char* name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(::openat(parent, name, kFlags));
  if (!fd.valid() && errno == EACCES) {
    UniqueFd pinned(::openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (pinned.valid() && ::chmod(fmt::format("/proc/self/fd/{}", pinned.get()).c_str(), 0700) == 0)
      fd = UniqueFd(::openat(parent, name, kFlags));
  }
  if (!fd.valid()) return nullptr;
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && (info.st_mode & 0300) != 0300)
    ::fchmod(fd.get(), (info.st_mode & 07777) | 0700);
  Folder folder(::fdopendir(fd.get()));
  if (folder) (void)fd.release();
  return folder;
}

/// Removes one tree; folders are emptied through descriptors, so a swapped symlink leads nowhere. A tree may
/// be deeper than any path is long: what is nested beyond kDeepest is moved up into the top folder first, so
/// that neither the stack nor the descriptors end before the tree does. After a death in between it is still
/// there.
class TreeRemover {
 public:
  Result<> remove_entry(int parent, const char* name, const fs::path& shown, int depth = 0) {
    if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM && errno != EACCES && errno != EBUSY) return failed(shown, errno);
    const int why = errno;
    Folder folder = open_folder(parent, name);
    if (!folder) return errno == ENOENT ? Result<>{} : failed(shown, errno == ENOTDIR ? why : errno);
    if (depth > kDeepest) return move_up(parent, name, shown);
    if (depth == 0) top_ = ::dirfd(folder.get());
    while (true) {
      const unsigned moves_before = moves_;
      DAVIT_TRY(remove_content(folder.get(), shown, depth));
      if (::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
      if (depth > 0 || moves_ == moves_before) return failed(shown, errno);
      ::rewinddir(folder.get());  // what was moved up meanwhile
    }
  }

 private:
  static Result<> failed(const fs::path& shown, int error) {
    return fail(system_error(fmt::format("remove {}", shown.native()), error));
  }

  Result<> remove_content(DIR* folder, const fs::path& shown, int depth) {
    while (const dirent* entry = ::readdir(folder)) {
      const std::string_view child(entry->d_name);
      if (child == "." || child == "..") continue;
      DAVIT_TRY(remove_entry(::dirfd(folder), entry->d_name, shown / child, depth + 1));
    }
    return {};
  }

  Result<> move_up(int parent, const char* name, const fs::path& shown) {
    while (::renameat(parent, name, top_, fmt::format(".deep-{}", ++moves_).c_str()) != 0) {
      if (errno == ENOENT) return {};
      const bool is_taken = errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR;
      if (!is_taken) return failed(shown, errno);
    }
    return {};
  }

  int top_ = -1;  // of the folder that remove_entry holds open at depth 0
  unsigned moves_ = 0;
};

}  // namespace

Result<> write_file_atomic(const fs::path& path, std::string_view bytes, mode_t mode) {
  return write_and_rename(path, bytes, mode, true);
}

Result<> write_file_volatile(const fs::path& path, std::string_view bytes, mode_t mode) {
  return write_and_rename(path, bytes, mode, false);
}

namespace {

Result<std::string> read_all(const fs::path& path, int flags, std::size_t max_bytes) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (!fd.valid()) return fail(system_error(fmt::format("open {}", path.native()), errno));
  std::string bytes;
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const auto count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(fmt::format("read {}", path.native()), errno));
    if (count == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    if (bytes.size() > max_bytes) {
      return fail(Code::kInvalid, fmt::format("{} is larger than {} bytes", path.native(), max_bytes));
    }
  }
}

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t max_bytes) {
  return read_all(path, O_NOFOLLOW, max_bytes);
}

Result<std::string> read_named_file(const fs::path& path, std::size_t max_bytes) {
  return read_all(path, 0, max_bytes);
}

Result<> make_dir(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0) {
    if (errno != EEXIST) return fail(system_error(fmt::format("make folder {}", path.native()), errno));
  }
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOTDIR || errno == ELOOP) {
      return fail(Code::kConflict, fmt::format("{} exists and is not a folder", path.native()));
    }
    return fail(system_error(fmt::format("open {}", path.native()), errno));
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && (info.st_mode & 07777) == mode) return {};
  if (::fchmod(fd.get(), mode) != 0) return fail(system_error(fmt::format("chmod {}", path.native()), errno));
  return {};
}

Result<> make_dirs(const fs::path& path, mode_t mode) {
  const auto parent = path.parent_path();
  if (!parent.empty() && parent != path) {
    struct stat info {};
    if (::stat(parent.c_str(), &info) != 0) {
      if (errno != ENOENT) return fail(system_error(fmt::format("look at {}", parent.native()), errno));
      DAVIT_TRY(make_dirs(parent, mode));
    }
  }
  return make_dir(path, mode);
}

Result<> remove_tree(const fs::path& path) {
  auto clean = path.lexically_normal();
  if (!clean.has_filename()) clean = clean.parent_path();  // a final slash
  const auto folder = clean.has_parent_path() ? clean.parent_path() : fs::path(".");
  const auto name = clean.filename();
  if (name.empty() || name == "." || name == "..") {
    return fail(Code::kInvalid, fmt::format("refusing to remove {}", path.native()));
  }
  UniqueFd parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid()) {
    if (errno == ENOENT) return {};
    return fail(system_error(fmt::format("open {}", folder.native()), errno));
  }
  return TreeRemover().remove_entry(parent.get(), name.c_str(), clean);
}

}  // namespace davit
