// A build's user wrote most of what is read here, so links and kinds are checked on the open descriptor.
#include "source/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include <fmt/core.h>

#include "davit/failure.hpp"
#include "files/files.hpp"

namespace davit::source {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void refuse(std::string_view slug, const fs::path& path, std::string_view why) {
  throw sdk::Failure(DAVIT_FAILED, std::string(slug), fmt::format("{}: {}", path.filename().string(), why));
}

[[noreturn]] void system_failure(std::string_view what, const fs::path& path, int code) {
  throw sdk::Failure(code == ENOSPC || code == EDQUOT ? DAVIT_UNAVAILABLE : DAVIT_INTERNAL,
                     code == ENOSPC || code == EDQUOT ? "disk-full" : "file-unusable",
                     fmt::format("{} {}: {}", what, path.string(), std::strerror(code)),
                     code == ENOSPC || code == EDQUOT ? "Free disk space, then push again" : "");
}

/// Where a link of a tree leads, if it stays inside.
fs::path resolve_inside(const fs::path& file, const fs::path& tree) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  if (error) refuse("file-unusable", file, "it is a link to nothing");
  const fs::path root = fs::canonical(tree, error);
  const auto mismatch = std::mismatch(root.begin(), root.end(), real.begin(), real.end());
  if (error || mismatch.first != root.end())
    refuse("file-unusable", file, "it is a link that leads out of the app");
  return real;
}

std::string read_all(int fd, const fs::path& file, std::uint64_t limit_bytes) {
  std::string text;
  std::array<char, 16384> buffer;
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) system_failure("reading", file, errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > limit_bytes) {
      refuse("file-unusable", file, fmt::format("it is larger than {}", human_bytes(limit_bytes)));
    }
  }
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

[[noreturn]] void unusable(const fs::path& path, std::string_view why) {
  throw sdk::Failure(DAVIT_FAILED, "tree-unusable", fmt::format("{}: {}", path.string(), why));
}

void copy_bytes(int from, const fs::path& to, mode_t mode) {
  constexpr std::size_t kAtOnce = 1 << 30;
  const files::Descriptor out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.get() < 0) system_failure("writing", to, errno);
  for (ssize_t sent = 1; sent != 0;) {
    sent = ::sendfile(out.get(), from, nullptr, kAtOnce);
    if (sent < 0 && errno != EINTR) system_failure("writing", to, errno);
  }
  if (::fchmod(out.get(), mode & 0777) != 0) system_failure("writing", to, errno);
}

void copy_link(int folder, const char* name, const fs::path& to) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(folder, name, target.data(), target.size() - 1);
  if (size < 0 || ::symlink(target.data(), to.c_str()) != 0) system_failure("writing", to, errno);
}

void copy_entries(int from, const fs::path& to, const Look& look, bool top);

void copy_entry(int folder, const char* name, const fs::path& to, const Look& look) {
  struct stat facts {};
  if (::fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
    unusable(to.filename(), std::strerror(errno));
  if (S_ISLNK(facts.st_mode)) return copy_link(folder, name, to);
  if (!S_ISDIR(facts.st_mode) && !S_ISREG(facts.st_mode)) return;
  const files::Descriptor fd(
      ::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  // Once more: by now the name may stand for something else.
  if (fd.get() < 0 || ::fstat(fd.get(), &facts) != 0) unusable(to.filename(), std::strerror(errno));
  if (!S_ISDIR(facts.st_mode)) return copy_open_file(fd.get(), to, look);
  if (look) look(facts);
  if (::mkdir(to.c_str(), 0700) != 0) system_failure("making", to, errno);
  copy_entries(fd.get(), to, look, false);
  if (::chmod(to.c_str(), (facts.st_mode & 0777) | 0700) != 0) system_failure("making", to, errno);
}

void copy_entries(int from, const fs::path& to, const Look& look, bool top) {
  const int own = ::openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const Folder folder(own < 0 ? nullptr : ::fdopendir(own));
  if (!folder) unusable(to.filename(), std::strerror(errno));
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || (top && name == ".git")) continue;
    copy_entry(from, entry->d_name, to / name, look);
  }
}

}  // namespace

std::optional<std::string> read_small_file(const fs::path& file, std::uint64_t limit_bytes,
                                           const fs::path& tree) {
  fs::path path = file;
  std::error_code error;
  const auto status = fs::symlink_status(file, error);
  if (status.type() == fs::file_type::not_found) return std::nullopt;
  if (status.type() == fs::file_type::symlink) {
    if (tree.empty()) refuse("file-unusable", file, "it is a symbolic link");
    path = resolve_inside(file, tree);
  }
  const files::Descriptor fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fd.get() < 0) system_failure("reading", file, errno);
  struct stat kind {};
  if (::fstat(fd.get(), &kind) != 0) system_failure("reading", file, errno);
  if (!S_ISREG(kind.st_mode)) refuse("file-unusable", file, "it is not a regular file");
  return read_all(fd.get(), file, limit_bytes);
}

