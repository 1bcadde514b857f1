// davit-archive -> TarReader -> a stream for git fast-import -> a tree.
#include "git/archive_import.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>

#include "base/text.hpp"
#include "git/tar_reader.hpp"
#include "git/tree_rules.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr std::size_t kHeadBytes = 512;
constexpr int kOtherForm = 2;  // of davit-archive
constexpr std::string_view kImportRef = "refs/davit/import/";

Result<> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error("write the archive's content", errno));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

/// "tar", "tar.gz", "zip", or "" for something else.
std::string type_of(int archive) {
  std::string head(kHeadBytes, '\0');
  const ssize_t got = ::pread(archive, head.data(), head.size(), 0);
  head.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (head.starts_with("\x1f\x8b")) return "tar.gz";
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) return "zip";
  constexpr std::size_t kMagic = 257;
  return head.size() == kHeadBytes && head.substr(kMagic, 5) == "ustar" ? "tar" : "";
}

tl::unexpected<Error> other_form() {
  return fail(Code::kInvalid, "This is neither a tar, a tar.gz nor a zip archive",
              "Make one, for example: git archive --format=tar.gz HEAD", "archive-type");
}

/// What it seems to be; whether the content agrees is found when it is read.
Result<std::string> checked_type(int archive, std::string_view said) {
  std::string found = type_of(archive);
  if (found.empty()) return other_form();
  if (said.empty() || said == found) return found;
  return fail(Code::kInvalid, fmt::format("The archive is a {}, not a {}", found, said),
              fmt::format("Say --archive-type {}, or leave it out", found), "archive-type");
}

/// A path for fast-import.
std::string fast_import_path(std::string_view path) {
  std::string text = "\"";
  for (const char c : path) {
    if (c == '"' || c == '\\') text += '\\';
    if (c == '\n')
      text += "\\n";
    else
      text += c;
  }
  return text + '"';
}

/// Judges entries, and writes what git fast-import reads.
class FastImport {
 public:
  FastImport(int out, const SourceRules& rules)
      : out_(out),
        max_bytes_(rules.max_tree_bytes()),
        max_files_(rules.max_files()),
        max_blob_bytes_(rules.max_blob_bytes()) {}

  Result<> entry(const TarEntry& entry) {
    DAVIT_TRY(end_blob());
    DAVIT_TRY_ASSIGN(const std::string path, clean_path(entry));
    skipping_ = path.empty() || is_repository(path);
    left_out_ = left_out_ || is_repository(path);
    if (skipping_ || entry.kind == TarEntry::Kind::kFolder)
      return count_one(passed_over_, "folders and files of .git");
    switch (entry.kind) {
      case TarEntry::Kind::kFile:
        DAVIT_TRY(count(path, entry.bytes));
        files_[path] = {entry.executable ? "100755" : "100644", ++marks_, entry.bytes};
        return begin_blob(entry.bytes);
      case TarEntry::Kind::kLink:
        DAVIT_TRY(count(path, entry.target.size()));
        files_[path] = {"120000", ++marks_, entry.target.size()};
        DAVIT_TRY(begin_blob(entry.target.size()));
        return bytes(entry.target);
      case TarEntry::Kind::kHardLink:
        return hard_link(path, entry);
      default:
        return fail(Code::kInvalid,
                    fmt::format("{} is a device or another special file", json_quote(entry.path)),
                    "Leave it out: an archive may have files, folders and links", "archive-special");
    }
  }

  Result<> bytes(std::string_view content) {
    if (skipping_) return {};
    buffer_ += content;
    return buffer_.size() < kBufferBytes ? Result<>{} : flush();
  }

  /// The commit, which carries the tree.
  Result<> finish(std::string_view ref) {
    DAVIT_TRY(end_blob());
    if (files_.empty()) {
      return fail(Code::kInvalid, "The archive has no files", "Put the app's files into it", "tree-empty");
    }
    buffer_ += fmt::format("commit {}\ncommitter davit <davit@localhost> now\ndata 0\n", ref);
    for (const auto& [path, file] : files_) {
      buffer_ += fmt::format("M {} :{} {}\n", file.mode, file.mark, fast_import_path(path));
      if (buffer_.size() >= kBufferBytes) DAVIT_TRY(flush());
    }
    buffer_ += "done\n";
    return flush();
  }

  [[nodiscard]] bool left_out() const { return left_out_; }

 private:
  struct File {
    const char* mode;
    std::uint64_t mark;
    std::uint64_t bytes;
  };

  /// Of a working copy that was packed whole: ".git/x", or "app/.git/x".
  static bool is_repository(std::string_view path) {
    const auto parts = split(path, '/');
    return parts[0] == ".git" || (parts.size() > 1 && parts[1] == ".git");
  }

  static Result<std::string> clean_path(const TarEntry& entry) {
    if (entry.path.starts_with('/')) {
      return fail(Code::kInvalid, fmt::format("The archive has an absolute name: {}", json_quote(entry.path)),
                  "Pack it from within the app's folder: tar -cf app.tar .", "archive-name");
    }
    std::vector<std::string> parts;
    for (std::string& part : split(entry.path, '/')) {
      if (part == "..") {
        return fail(Code::kInvalid,
                    fmt::format("The archive has a name that leads out of it: {}", json_quote(entry.path)),
                    "Pack it from within the app's folder: tar -cf app.tar .", "archive-name");
      }
      if (!part.empty() && part != ".") parts.push_back(std::move(part));
    }
    return join(parts, "/");
  }

