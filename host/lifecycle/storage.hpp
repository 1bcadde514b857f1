// Storage: which folders an app's instances keep when everything else of a release goes. The rules of what
// may be mounted where, and which releases may have it at the same time; the records are the store's
// (store/mounts.hpp), the mounting itself is the runtime's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/model.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "store/mounts.hpp"

namespace davit {

class Store;

/// A mount as instances have it: absolute paths.
struct HostMount {
  Mount mount;
  bool shared = false;  ///< two releases at once may have it
  std::string real{};   ///< the source without links, as it was when it was mounted; "": the source itself
};

/// `^[A-Za-z0-9_-]{1,64}$`: a folder below storage/.
Result<> check_storage_name(std::string_view name);

/// "HOST:CONTAINER[:OPTIONS]"; HOST is a name below storage/ or an absolute path, OPTIONS are ro, rw and
/// shared, separated by commas. Paths are looked at as text here. Invalid "mount-invalid".
Result<StorageMount> parse_mount(std::string_view text);

/// The same of a mount that is there already: where it is was allowed when it was mounted.
Result<StorageMount> split_mount(std::string_view text);

/// What no mount may show: the home's own folders (storage/ excepted), and what has the home inside. Follows
/// links. Denied "mount-denied".
Result<> check_source(const Home& home, const StorageMount& mount);

/// Where it is on the host: storage/NAME of the home, or the path itself.
std::string source_path(const Home& home, const StorageMount& mount);
/// "ro,shared", or "".
std::string options_text(const StorageMount& mount);
/// "HOST:CONTAINER[:OPTIONS]" with the host's path.
std::string mount_text(const Home& home, const StorageMount& mount);

/// What new instances and one-off processes of the app get. Invalid "mount-invalid" for one where none may be
/// (any more); NotFound "mount-source" for a folder that is not there; Denied "mount-denied" when a name
/// below storage/ that was asked for over ssh has become a link.
Result<std::vector<HostMount>> mounts_of_app(Store& store, const Home& home, AppId app);
std::vector<Mount> plain_mounts(const std::vector<HostMount>& mounts);

/// As live groups record it; what cannot be read is empty.
std::string mounts_to_json(const std::vector<HostMount>& mounts);
std::vector<HostMount> mounts_from_json(std::string_view json);

/// The first path of the host that both would have and at least one could write, if that is not meant to be
/// shared; "" for none. One folder inside the other counts, and links are what they led to.
std::string contended_path(const std::vector<HostMount>& one, const std::vector<HostMount>& other);

}  // namespace davit
