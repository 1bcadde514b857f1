// See disk.hpp.
#include "engine/disk.hpp"

#include <fmt/core.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>

#include "engine/asking.hpp"
#include "files/files.hpp"

namespace davit::docker {
namespace {

bool is_name_of_this_machine(const std::string& name) {
  char own[256] = {};
  return gethostname(own, sizeof own - 1) == 0 && name == own;
}

/// Also where we may not look.
bool may_be_there(const std::string& folder) {
  std::error_code error;
  const auto status = std::filesystem::status(folder, error);
  return std::filesystem::is_directory(status) || error == std::errc::permission_denied;
}

/// Docker 23 and later keep their id in their root. Where it cannot be read (Docker 20.10 and Podman have
/// none), it is told by the machine's name, and by where an engine with this storage driver keeps its images.
bool is_of_engine(const std::string& root, const Json& info) {
  if (const auto id = files::read_file(root + "/engine-id")) return *id == text_in(info, "ID");
  const std::string driver = text_in(info, "Driver");
  return is_name_of_this_machine(text_in(info, "Name")) && !driver.empty() &&
         (may_be_there(root + "/image/" + driver) || may_be_there(root + "/" + driver + "-images"));
}

}  // namespace

std::string root_here(const Json& info) {
  const std::string root = text_in(info, "DockerRootDir");
  return !root.empty() && is_of_engine(root, info) ? root : "";
}

std::optional<std::uint64_t> free_bytes_at(const std::string& path) {
  struct statvfs facts {};
  if (path.empty() || statvfs(path.c_str(), &facts) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

void require_free_disk(Engine& engine, const std::string& what, std::uint64_t bytes,
                       const Patience& patience) {
  const std::string root = root_here(engine.get("/info", {}, patience));
  const auto free = free_bytes_at(root);
  if (!free || *free >= bytes) return;
  throw sdk::Failure(DAVIT_UNAVAILABLE, "engine-disk-low",
                     fmt::format("The engine's disk ({}) has {} MiB free, and {} needs about {} MiB", root,
                                 *free >> 20, what, bytes >> 20),
                     "see what can go with `davit system:collect --dry-run`, or make room on that disk");
}

}  // namespace davit::docker
