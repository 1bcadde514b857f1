// SourceStore: where source trees come from. A seam: host/git implements it on bare repositories, tests on
// plain folders.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/call_context.hpp"
#include "base/result.hpp"

namespace davit {

struct SourceLimits {
  std::uint64_t max_tree_bytes = 0;  ///< of the checked-out files; 0: no limit
  std::uint64_t max_files = 0;
};

struct CheckedOut {
  std::string revision;              ///< 40 hex digits
  std::int64_t changed_unix_ms = 0;  ///< of the newest commit that changed a file: empty ones have its time
  std::string subject;               ///< first line of the commit's message
};

/// Threads: one at a time.
class SourceStore {
 public:
  virtual ~SourceStore() = default;
  /// Writes the tree of `revision` into `folder` (exists, empty). Refuses oversized trees, links that lead
  /// out of the tree, names such as `.git`, and submodules that cannot be had; says about LFS pointers in the
  /// context's output.
  virtual Result<CheckedOut> check_out(std::string_view app, std::string_view revision,
                                       const std::string& folder, const SourceLimits& limits,
                                       const CallContext& context) = 0;
  /// Keeps the objects of `revision` under refs/davit/deploys/DEPLOYMENT, and lets them go. Idempotent.
  virtual Result<> keep(std::string_view app, std::string_view revision, std::string_view deployment) = 0;
  virtual Result<> forget(std::string_view app, std::string_view deployment) = 0;
  /// Moves `ref` from `from` to `to` if it still is at `from` (git's zero id: if it does not exist). True if
  /// it moved or is there. Only once whoever pushed it has ended: a lock on the branch that is in the way is
  /// taken for theirs, and removed.
  virtual Result<bool> move_ref(std::string_view app, std::string_view ref, std::string_view from,
                                std::string_view to) = 0;
  /// Packs what many pushes left, if it is worth it. Cheap when it is not; a store without anything to pack
  /// does nothing.
  virtual Result<> tidy(std::string_view /*app*/) { return {}; }
  /// The repository is the other app's afterwards. Idempotent: nothing at `from` is fine.
  virtual Result<> rename(std::string_view from, std::string_view to) = 0;
  /// The app's repository is gone afterwards. Idempotent.
  virtual Result<> remove(std::string_view app) = 0;
};

}  // namespace davit
