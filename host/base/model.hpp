// Values that several rooms share: artifacts, endpoints, mounts, limits. Plain data; the C ABI's structs
// (sdk/include/ davit/types.h) say the same to plugins, and host/plugin translates.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace davit {

/// Sorted by bytes, as config is shown. Values may be secrets: never print one whole.
using TextMap = std::map<std::string, std::string, std::less<>>;

struct ArtifactRef {
  enum class Kind : std::uint8_t { kNone, kSlug, kImage };
  Kind kind = Kind::kNone;
  std::string ref;     ///< slug: absolute path of the .tar.zst; image: id or digest
  std::string digest;  ///< hex SHA-256 of the slug's file, or the image's digest
  std::string stack;
  friend bool operator==(const ArtifactRef&, const ArtifactRef&) = default;
};

struct Mount {
  std::string source;  ///< absolute, on the host
  std::string target;  ///< absolute, inside
  bool read_only = false;
  bool own = false;  ///< the runtime gives the tree to the user that runs
};

/// 0: no limit of this kind.
struct Limits {
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_reserve_bytes = 0;
  std::uint32_t cpu_millis = 0;  ///< 1000 is one core
  std::uint32_t cpu_reserve_millis = 0;
  std::uint32_t pids = 0;
  std::uint32_t open_files = 0;
  std::uint64_t time_ms = 0;
  std::uint64_t file_bytes = 0;  ///< largest file that may be written
};

/// Where an instance answers now. Never stored beyond one operation.
struct Endpoint {
  enum class Kind : std::uint8_t { kTcp, kUnix };
  Kind kind = Kind::kTcp;
  std::string host;
  std::uint32_t port = 0;
  std::string path;      ///< for kUnix
  std::string instance;  ///< id of the instance
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

}  // namespace davit
