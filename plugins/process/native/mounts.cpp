// The mode `mount`: see modes.hpp.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "modes.hpp"

namespace davit::sandbox {
namespace {

[[noreturn]] void refuse(const InnerMount& mount, const std::string& why) {
  die("nothing can be mounted at " + mount.target + ": " + why);
}

int make(int folder, const std::string& name, bool is_folder) {
  if (is_folder) return mkdirat(folder, name.c_str(), 0755);
  return mknodat(folder, name.c_str(), S_IFREG | 0644, 0);
}

/// What the target is on the host, opened by one name after the other. What is missing is made, if there is a
/// source; -1 for a look.
int open_target(const InnerMount& mount, bool is_folder) {
  int here = open(mount.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (here < 0) die_errno(mount.folder);
  std::size_t end = mount.around.size();
  while (end < mount.target.size()) {
    const std::size_t begin = end + 1;
    end = std::min(mount.target.find('/', begin), mount.target.size());
    const std::string name = mount.target.substr(begin, end - begin);
    const auto open_next = [&] { return openat(here, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC); };
    int next = open_next();
    if (next < 0 && errno == ENOENT) {
      if (mount.source.empty()) return -1;
      const bool made = make(here, name, is_folder || end < mount.target.size()) == 0;
      if (!made && errno != EEXIST) refuse(mount, std::strerror(errno));
      next = open_next();
    }
    struct stat facts {};
    if (next < 0 || fstat(next, &facts) != 0) refuse(mount, std::strerror(errno));
    if (S_ISLNK(facts.st_mode))
      refuse(mount, mount.target.substr(0, end) + " is a link; take it away, or mount elsewhere");
    close(here);
    here = next;
  }
  return here;
}

void mount_there(const InnerMount& mount) {
  const int tree =
      open_tree(AT_FDCWD, mount.source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  struct stat facts {};
  if (tree < 0 || fstat(tree, &facts) != 0) die_errno(mount.source);
  // All that bwrap would set, by the path at which it finds it.
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (mount.read_only ? MOUNT_ATTR_RDONLY : 0U);
  if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) != 0)
    refuse(mount, std::strerror(errno));
  const int target = open_target(mount, S_ISDIR(facts.st_mode));
  if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
    refuse(mount, std::strerror(errno));
  close(target);
  close(tree);
}

}  // namespace

int run_mount(const Options& options) {
  const bool ours =
      std::ranges::any_of(options.inner, [](const InnerMount& mount) { return !mount.source.empty(); });
  if (ours && (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) != 0))
    die_errno("mounts of our own");
  const mode_t mask = umask(0);
  for (const InnerMount& mount : options.inner) {
    if (!mount.source.empty()) {
      mount_there(mount);
    } else if (const int seen = open_target(mount, true); seen >= 0) {
      close(seen);
    }
  }
  umask(mask);
  execvp(options.argv.front(), options.argv.data());
  die_errno(options.argv.front());
}

}  // namespace davit::sandbox
