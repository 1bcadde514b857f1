// What an app's git properties say about its source: which branch is deployed, and how large things may be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "git/git_command.hpp"
#include "store/store.hpp"

namespace davit {

/// The property of max_push_bytes(), which is also git's receive.maxInputSize in the repository.
inline constexpr std::string_view kMaxPushBytesKey = "max-push-bytes";

class SourceRules {
 public:
  SourceRules(Store& store, AppId app) : store_(store), app_(app) {}

  /// The property deploy-branch; "" means main and master.
  [[nodiscard]] std::string branch() const { return text("deploy-branch"); }
  /// A push to `ref` is deployed, not only stored.
  [[nodiscard]] bool deploys(std::string_view ref) const;
  /// "main or master", or the name of the one: for messages.
  [[nodiscard]] std::string branches_text() const;

  [[nodiscard]] std::uint64_t max_blob_bytes() const;
  [[nodiscard]] std::uint64_t max_tree_bytes() const;
  [[nodiscard]] std::uint64_t max_files() const;
  /// Of what one push may send, history included; 0: no limit.
  [[nodiscard]] std::uint64_t max_push_bytes() const;

  /// The tree of `revision` has no file that is too large, no submodule and no bad name. `env`: of the
  /// quarantine, if it is in one.
  Result<> check(const GitCommand& git, const std::string& revision,
                 const std::vector<std::string>& env = {}) const;

 private:
  [[nodiscard]] std::string text(std::string_view key) const;
  [[nodiscard]] std::uint64_t number(std::string_view key, std::uint64_t otherwise) const;

  Store& store_;
  AppId app_;
};

}  // namespace davit
