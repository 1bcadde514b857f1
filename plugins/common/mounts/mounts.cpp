// See mounts.hpp.
#include "mounts/mounts.hpp"

#include <unistd.h>

#include <filesystem>
#include <string>

#include "davit/failure.hpp"

namespace davit::mounts {

void check_mounts(const std::vector<sdk::Mount>& mounts, std::string_view own) {
  const std::string programs = std::string(own) + "/";
  for (const sdk::Mount& mount : mounts) {
    const bool absolute = mount.source.starts_with('/') && mount.target.starts_with('/');
    const std::string plain = std::filesystem::path(mount.target).lexically_normal();
    if (!absolute || mount.target != plain || mount.target.ends_with('/')) {
      throw sdk::Failure(DAVIT_INVALID, "mount",
                         "the mount " + mount.source + " at " + mount.target + " cannot be made",
                         "both must be absolute paths, without .. and a / at the end");
    }
    std::string target = mount.target + "/";
    if (target.starts_with("/var/run/")) target.erase(0, 4);  // most images have a link to /run there
    if (programs.starts_with(target) || target.starts_with(programs)) {
      throw sdk::Failure(DAVIT_INVALID, "mount",
                         "a mount at " + mount.target + " would hide davit's own programs in " + programs,
                         "mount it elsewhere");
    }
    if (access(mount.source.c_str(), F_OK) != 0) {
      throw sdk::Failure(DAVIT_NOT_FOUND, "mount-source",
                         "the folder " + mount.source + " to mount does not exist",
                         "create it, or remove the mount");
    }
  }
}

}  // namespace davit::mounts
