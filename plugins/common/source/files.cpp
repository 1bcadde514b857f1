// A build's user wrote most of what is read here, so links and kinds are checked on the open descriptor.
#include "source/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

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

void copy_tree(const fs::path& from, const fs::path& to) {
  try {
    fs::create_directories(to);
    for (auto entry = fs::recursive_directory_iterator(from); entry != fs::recursive_directory_iterator();
         ++entry) {
      if (entry.depth() == 0 && entry->path().filename() == ".git") {
        entry.disable_recursion_pending();
        continue;
      }
      const fs::path target = to / entry->path().lexically_relative(from);
      if (entry->is_symlink()) {
        fs::copy_symlink(entry->path(), target);
      } else if (entry->is_directory()) {
        fs::create_directory(target);
        fs::permissions(target, entry->status().permissions() | fs::perms::owner_all);
      } else if (entry->is_regular_file()) {
        fs::copy_file(entry->path(), target);
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw sdk::Failure(DAVIT_FAILED, "tree-unusable", error.what());
  }
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

bool readable_by_all(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return false;
  for (fs::path above = real.parent_path(); above.has_relative_path(); above = above.parent_path()) {
    if ((fs::status(above, error).permissions() & fs::perms::others_exec) == fs::perms::none || error)
      return false;
  }
  const auto readable = [](const fs::path& file) {
    std::error_code failed;
    const auto status = fs::symlink_status(file, failed);
    if (failed) return false;
    if (status.type() == fs::file_type::symlink) return true;
    const auto wanted = status.type() == fs::file_type::directory
                            ? fs::perms::others_read | fs::perms::others_exec
                            : fs::perms::others_read;
    return (status.permissions() & wanted) == wanted;
  };
  if (!readable(real)) return false;
  if (!fs::is_directory(real, error)) return true;
  for (auto entry = fs::recursive_directory_iterator(real, error);
       entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (error || !readable(entry->path())) return false;
  }
  return !error;
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
