// See slug_copy.hpp.
#include "slug_copy.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "trees.hpp"

namespace davit::process_plugin {
namespace {

class OpenSlug {
 public:
  explicit OpenSlug(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ >= 0) return;
    throw sdk::Failure(DAVIT_NOT_FOUND, "slug-missing",
                       "the slug " + path + " cannot be opened: " + std::strerror(errno),
                       "deploy the app again, or roll back to a release that is kept");
  }
  OpenSlug(const OpenSlug&) = delete;
  OpenSlug& operator=(const OpenSlug&) = delete;
  ~OpenSlug() { close(fd_); }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

void copy_slug(const sdk::Host& host, const sdk::Call& call, const std::string& helper, const RunUser& user,
               const sdk::Artifact& artifact, const std::string& folder) {
  if (artifact.kind != DAVIT_ARTIFACT_SLUG) {
    throw sdk::Failure(DAVIT_UNSUPPORTED, "not-a-slug",
                       "the process runtime runs slugs, and this release is an image",
                       "choose another runtime for this app, or a builder that makes slugs");
  }
  const OpenSlug slug(artifact.ref);
  make_folder(folder, 0755);
  if (user.drop) give_tree(folder, user.uid, user.gid, false);
  sdk::Process tar;
  tar.argv = {helper, "as"};
  for (std::string& word : user_options(user)) tar.argv.push_back(std::move(word));
  // The archive comes in on stdin and the folder is entered before the drop: the user needs no way to either.
  for (const char* word : {"--cwd", folder.c_str(), "--", "/usr/bin/tar", "--extract", "--zstd", "--file=-",
                           "--preserve-permissions", "--no-same-owner", "--warning=no-timestamp"}) {
    tar.argv.emplace_back(word);
  }
  tar.env = {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}};
  tar.fds = {slug.fd(), -1, -1};
  const sdk::ProcessResult result = host.processes(call).capture(tar);
  if (result.exit_code == 0) return;
  const bool full = result.err.find("No space left") != std::string::npos;
  throw sdk::Failure(full ? DAVIT_UNAVAILABLE : DAVIT_FAILED, full ? "disk-full" : "slug-damaged",
                     "the slug " + artifact.ref + " could not be unpacked: " + result.err.substr(0, 500),
                     full ? "free some space on the disk of DAVIT_HOME" : "deploy the app again");
}

}  // namespace davit::process_plugin
