// Git properties of an app, else the global ones, else the defaults here.
#include "git/source_rules.hpp"

#include <charconv>

#include "git/repository.hpp"
#include "git/tree_rules.hpp"

namespace davit {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kMaxBlobBytes = 100 * kMiB;
constexpr std::uint64_t kMaxTreeBytes = 1024 * kMiB;
constexpr std::uint64_t kMaxFiles = 200'000;
constexpr std::string_view kHeads = "refs/heads/";

}  // namespace

std::string SourceRules::text(std::string_view key) const {
  const auto value = store_.properties().effective(app_, "git", key);
  return value && *value ? **value : std::string();
}

std::uint64_t SourceRules::number(std::string_view key, std::uint64_t otherwise) const {
  const std::string value = text(key);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc{} && !value.empty() && end == value.data() + value.size() ? number : otherwise;
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
  return number("max-blob-bytes", kMaxBlobBytes);
}
std::uint64_t SourceRules::max_tree_bytes() const {
  return number("max-tree-bytes", kMaxTreeBytes);
}
std::uint64_t SourceRules::max_files() const {
  return number("max-files", kMaxFiles);
}
std::uint64_t SourceRules::max_push_bytes() const {
  return number(kMaxPushBytesKey, kMaxPushBytes);
}

Result<> SourceRules::check(const GitCommand& git, const std::string& revision,
                            const std::vector<std::string>& env) const {
  DAVIT_TRY_ASSIGN(const std::string listing,
                   git.run({"ls-tree", "-r", "-l", "-z", "--full-tree", revision}, env));
  DAVIT_TRY_ASSIGN(const auto tree, parse_tree(listing));
  return check_tree(tree, SourceLimits{}, max_blob_bytes());
}

}  // namespace davit
