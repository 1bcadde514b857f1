// See disk.hpp.
#include "engine/disk.hpp"

#include <fmt/core.h>
#include <sys/statvfs.h>

#include "engine/asking.hpp"

namespace davit::docker {

std::optional<std::uint64_t> free_bytes_at(const std::string& path) {
  struct statvfs facts {};
  if (path.empty() || statvfs(path.c_str(), &facts) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

void require_free_disk(Engine& engine, const std::string& what, std::uint64_t bytes,
                       const Patience& patience) {
  const std::string root = text_in(engine.get("/info", {}, patience), "DockerRootDir");
  const auto free = free_bytes_at(root);
  if (!free || *free >= bytes) return;
  throw sdk::Failure(DAVIT_UNAVAILABLE, "engine-disk-low",
                     fmt::format("The engine's disk ({}) has {} MiB free, and {} needs about {} MiB", root,
                                 *free >> 20, what, bytes >> 20),
                     "see what can go with `davit system:collect --dry-run`, or make room on that disk");
}

}  // namespace davit::docker
