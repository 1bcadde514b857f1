// SlugPacker: a finished tree as one deterministic slug.tar.zst: the same tree and the same time give the
// same bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "seams.hpp"

namespace davit::buildstep {

struct SlugLimits {
  std::uint64_t tree_bytes = 0;  ///< of the unpacked tree; 0: no limit
  std::uint64_t files = 0;       ///< entries of the tree; 0: no limit
  std::uint64_t slug_bytes = 0;  ///< of the packed file; 0: no limit
};

struct Slug {
  std::filesystem::path file;
  std::uint64_t bytes = 0;
  std::uint64_t tree_bytes = 0;
};

class SlugPacker {
 public:
  SlugPacker(Programs& programs, SlugLimits limits) : programs_(programs), limits_(limits) {}

  /// Packs `tree` into `file`: sorted, owner 0, every time `unix_s`; dotfiles, modes, empty folders, links
  /// and hard links are kept; sockets, pipes and devices are refused.
  /// @throws sdk::Failure slug-too-large, slug-special-file, disk-full, slug-failed.
  Slug pack(const std::filesystem::path& tree, const std::filesystem::path& file, std::int64_t unix_s);

 private:
  std::uint64_t check_tree(const std::filesystem::path& tree) const;

  Programs& programs_;
  SlugLimits limits_;
};

}  // namespace davit::buildstep
