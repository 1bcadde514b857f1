// Source trees from bare repositories. Few git processes: each costs milliseconds of every push.
#include "git/git_source_store.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "base/text.hpp"
#include "git/git_command.hpp"
#include "git/repository.hpp"
#include "git/tree_rules.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

constexpr std::uint64_t kMaxLfsPointerBytes = 1024;
constexpr std::size_t kShownPointers = 3;

std::string deploy_ref(std::string_view deployment) {
  return fmt::format("refs/davit/deploys/{}", deployment);
}

class GitSourceStore final : public SourceStore {
 public:
  GitSourceStore(Home home, Installation installation, ProcessRunner& processes)
      : home_(std::move(home)), installation_(std::move(installation)), processes_(processes) {}

  Result<CheckedOut> check_out(std::string_view app, std::string_view revision, const std::string& folder,
                               const SourceLimits& limits, const CallContext& context) override {
    if (!is_object_id(revision))
      return fail(Code::kInvalid, fmt::format("{} is no commit", json_quote(revision)));
    const GitCommand git = git_of(app);
    DAVIT_TRY_ASSIGN(CheckedOut found, describe(git, std::string(revision)));
    DAVIT_TRY_ASSIGN(const std::string listing,
                     git.run({"ls-tree", "-r", "-l", "-z", "--full-tree", found.revision}));
    DAVIT_TRY_ASSIGN(const auto tree, parse_tree(listing));
    DAVIT_TRY(check_tree(tree, limits, 0));
    DAVIT_TRY(check_links(git, tree));
    DAVIT_TRY(write_tree(git, found.revision, folder));
    tell_pointers(tree, folder, context);
    return found;
  }

  Result<> keep(std::string_view app, std::string_view revision, std::string_view deployment) override {
    if (!is_object_id(revision))
      return fail(Code::kInvalid, fmt::format("{} is no commit", json_quote(revision)));
    DAVIT_TRY(git_of(app).run({"update-ref", deploy_ref(deployment), std::string(revision)}));
    return {};
  }

  Result<> forget(std::string_view app, std::string_view deployment) override {
    std::error_code error;
    if (!std::filesystem::exists(home_.repo(app), error)) return {};
    DAVIT_TRY(git_of(app).run({"update-ref", "-d", deploy_ref(deployment)}));
    return {};
  }

  Result<bool> move_ref(std::string_view app, std::string_view ref, std::string_view from,
                        std::string_view to) override {
    const GitCommand git = git_of(app);
    const auto now = git.run({"rev-parse", "--verify", "-q", std::string(ref)});
    if (now && trim(*now) == to) return true;
    const std::string at = now ? std::string(trim(*now)) : std::string(kZeroId);
    if (at != (from.empty() ? kZeroId : from)) return false;
    const std::vector<std::string> update{"update-ref", std::string(ref), std::string(to), at};
    DAVIT_TRY_ASSIGN(int code, git.ask(update));
    if (code == 0) return true;
    // A receive-pack that was killed while it moved the branch leaves its locks, which would stop every later
    // push too.
    std::error_code none;
    bool was_locked = false;
    for (const std::string_view name : {ref, std::string_view("HEAD")}) {
      was_locked |= std::filesystem::remove(home_.repo(app) / (std::string(name) + ".lock"), none);
    }
    if (!was_locked) return false;
    DAVIT_TRY_ASSIGN(code, git.ask(update));
    return code == 0;
  }

  Result<> tidy(std::string_view app) override {
    DAVIT_TRY(git_of(app).run({"-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"}));
    return {};
  }

  Result<> rename(std::string_view from, std::string_view to) override {
    std::error_code error;
    if (std::filesystem::exists(home_.repo(from), error)) {
      DAVIT_TRY(remove_tree(home_.repo(to)));  // of a creation that died: the name is ours by now
      std::filesystem::rename(home_.repo(from), home_.repo(to), error);
      if (error)
        return fail(system_error("move the repository to " + home_.repo(to).string(), error.value()));
    }
    if (std::filesystem::exists(home_.repo(to) / "HEAD", error))
      return write_hook(home_, installation_, to);  // it has the name
    return create_repository(home_, installation_, processes_, to);
  }

  Result<> remove(std::string_view app) override { return remove_tree(home_.repo(app)); }

 private:
  GitCommand git_of(std::string_view app) const { return {processes_, home_.repo(app).string()}; }

