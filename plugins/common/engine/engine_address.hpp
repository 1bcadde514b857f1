// Where the engine's socket is: the setting, or the usual places. DOCKER_HOST is the operator's and not a
// worker's: `davit init` and `plugin:enable` write it down as the setting.
#pragma once

#include <string>
#include <vector>

namespace davit::docker {

/// `setting` may be empty; of `usual` the first that exists counts, else the first at all.
/// A leading unix:// is taken off. Throws sdk::Failure (unsupported) for tcp://, ssh:// and the like.
std::string choose_socket(const std::string& setting, const std::vector<std::string>& usual);

/// Docker's and Podman's, of the system and of the user.
std::vector<std::string> usual_sockets();

}  // namespace davit::docker
