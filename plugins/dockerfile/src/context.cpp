// See context.hpp.
#include "context.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "davit/failure.hpp"
#include "files/files.hpp"
#include "source/files.hpp"

namespace davit::dockerfile {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kLargestIgnoreFile = 256 * 1024;

}  // namespace

IgnoreRules ignore_rules_of(const ContextSpec& spec) {
  for (const std::string& name : {spec.dockerfile + ".dockerignore", std::string(".dockerignore")}) {
    if (const auto text = source::read_small_file(spec.tree / name, kLargestIgnoreFile, spec.tree))
      return IgnoreRules(*text);
  }
  return {};
}

std::vector<std::string> context_entries(const ContextSpec& spec, const IgnoreRules& rules,
                                         const std::function<void()>& check) {
  std::vector<std::string> entries;
  fs::recursive_directory_iterator walk(spec.tree);
  for (const auto& entry : walk) {
    check();
    const std::string path = entry.path().lexically_relative(spec.tree).string();
    const bool always = path == spec.dockerfile || path == ".dockerignore";
    const bool is_folder = entry.is_directory() && !entry.is_symlink();
    if (always || !rules.ignores(path)) {
      entries.push_back(path);
      continue;
    }
    // The Dockerfile, or what is brought back, may be within.
    if (is_folder && rules.is_final() && !spec.dockerfile.starts_with(path + "/"))
      walk.disable_recursion_pending();
  }
  std::ranges::sort(entries);
  return entries;
}

void send_context(const sdk::Host& host, const sdk::Call& call, const ContextSpec& spec,
                  const std::function<void()>& check, const docker::BodySink& sink) {
  std::string list;
  for (const std::string& path : context_entries(spec, ignore_rules_of(spec), check))
    list += "./" + path + '\0';
  const std::string file = spec.scratch / "context";
  files::write_file(file, list);
  sdk::Process tar;
  tar.argv = {"/usr/bin/tar",
              "--create",
              "--file=-",
              "--format=gnu",
              "--directory=" + spec.tree.string(),
              "--null",
              "--no-recursion",
              "--numeric-owner",
              "--owner=0",
              "--group=0",
              fmt::format("--mtime=@{}", spec.unix_s),
              "--files-from=" + file};
  std::string words;
  std::uint64_t sent = 0;
  tar.out = [&](std::string_view chunk) {
    sent += chunk.size();
    call.progress("sending the context", sent, 0, "bytes");
    sink(chunk);
  };
  tar.err = [&words](std::string_view chunk) {
    if (words.size() < 500) words.append(chunk);
  };
  const int code = host.processes(call).run(tar);
  files::remove_file(file);
  if (code != 0)
    throw sdk::Failure(DAVIT_UNAVAILABLE, "context", "the app's tree could not be packed: " + words,
                       "see disk space and permissions of davit's home");
}

}  // namespace davit::dockerfile
