// tar and zstd by argv. GNU format: no pax headers, whose times and process numbers would make two runs
// differ.
#include "slug.hpp"

#include <fmt/core.h>

#include "davit/failure.hpp"
#include "files.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kPackTimeoutMs = 30ULL * 60 * 1000;

sdk::Strings tar_argv(const fs::path& tree, const fs::path& file, std::int64_t unix_s) {
  return {"tar",
          "--create",
          "--file=" + file.string(),
          "--use-compress-program=zstd",  // with arguments, tar would start it by a shell
          "--format=gnu",
          "--sort=name",
          fmt::format("--mtime=@{}", unix_s),
          "--owner=0",
          "--group=0",
          "--numeric-owner",
          "--mode=u-s,g-s",  // with owner 0, a set-user-id bit of the build's user would mean root
          "--no-acls",
          "--no-selinux",
          "--no-xattrs",
          "--force-local",
          "--directory=" + tree.string(),
          "."};
}

}  // namespace

std::uint64_t SlugPacker::check_tree(const fs::path& tree) const {
  const TreeSize size = measure_tree(tree);
  if (!size.special.empty()) {
    throw sdk::Failure(DAVIT_FAILED, "slug-special-file",
                       fmt::format("The build left {}, which is a socket, a pipe or a device", size.special),
                       "A slug holds files, folders and links only: let the app make it when it starts");
  }
  if (limits_.tree_bytes != 0 && size.bytes > limits_.tree_bytes) {
    throw sdk::Failure(DAVIT_FAILED, "slug-too-large",
                       fmt::format("The built app is {}, and the limit is {}", human_bytes(size.bytes),
                                   human_bytes(limits_.tree_bytes)),
                       "Leave out what running does not need, or ask the operator to raise max-app-size");
  }
  if (limits_.files != 0 && size.files > limits_.files) {
    throw sdk::Failure(
        DAVIT_FAILED, "slug-too-large",
        fmt::format("The built app has {} files, and the limit is {}", size.files, limits_.files),
        "Leave out what running does not need, or ask the operator to raise max-app-files");
  }
  return size.bytes;
}

Slug SlugPacker::pack(const fs::path& tree, const fs::path& file, std::int64_t unix_s) {
  Slug slug{file, 0, check_tree(tree)};
  std::string said;
  Program tar;
  tar.argv = tar_argv(tree, file, unix_s);
  tar.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
             {"LANG", "C.UTF-8"},
             {"ZSTD_NBTHREADS", "0"},
             {"ZSTD_CLEVEL", "3"}};
  tar.timeout_ms = kPackTimeoutMs;
  tar.out = [&said](std::string_view chunk) {
    if (said.size() < 4096) said.append(chunk);
  };
  if (programs_.run(tar) != 0) {
    const bool full = said.find("No space left") != std::string::npos;
    throw sdk::Failure(full ? DAVIT_UNAVAILABLE : DAVIT_INTERNAL, full ? "disk-full" : "slug-failed",
                       fmt::format("The built app could not be packed: {}", said),
                       full ? "Free disk space, then push again" : "Look whether tar and zstd are installed");
  }
  slug.bytes = fs::file_size(file);
  if (limits_.slug_bytes != 0 && slug.bytes > limits_.slug_bytes) {
    throw sdk::Failure(DAVIT_FAILED, "slug-too-large",
                       fmt::format("The slug is {}, and the limit is {}", human_bytes(slug.bytes),
                                   human_bytes(limits_.slug_bytes)),
                       "Leave out what running does not need, or ask the operator to raise max-slug-size");
  }
  return slug;
}

}  // namespace davit::buildstep
