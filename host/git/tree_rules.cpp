// What a pushed tree may hold.
#include "git/tree_rules.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/text.hpp"

namespace davit {
namespace {

constexpr std::string_view kLinkMode = "120000";
constexpr std::string_view kSubmoduleMode = "160000";

std::string shown_bytes(std::uint64_t bytes) {
  return bytes >= (1U << 20) ? fmt::format("{} MiB", bytes >> 20) : fmt::format("{} bytes", bytes);
}

bool is_git_name(std::string_view part) {
  return to_lower_ascii(part) == ".git" || part == ".." || part == "." || part.empty();
}

Result<> check_path(std::string_view path) {
  for (const std::string& part : split(path, '/')) {
    if (is_git_name(part)) {
      return fail(Code::kInvalid, fmt::format("The tree has the name {}", json_quote(path)),
                  "Remove it from the commit", "tree-name");
    }
  }
  return {};
}

}  // namespace

// "MODE TYPE ID SIZE\tPATH\0"; SIZE is padded, "-" for a submodule.
Result<std::vector<TreeEntry>> parse_tree(std::string_view text) {
  std::vector<TreeEntry> tree;
  while (!text.empty()) {
    const auto end = text.find('\0');
    const auto record = text.substr(0, end);
    const auto tab = record.find('\t');
    if (tab == std::string_view::npos)
      return fail(Code::kInternal, "git ls-tree said something that is no tree");
    const auto words = split_words(record.substr(0, tab));
    if (words.size() != 4) return fail(Code::kInternal, "git ls-tree said something that is no tree");
    TreeEntry entry{words[0], words[2], 0, std::string(record.substr(tab + 1))};
    std::from_chars(words[3].data(), words[3].data() + words[3].size(), entry.bytes);
    tree.push_back(std::move(entry));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return tree;
}

Result<> check_tree(const std::vector<TreeEntry>& tree, const SourceLimits& limits,
                    std::uint64_t max_blob_bytes) {
  if (tree.empty()) {
    return fail(Code::kInvalid, "The commit has no files", "Commit something to deploy", "tree-empty");
  }
  if (limits.max_files != 0 && tree.size() > limits.max_files) {
    return fail(Code::kInvalid,
                fmt::format("The tree has {} files; {} are allowed", tree.size(), limits.max_files),
                "Commit no dependencies, or raise it: davit git:set APP max-files N", "tree-too-many");
  }
  std::uint64_t total = 0;
  for (const TreeEntry& entry : tree) {
    DAVIT_TRY(check_path(entry.path));
    if (entry.mode == kSubmoduleMode) {
      return fail(
          Code::kInvalid,
          fmt::format("{} is a submodule, and davit does not fetch submodules", json_quote(entry.path)),
          "Commit its files instead: git rm --cached it, remove its .git folder, git add it",
          "tree-submodule");
    }
    if (max_blob_bytes != 0 && entry.bytes > max_blob_bytes) {
      return fail(Code::kInvalid,
                  fmt::format("{} has {}; a file may have {}", json_quote(entry.path),
                              shown_bytes(entry.bytes), shown_bytes(max_blob_bytes)),
                  "Keep large files out of the repository, or raise it: davit git:set APP max-blob-bytes N",
                  "blob-too-large");
    }
    total += entry.bytes;
  }
  if (limits.max_tree_bytes != 0 && total > limits.max_tree_bytes) {
    return fail(Code::kInvalid,
                fmt::format("The tree has {}; {} are allowed", shown_bytes(total),
                            shown_bytes(limits.max_tree_bytes)),
                "Keep large files out of the repository, or raise it: davit git:set APP max-tree-bytes N",
                "tree-too-large");
  }
  return {};
}

Result<> check_link(std::string_view path, std::string_view target) {
  const auto refuse = [&] {
    return fail(Code::kInvalid,
                fmt::format("The link {} leads, or could lead, outside the tree: to {}", json_quote(path),
                            json_quote(target)),
                "Make it a relative link to a file of the repository, with every .. at its beginning",
                "tree-link");
  };
  if (target.empty() || target.front() == '/') return refuse();
  // Up comes first: after a name, which may be a link itself, ".." is not the folder that the text says.
  long depth = static_cast<long>(split(path, '/').size()) - 1;
  bool named = false;
  for (const std::string& part : split(target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      named = true;
    } else if (named || --depth < 0) {
      return refuse();
    }
  }
  return {};
}

bool is_lfs_pointer(std::string_view bytes) {
  return bytes.starts_with("version https://git-lfs.github.com/spec/v1");
}

}  // namespace davit
