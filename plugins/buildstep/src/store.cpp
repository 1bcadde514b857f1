// Where buildpacks come from. Two builds may want the same one at once, so each cache is used under a lock.
#include "store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/core.h>

#include "davit/failure.hpp"
#include "files/files.hpp"
#include "git_cache.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

/// Held while a cache is read or changed; also across processes.
class CacheLock {
 public:
  explicit CacheLock(const fs::path& file) {
    fs::create_directories(file.parent_path());
    fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int done = fd_ < 0 ? -1 : ::flock(fd_, LOCK_EX);
    while (done != 0 && fd_ >= 0 && errno == EINTR) done = ::flock(fd_, LOCK_EX);
    if (done != 0) {
      throw sdk::Failure(DAVIT_INTERNAL, "buildpack-unavailable",
                         fmt::format("{} could not be locked: {}", file.string(), std::strerror(errno)));
    }
  }
  CacheLock(const CacheLock&) = delete;
  CacheLock& operator=(const CacheLock&) = delete;
  ~CacheLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  int fd_ = -1;
};

[[noreturn]] void unavailable(const BuildpackSpec& spec, std::string_view why, std::string_view hint) {
  throw sdk::Failure(DAVIT_FAILED, "buildpack-unavailable", fmt::format("Buildpack {} {}", spec.label(), why),
                     std::string(hint));
}

[[noreturn]] void not_allowed(const BuildpackSpec& spec, std::string_view why, std::string_view way) {
  throw sdk::Failure(
      DAVIT_DENIED, "buildpack-not-allowed",
      fmt::format("Buildpack {} may not be used: {}", spec.label(), why),
      fmt::format("{}, set it as the home's owner with `buildpacks:set`, or ask the operator to name it in "
                  "local-buildpacks",
                  way));
}

[[noreturn]] void not_public(const BuildpackSpec& spec) {
  not_allowed(spec, "not everybody may read it",
              "Make it and the folders above readable for all (chmod -R o+rX)");
}

/// Opened once: others may let its name lead elsewhere in the next moment.
int open_path(const BuildpackSpec& spec) {
  const int fd = ::open(spec.location.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
    unavailable(spec, "does not exist", "Give the path of a folder of this machine");
  if (fd < 0) unavailable(spec, fmt::format("cannot be read: {}", std::strerror(errno)), "");
  return fd;
}

/// A path to what is open; with nothing behind it, a link to where it is.
fs::path path_of(const files::Descriptor& fd) {
  return fmt::format("/proc/self/fd/{}", fd.get());
}

bool is_git_repository(const fs::path& folder) {
  return fs::exists(folder / ".git") || (fs::exists(folder / "HEAD") && fs::exists(folder / "objects"));
}

std::string curl_line(std::string_view key, std::string_view value) {
  std::string text = fmt::format("{} = \"", key);
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"\n";
}

/// curl reads these from stdin: a password or a token on its command line would show in the process list.
std::string curl_config(const BuildpackSpec& spec) {
  std::string text = curl_line("url", spec.location);
  if (!spec.user.empty() || !spec.password.empty())
    text += curl_line("user", spec.user + ":" + spec.password);
  return text;
}

}  // namespace

void BuildpackStore::place(const BuildpackSpec& spec, const fs::path& folder) {
  switch (spec.kind) {
    case SpecKind::kShipped:
      copy_tree(config_.shipped / spec.location, folder);
      break;
    case SpecKind::kGit:
      place_git(spec, spec.location, folder);
      break;
    case SpecKind::kArchive:
      place_archive(spec, folder);
      break;
    case SpecKind::kLocal:
      place_local(spec, folder);
      break;
  }
  check_buildpack(spec, folder);
}

void BuildpackStore::place_git(const BuildpackSpec& spec, const std::string& url, const fs::path& folder) {
  const fs::path cache = config_.state / "git" / (spec.cache_name() + ".git");
  const CacheLock lock(cache.string() + ".lock");
  GitCache git(programs_, config_.state, cache, config_.timeout_ms);
  std::string warning;
  const std::string commit = git.update(spec, url, warning);
  if (!warning.empty()) screen_.warning(warning);
  fs::create_directories(folder);
  git.check_out(commit, folder);
  if (fs::exists(folder / ".gitmodules")) {
    screen_.warning(fmt::format("Buildpack {} has submodules, which are not fetched", spec.label()));
  }
}

void BuildpackStore::place_archive(const BuildpackSpec& spec, const fs::path& folder) {
  if (spec.location.starts_with('/')) {
    const files::Descriptor source(open_path(spec));
    const Look look = check_path(spec, fs::read_symlink(path_of(source)));
    const fs::path copy = folder.string() + ".archive";
    copy_open_file(source.get(), copy, look);
    unpack(spec, copy, folder);
    fs::remove(copy);
    return;
  }
  const fs::path kept = config_.state / "archives" / spec.cache_name();
  const CacheLock lock(kept.string() + ".lock");
  download(spec, kept);
  try {
    unpack(spec, kept, folder);
  } catch (const sdk::Failure&) {
    std::error_code ignored;
    fs::remove(kept, ignored);  // what cannot be unpacked must not serve again
    throw;
  }
}

