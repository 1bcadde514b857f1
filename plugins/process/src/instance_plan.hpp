// What Instances and Tasks share when they turn a description into a command line.
#pragma once

#include <string>
#include <vector>

#include "instances.hpp"
#include "path_map.hpp"

namespace davit::process_plugin {

inline constexpr char kDefaultPath[] = "/usr/local/bin:/usr/bin:/bin";

struct Instances::Plan {
  const sdk::Group& group;
  RunUser user;
  bool sandboxed = false;
};

/// @throws sdk::Failure for a mount that cannot work; a target that is a link in a sandbox is one.
void check_mounts(const std::vector<sdk::Mount>& mounts);
/// DAVIT_MOUNT_OWN: the trees belong to `user` afterwards. In a sandbox nobody can have linked a foreign file
/// into them.
void own_mounts(const std::vector<sdk::Mount>& mounts, const RunUser& user, bool sandboxed);
/// Without a sandbox: what the paths inside stand for. `app` may be empty.
PathMap plain_paths(const std::string& app, const std::vector<sdk::Mount>& mounts);

}  // namespace davit::process_plugin
