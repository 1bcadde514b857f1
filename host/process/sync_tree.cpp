// In two rounds: the first lets the kernel begin to write everything, the second waits for each. syncfs()
// would wait for all that others wrote to the same disk.
#include "process/sync_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "process/unique_fd.hpp"

namespace davit {
namespace {

enum class Round { kBegin, kWait };

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

/// 0, or errno.
int sync_one(int fd, bool is_folder, Round round) {
  if (round == Round::kWait) return ::fsync(fd) == 0 ? 0 : errno;
  // Where it cannot, the second round does all of it.
  if (!is_folder) (void)::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  return 0;
}

int sync_below(UniqueFd fd, Round round);

int sync_entry(int parent, const char* name, Round round) {
  UniqueFd fd(::openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  // Gone, a symlink, or a socket: there is nothing in it.
  if (!fd.valid()) return errno == ENOENT || errno == ELOOP || errno == ENXIO ? 0 : errno;
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return errno;
  if (S_ISDIR(facts.st_mode)) return sync_below(std::move(fd), round);
  return S_ISREG(facts.st_mode) ? sync_one(fd.get(), false, round) : 0;
}

int sync_below(UniqueFd fd, Round round) {
  const int folder = fd.get();
  const std::unique_ptr<DIR, CloseFolder> listing(::fdopendir(folder));
  if (!listing) return errno;
  (void)fd.release();
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (const int error = sync_entry(folder, entry->d_name, round); error != 0) return error;
  }
  return sync_one(folder, true, round);
}

UniqueFd open_folder(const std::filesystem::path& folder) {
  return UniqueFd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

Result<> sync_tree(const std::filesystem::path& folder) {
  for (const Round round : {Round::kBegin, Round::kWait}) {
    UniqueFd fd = open_folder(folder);
    const int error = fd.valid() ? sync_below(std::move(fd), round) : errno;
    if (error != 0) return fail(system_error(fmt::format("sync {}", folder.string()), error));
  }
  return {};
}

Result<> sync_folder(const std::filesystem::path& folder) {
  const UniqueFd fd = open_folder(folder);
  if (fd.valid() && ::fsync(fd.get()) == 0) return {};
  return fail(system_error(fmt::format("sync the folder {}", folder.string()), errno));
}

}  // namespace davit
