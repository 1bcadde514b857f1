// TreeRules: what a pushed tree may hold. Pure on what `git ls-tree` says; run before a file is written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "lifecycle/source_store.hpp"

namespace davit {

struct TreeEntry {
  std::string mode;  ///< "100644", "120000" (a link), "160000" (a submodule)
  std::string id;
  std::uint64_t bytes = 0;  ///< 0 for submodules
  std::string path;         ///< any bytes but NUL
};

/// The output of `git ls-tree -r -l -z`.
Result<std::vector<TreeEntry>> parse_tree(std::string_view ls_tree);

/// Sizes, names, submodules. `max_blob_bytes` 0: no limit of one file. Links are checked with check_link().
Result<> check_tree(const std::vector<TreeEntry>& tree, const SourceLimits& limits,
                    std::uint64_t max_blob_bytes);

/// A link at `path` with this target stays inside the tree.
Result<> check_link(std::string_view path, std::string_view target);

/// The first bytes of a Git LFS pointer.
bool is_lfs_pointer(std::string_view bytes);

}  // namespace davit
