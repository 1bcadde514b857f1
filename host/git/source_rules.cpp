// Git properties of an app, else the global ones, else the defaults.
#include "git/source_rules.hpp"

#include "base/defaults.hpp"
#include "git/tree_rules.hpp"

namespace davit {
namespace {

constexpr std::string_view kHeads = "refs/heads/";

}  // namespace

std::string SourceRules::text(std::string_view key) const {
  const auto value = store_.properties().effective(app_, "git", key);
  return value && *value ? **value : std::string();
}

std::uint64_t SourceRules::number(std::string_view key, std::uint64_t otherwise) const {
  return store_.properties().number(app_, "git", key, otherwise);
}

// By default both names that git gives to a first branch.
bool SourceRules::deploys(std::string_view ref) const {
  if (!ref.starts_with(kHeads)) return false;
  const auto name = ref.substr(kHeads.size());
  const std::string configured = branch();
  return configured.empty() ? name == "main" || name == "master" : name == configured;
}

std::string SourceRules::branches_text() const {
  const std::string configured = branch();
  return configured.empty() ? "main or master" : configured;
}

std::uint64_t SourceRules::max_blob_bytes() const {
  return number("max-blob-bytes", defaults::kMaxBlobBytes);
}
std::uint64_t SourceRules::max_tree_bytes() const {
  return number("max-tree-bytes", defaults::kMaxTreeBytes);
}
std::uint64_t SourceRules::max_files() const {
  return number("max-files", defaults::kMaxFiles);
}
std::uint64_t SourceRules::max_push_bytes() const {
  return number(kMaxPushBytesKey, defaults::kMaxPushBytes);
}

Result<> SourceRules::check(const GitCommand& git, const std::string& revision,
                            const std::vector<std::string>& env) const {
  DAVIT_TRY_ASSIGN(const std::string listing,
                   git.run({"ls-tree", "-r", "-l", "-z", "--full-tree", revision}, env));
  DAVIT_TRY_ASSIGN(const auto tree, parse_tree(listing));
  return check_tree(tree, SourceLimits{}, max_blob_bytes());
}

}  // namespace davit