void BuildpackStore::download(const BuildpackSpec& spec, const fs::path& kept) {
  const fs::path fresh = kept.string() + ".new";
  std::string said;
  Program curl;
  curl.argv = {"curl",
               "--fail",
               "--silent",
               "--show-error",
               "--location",
               "--proto",
               "=http,https",
               "--proto-redir",
               "=http,https",
               "--retry",
               "2",
               "--retry-delay",
               "1",
               "--retry-all-errors",
               "--connect-timeout",
               "20",
               "--speed-limit",
               "1000",
               "--speed-time",
               "60",
               "--output",
               fresh.string(),
               "--config",
               "-"};
  curl.input = curl_config(spec);
  curl.timeout_ms = config_.timeout_ms;
  curl.out = [&said](std::string_view chunk) { said += chunk; };
  if (programs_.run(curl) == 0) return fs::rename(fresh, kept);
  while (said.ends_with('\n')) said.pop_back();
  said.erase(0, said.rfind('\n') + 1);  // the last line is the reason; before it are tries
  if (!fs::exists(kept)) {
    unavailable(spec, fmt::format("could not be fetched: {}", said),
                "Look whether its address is right and whether this machine reaches it");
  }
  screen_.warning(
      fmt::format("Buildpack {} could not be updated ({}): using the copy from earlier", spec.label(), said));
}

void BuildpackStore::unpack(const BuildpackSpec& spec, const fs::path& archive, const fs::path& folder) {
  const fs::path unpacked = folder.string() + ".unpacked";
  fs::create_directories(unpacked);
  std::string said;
  Program tar;
  tar.argv = {
      "tar",           "--extract",       "--file=" + archive.string(), "--directory=" + unpacked.string(),
      "--force-local", "--no-same-owner", "--no-same-permissions"};
  tar.timeout_ms = config_.timeout_ms;
  tar.out = [&said](std::string_view chunk) { said = chunk; };
  if (programs_.run(tar) != 0) {
    unavailable(spec, fmt::format("could not be unpacked: {}", said),
                "It must be a tar file, compressed or not");
  }
  // Archives of code hosts have everything in one folder.
  fs::path root = unpacked;
  if (!fs::exists(root / "bin")) {
    auto entry = fs::directory_iterator(unpacked);
    if (entry != fs::directory_iterator() && entry->is_directory() && !entry->is_symlink())
      root = entry->path();
  }
  fs::rename(root, folder);
  std::error_code ignored;
  fs::remove_all(unpacked, ignored);
}

void BuildpackStore::place_local(const BuildpackSpec& spec, const fs::path& folder) {
  const files::Descriptor opened(open_path(spec));
  const fs::path source = path_of(opened);
  const fs::path real = fs::read_symlink(source);
  const Look look = check_path(spec, real);
  if (!fs::is_directory(source))
    unavailable(spec, "is not a folder", "Name the folder that has bin/compile in it");
  if (!spec.ref.empty() || (!fs::exists(source / "bin") && is_git_repository(source))) {
    if (!is_git_repository(source))
      unavailable(spec, "is not a git repository", "Leave out what stands after #");
    // git takes a name, which must lead to the same until it is done.
    if (look && !readable_by_all(real)) not_public(spec);
    if (look && !changed_by_us_only(real))
      not_allowed(spec, "others can change it", "Take away their right to write to it and the folders above");
    return place_git(spec, "file://" + real.string(), folder);
  }
  copy_tree(opened.get(), folder, look);
}

Look BuildpackStore::check_path(const BuildpackSpec& spec, const fs::path& real) const {
  const PathUse use = config_.use_of_path(spec.location, real);
  if (use == PathUse::kAsItIs) return {};
  if (use == PathUse::kNever) not_allowed(spec, "it is in davit's home", "Put it elsewhere");
  if (!reachable_by_all(real)) not_public(spec);
  return [&spec](const struct stat& facts) {
    if (!readable_by_all(facts)) not_public(spec);
  };
}

void BuildpackStore::check_buildpack(const BuildpackSpec& spec, const fs::path& folder) const {
  if (fs::exists(folder / "bin" / "compile")) return;
  unavailable(spec, "is not a buildpack: it has no bin/compile",
              fs::exists(folder / "bin" / "build")
                  ? "It is a Cloud Native Buildpack; davit runs Heroku's classic ones"
                  : "Look whether its address is right");
}

}  // namespace davit::buildstep