  // Limited by a path, the log leaves out commits whose tree is a parent's: the first that it shows has the
  // time of the tree. Mostly it is the one that was asked for, and says all.
  static Result<CheckedOut> describe(const GitCommand& git, const std::string& revision) {
    const auto ask = [&git, &revision](const char* path) -> Result<CheckedOut> {
      std::vector<std::string> words{"log", "-1", "--format=%H%n%ct%n%s", revision, "--"};
      if (path != nullptr) words.emplace_back(path);
      const auto text = git.run(words);
      if (!text)
        return fail(Code::kNotFound, fmt::format("Commit {} is not in the repository", revision),
                    "Push it again", "no-commit");
      const auto lines = split_lines(*text);
      if (lines.empty()) return CheckedOut{};  // a history without a file
      if (lines.size() < 2) return fail(Code::kInternal, "git log said something that is no commit");
      std::int64_t seconds = 0;
      std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), seconds);
      return CheckedOut{lines[0], 1000 * seconds, lines.size() > 2 ? lines[2] : ""};
    };
    DAVIT_TRY_ASSIGN(CheckedOut found, ask(":/"));
    if (found.revision == revision) return found;
    DAVIT_TRY_ASSIGN(CheckedOut asked, ask(nullptr));
    asked.changed_unix_ms = found.changed_unix_ms;
    return asked;
  }

  // One process for all links of the tree.
  Result<> check_links(const GitCommand& git, const std::vector<TreeEntry>& tree) const {
    std::vector<const TreeEntry*> links;
    std::string wanted;
    for (const TreeEntry& entry : tree) {
      if (entry.mode != "120000") continue;
      links.push_back(&entry);
      wanted += entry.id + "\n";
    }
    if (links.empty()) return {};
    Command command = git.command({"cat-file", "--batch=%(objectsize)"});
    command.in = InputBytes{wanted};
    DAVIT_TRY_ASSIGN(const Exit exit, processes_.run(command));
    if (!exit.ok()) return fail(Code::kFailed, fmt::format("git cat-file: {}", exit.err));
    std::string_view rest = exit.out;
    for (const TreeEntry* link : links) {
      const auto line = rest.find('\n');
      std::size_t bytes = 0;
      std::from_chars(rest.data(), rest.data() + std::min(line, rest.size()), bytes);
      if (line == std::string_view::npos || line + 1 + bytes > rest.size())
        return fail(Code::kInternal, "git cat-file was cut short");
      DAVIT_TRY(check_link(link->path, rest.substr(line + 1, bytes)));
      rest.remove_prefix(std::min(rest.size(), line + 1 + bytes + 1));
    }
    return {};
  }

  // An index of its own, so that checkouts of one repository do not meet.
  Result<> write_tree(const GitCommand& git, const std::string& revision, const std::string& folder) const {
    const std::vector<std::string> env = {"GIT_INDEX_FILE=" + folder + ".index", "GIT_WORK_TREE=" + folder,
                                          "GIT_DIR=" + git.repository()};
    DAVIT_TRY(git.run(
        {"-c", "core.symlinks=true", "-c", "core.protectNTFS=false", "read-tree", "-u", "--reset", revision},
        env));
    return remove_tree(folder + ".index");
  }

  static void tell_pointers(const std::vector<TreeEntry>& tree, const std::string& folder,
                            const CallContext& context) {
    const auto attributes = read_file(std::filesystem::path(folder) / ".gitattributes");
    if (!attributes || attributes->find("filter=lfs") == std::string::npos) return;
    std::vector<std::string> pointers;
    for (const TreeEntry& entry : tree) {
      if (entry.mode == "120000" || entry.bytes == 0 || entry.bytes > kMaxLfsPointerBytes) continue;
      const auto text = read_file(std::filesystem::path(folder) / entry.path, kMaxLfsPointerBytes);
      if (text && is_lfs_pointer(*text)) pointers.push_back(entry.path);
    }
    if (pointers.empty()) return;
    const std::size_t count = pointers.size();
    if (count > kShownPointers) pointers.resize(kShownPointers);
    context.out.warning(fmt::format("{} files are Git LFS pointers, not their contents: {}{}", count,
                                    join(pointers, ", "), count > kShownPointers ? ", ..." : ""));
    context.out.warning(
        "davit does not fetch LFS objects: commit the files themselves, or download them in the build");
  }

  Home home_;
  Installation installation_;
  ProcessRunner& processes_;
};

}  // namespace

std::unique_ptr<SourceStore> make_git_source_store(Home home, Installation installation,
                                                   ProcessRunner& processes) {
  return std::make_unique<GitSourceStore>(std::move(home), std::move(installation), processes);
}

}  // namespace davit
