// Slug files.
#include "lifecycle/slug_store.hpp"

#include <Poco/SHA2Engine.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "process/files.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

constexpr mode_t kPrivateDir = 0700;

Result<> sync_path(const std::filesystem::path& path, int flags) {
  UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC));
  if (fd.get() < 0) return fail(system_error("open " + path.string(), errno));
  if (fsync(fd.get()) != 0) return fail(system_error("sync " + path.string(), errno));
  return {};
}

}  // namespace

Result<std::string> sha256_of_file(const std::filesystem::path& file) {
  UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return fail(system_error("open " + file.string(), errno));
  Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
  std::array<char, 256 * 1024> buffer;
  for (;;) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error("read " + file.string(), errno));
    if (got == 0) break;
    engine.update(buffer.data(), static_cast<unsigned>(got));
  }
  return Poco::DigestEngine::digestToHex(engine.digest());
}

Result<Artifact> store_slug(const Home& home, std::string_view app, const std::filesystem::path& built) {
  DAVIT_TRY_ASSIGN(const std::string digest, sha256_of_file(built));
  const auto folder = home.slugs(app);
  DAVIT_TRY(make_dirs(folder, kPrivateDir));
  const auto place = folder / (digest + ".tar.zst");
  std::error_code error;
  Artifact artifact;
  artifact.kind = ArtifactKind::kSlug;
  artifact.digest = "sha256:" + digest;
  artifact.size_bytes = std::filesystem::file_size(built, error);
  if (error) return fail(system_error("stat " + built.string(), error.value()));
  artifact.ref = std::filesystem::relative(place, home.root, error).string();
  if (std::filesystem::exists(place, error)) {
    // Built anew, to the same bytes. A runtime sees by the time which build a slug came from.
    std::filesystem::last_write_time(place, std::filesystem::file_time_type::clock::now(), error);
    return artifact;
  }
  DAVIT_TRY(sync_path(built, O_RDONLY));
  std::filesystem::rename(built, place, error);
  if (error) return fail(system_error("move the slug to " + place.string(), error.value()));
  DAVIT_TRY(sync_path(folder, O_RDONLY | O_DIRECTORY));
  return artifact;
}

Result<std::size_t> sweep_slugs(const Home& home, std::string_view app,
                                const std::vector<std::string>& needed) {
  std::error_code error;
  std::size_t gone = 0;
  std::filesystem::directory_iterator files(home.slugs(app), error);
  if (error) return gone;  // no slug was ever stored
  for (const auto& file : files) {
    const auto ref = std::filesystem::relative(file.path(), home.root, error).string();
    if (std::find(needed.begin(), needed.end(), ref) != needed.end()) continue;
    if (std::filesystem::remove(file.path(), error)) ++gone;
  }
  return gone;
}

}  // namespace davit