void write_env_dir(const fs::path& dir, const sdk::Pairs& env) {
  if (::mkdir(dir.c_str(), 0700) != 0) system_failure("making", dir, errno);
  for (const auto& [name, value] : env) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos) {
      continue;
    }
    const fs::path file = dir / name;
    const files::Descriptor fd(
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd.get() < 0) system_failure("writing", file, errno);
    for (std::string_view left = value; !left.empty();) {
      const ssize_t put = ::write(fd.get(), left.data(), left.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) system_failure("writing", file, errno);
      left.remove_prefix(static_cast<std::size_t>(put));
    }
  }
}

void copy_tree(int from, const fs::path& to, const Look& look) {
  struct stat facts {};
  if (::fstat(from, &facts) != 0) unusable(to, std::strerror(errno));
  if (look) look(facts);
  std::error_code error;
  fs::create_directories(to, error);
  if (error) system_failure("making", to, error.value());
  copy_entries(from, to, look, true);
}

void copy_tree(const fs::path& from, const fs::path& to) {
  const files::Descriptor folder(::open(from.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) unusable(from, std::strerror(errno));
  copy_tree(folder.get(), to);
}

void copy_open_file(int from, const fs::path& to, const Look& look) {
  struct stat facts {};
  if (::fstat(from, &facts) != 0) unusable(to.filename(), std::strerror(errno));
  if (!S_ISREG(facts.st_mode)) unusable(to.filename(), "it is not a regular file");
  if (look) look(facts);
  copy_bytes(from, to, facts.st_mode);
}

TreeSize measure_tree(const fs::path& tree) {
  TreeSize size;
  try {
    for (const auto& entry : fs::recursive_directory_iterator(tree)) {
      ++size.files;
      const auto type = entry.symlink_status().type();
      if (type == fs::file_type::regular) {
        size.bytes += entry.file_size();
      } else if (type != fs::file_type::directory && type != fs::file_type::symlink && size.special.empty()) {
        size.special = entry.path().lexically_relative(tree).string();
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw sdk::Failure(DAVIT_FAILED, "tree-unusable", error.what());
  }
  return size;
}

bool readable_by_all(const struct stat& facts) {
  if (S_ISLNK(facts.st_mode)) return true;
  const mode_t wanted = S_ISDIR(facts.st_mode) ? S_IROTH | S_IXOTH : S_IROTH;
  return (facts.st_mode & wanted) == wanted;
}

bool reachable_by_all(const fs::path& real) {
  for (fs::path above = real.parent_path(); above.has_relative_path(); above = above.parent_path()) {
    struct stat facts {};
    if (::lstat(above.c_str(), &facts) != 0 || (facts.st_mode & S_IXOTH) == 0) return false;
  }
  return true;
}

bool readable_by_all(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error || !reachable_by_all(real)) return false;
  const auto readable = [](const fs::path& file) {
    struct stat facts {};
    return ::lstat(file.c_str(), &facts) == 0 && readable_by_all(facts);
  };
  if (!readable(real)) return false;
  if (!fs::is_directory(real, error)) return true;
  for (auto entry = fs::recursive_directory_iterator(real, error);
       entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (error || !readable(entry->path())) return false;
  }
  return !error;
}

bool changed_by_us_only(const fs::path& real) {
  for (fs::path at = real;; at = at.parent_path()) {
    struct stat facts {};
    if (::lstat(at.c_str(), &facts) != 0) return false;
    const bool ours = facts.st_uid == 0 || facts.st_uid == ::geteuid();
    const bool our_group = facts.st_gid == 0 || facts.st_gid == ::getegid();
    const bool shared = (facts.st_mode & S_IWOTH) != 0 || ((facts.st_mode & S_IWGRP) != 0 && !our_group);
    // In a sticky folder, as /tmp, everybody can add, but nobody can take ours away.
    const bool sticky = at != real && (facts.st_mode & S_ISVTX) != 0;
    if (!ours || (shared && !sticky)) return false;
    if (!at.has_relative_path()) return true;
  }
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 || value >= 10 ? fmt::format("{:.0f} {}", value, units.at(unit))
                                  : fmt::format("{:.1f} {}", value, units.at(unit));
}

}  // namespace davit::source