  Result<> count(std::string_view path, std::uint64_t bytes) {
    total_bytes_ += bytes;
    // The same words as for a push, from the same rules.
    const TreeEntry one{"100644", {}, bytes, std::string(path)};
    DAVIT_TRY(check_tree({one}, SourceLimits{}, max_blob_bytes_));
    const TreeEntry all{"100644", {}, total_bytes_, std::string(path)};
    DAVIT_TRY(check_tree({all}, SourceLimits{max_bytes_, 0}, 0));
    return count_one(counted_, "files");
  }

  /// By entry: a name that comes again costs git memory again.
  Result<> count_one(std::uint64_t& counted, std::string_view what) const {
    if (max_files_ == 0 || counted++ < max_files_) return {};
    return fail(Code::kInvalid, fmt::format("The archive has more than {} {}", max_files_, what),
                "Leave dependencies out, or raise it: davit git:set APP max-files N", "tree-too-many");
  }

  Result<> hard_link(const std::string& path, const TarEntry& entry) {
    TarEntry target = entry;
    target.path = entry.target;
    DAVIT_TRY_ASSIGN(const std::string to, clean_path(target));
    const auto found = files_.find(to);
    if (found == files_.end()) {
      return fail(Code::kInvalid,
                  fmt::format("{} is a hard link to {}, which the archive does not have before it",
                              json_quote(entry.path), json_quote(entry.target)),
                  "Pack the file itself: tar --hard-dereference", "archive-link");
    }
    DAVIT_TRY(count(path, found->second.bytes));
    files_[path] = found->second;
    return {};
  }

  Result<> begin_blob(std::uint64_t bytes) {
    buffer_ += fmt::format("blob\nmark :{}\ndata {}\n", marks_, bytes);
    inside_blob_ = true;
    return {};
  }
  Result<> end_blob() {
    if (std::exchange(inside_blob_, false)) buffer_ += '\n';
    return {};
  }
  Result<> flush() {
    const std::string bytes = std::exchange(buffer_, {});
    return write_all(out_, bytes);
  }

  int out_;
  std::uint64_t max_bytes_, max_files_, max_blob_bytes_;
  std::map<std::string, File> files_;
  std::uint64_t marks_ = 0, total_bytes_ = 0, counted_ = 0, passed_over_ = 0;
  std::string buffer_;
  bool inside_blob_ = false, skipping_ = false, left_out_ = false;
};

/// davit-archive's output, into `import`.
Result<> read_archive(ProcessRunner& processes, const std::filesystem::path& reader_program, int archive,
                      const std::string& type, FastImport& import, std::string_view ref) {
  TarReader reader([&](const TarEntry& entry) { return import.entry(entry); },
                   [&](std::string_view bytes) { return import.bytes(bytes); });
  DAVIT_TRY_ASSIGN(const CancelToken enough, CancelToken::create());
  Result<> judged;
  if (::lseek(archive, 0, SEEK_SET) < 0) return fail(system_error("read the archive", errno));
  Command command;
  command.argv = {reader_program.string(), type};
  command.cwd = "/";
  command.in = InputFd{archive};
  command.out = OutputChunks{[&](std::string_view bytes) {
    if (!judged) return;
    judged = reader.feed(bytes);
    if (!judged) enough.cancel();
  }};
  command.err = OutputCapture{};
  command.cancel = enough;
  DAVIT_TRY_ASSIGN(const Exit exit, processes.run(command));
  DAVIT_TRY(judged);
  if (exit.code == kOtherForm) return other_form();
  if (!exit.ok()) {
    return fail(Code::kInvalid, fmt::format("The archive cannot be read: {}", trim(exit.err)),
                "Make it anew, and check that it arrived whole", "archive-broken");
  }
  DAVIT_TRY(reader.finish());
  return import.finish(ref);
}

/// The tree of `ref`, or of the one folder in it.
Result<std::string> tree_of(const GitCommand& git, const std::string& ref) {
  DAVIT_TRY_ASSIGN(const std::string listing, git.run({"ls-tree", "-l", "-z", ref}));
  DAVIT_TRY_ASSIGN(const auto top, parse_tree(listing));
  if (top.size() == 1 && top.front().mode == "040000") return top.front().id;
  DAVIT_TRY_ASSIGN(const std::string tree, git.run({"rev-parse", ref + "^{tree}"}));
  return std::string(trim(tree));
}

}  // namespace

Result<UniqueFd> nameless_file(const std::filesystem::path& folder) {
  std::string name = (folder / "scratch-XXXXXX").string();
  UniqueFd file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.valid()) return fail(system_error(fmt::format("make a file in {}", folder.string()), errno));
  ::unlink(name.c_str());
  return file;
}

Result<std::string> import_archive(const GitCommand& git, ProcessRunner& processes, const SourceRules& rules,
                                   const std::filesystem::path& reader, int archive, std::string_view type,
                                   const std::filesystem::path& folder, const CallContext& context) {
  DAVIT_TRY_ASSIGN(const std::string found, checked_type(archive, type));
  DAVIT_TRY_ASSIGN(const UniqueFd stream, nameless_file(folder));
  const std::string ref = fmt::format("{}{}", kImportRef, ::getpid());
  FastImport import(stream.get(), rules);
  DAVIT_TRY(read_archive(processes, reader, archive, found, import, ref));
  if (import.left_out()) context.out.step("Leaving out .git: only the files are deployed");
  if (::lseek(stream.get(), 0, SEEK_SET) < 0) return fail(system_error("read the archive", errno));
  Command command = git.command({"fast-import", "--quiet", "--force", "--done", "--date-format=now"});
  command.in = InputFd{stream.get()};
  DAVIT_TRY_ASSIGN(const Exit exit, processes.run(command));
  if (!exit.ok()) return fail(Code::kFailed, fmt::format("git fast-import: {}", trim(exit.err)));
  auto tree = tree_of(git, ref);
  DAVIT_TRY(git.run({"update-ref", "-d", ref}));
  return tree;
}

}  // namespace davit
