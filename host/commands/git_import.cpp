// git:from-archive, git:from-image and git:sync: source that nobody pushed. All end in a commit of the app's
// repository, and from there on it is a push: the same checks, the same deployment, the same move of the
// branch.
#include "commands/git_import.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "commands/download.hpp"
#include "git/archive_import.hpp"
#include "git/receive_hook.hpp"
#include "git/remote.hpp"
#include "lifecycle/identity.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

constexpr std::string_view kHeads = "refs/heads/";

/// What both commands work with.
struct Import {
  Import(Session& of_session, Store& of_store, App of_app, std::string of_command)
      : session(of_session),
        store(of_store),
        app(std::move(of_app)),
        command(std::move(of_command)),
        rules(store, app.id),
        git(session.processes(), session.home().repo(app.name).string()),
        parts{session.home(), store, session.processes(), {}} {}

  Session& session;
  Store& store;
  App app;
  std::string command;
  SourceRules rules;
  GitCommand git;
  ReceiveParts parts;

  /// The branch that is deployed: refs/heads/main if the app does not say, or master if only that exists.
  [[nodiscard]] Result<std::string> ref() const {
    if (const std::string branch = rules.branch(); !branch.empty()) return std::string(kHeads) + branch;
    DAVIT_TRY_ASSIGN(const int no_main, git.ask({"rev-parse", "--verify", "-q", "refs/heads/main"}));
    DAVIT_TRY_ASSIGN(const int no_master, git.ask({"rev-parse", "--verify", "-q", "refs/heads/master"}));
    return std::string(kHeads) + (no_main != 0 && no_master == 0 ? "master" : "main");
  }

  [[nodiscard]] Result<FileLock> lock() {
    return session.deployer().lock(app.name, command, false, false, session.acting());
  }

  /// False: somebody else has moved it meanwhile.
  [[nodiscard]] Result<bool> move(const std::string& ref, const std::string& from,
                                  const std::string& to) const {
    DAVIT_TRY_ASSIGN(const int code, git.ask({"update-ref", ref, to, from}));
    return code == 0;
  }

  /// As for a push: the revision is checked, deployed, and its branch moved if that went well.
  Result<int> deploy(FileLock lock, const std::string& ref, const std::string& tip,
                     const std::string& revision, const std::string& source) {
    DAVIT_TRY(rules.check(git, revision));
    PushedRevision pushed{.app = app.name,
                          .revision = revision,
                          .old_revision = tip,
                          .ref = ref,
                          .source = source,
                          .receiver = {}};
    // We move the branch, as git's receive-pack does of a push; if we die, the deployment does.
    if (auto we = identity_of(::getpid())) pushed.receiver = std::move(*we);
    session.parts().flush();
    DAVIT_TRY_ASSIGN(
        const int code,
        session.deployer().deploy(std::move(lock), {app.name, "push", pushed.request_json(), command, true},
                                  session.acting()));
    if (code != 0 || tip == revision) return code;
    DAVIT_TRY_ASSIGN(const bool moved, move(ref, tip, revision));
    if (!moved)
      session.out().warning(fmt::format("{} was moved by somebody else meanwhile; it is left as it is", ref));
    return code;
  }
};

bool is_url(std::string_view source) {
  return source.starts_with("http://") || source.starts_with("https://");
}

/// The archive as an open file.
Result<UniqueFd> open_archive(Import& import, const std::string& source) {
  Session& session = import.session;
  const bool from_stdin = source.empty() || source == "-";
  if (from_stdin && session.where().in_terminal) {
    return fail(Code::kInvalid, "No archive was given",
                fmt::format("Name a file or a URL, or pipe it: {} git:from-archive {} - < app.tar.gz",
                            session.where().program, import.app.name));
  }
  if (!from_stdin && !is_url(source)) {
    if (session.where().over_ssh) {
      return fail(Code::kDenied, "Over ssh an archive comes from stdin or from a URL",
                  fmt::format("Pipe the file: git:from-archive {} - < FILE", import.app.name));
    }
    UniqueFd file(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid()) return fail(system_error(fmt::format("open {}", source), errno));
    return file;
  }
  DAVIT_TRY(make_dirs(session.home().run() / "work", 0700));
  DAVIT_TRY_ASSIGN(UniqueFd file, nameless_file(session.home().run() / "work"));
  const std::uint64_t limit = import.rules.max_tree_bytes();
  if (from_stdin) {
    DAVIT_TRY(spool(0, file.get(), limit, session.acting()));
  } else {
    session.quiet_step(fmt::format("Downloading {}", shown_url(source)));
    DAVIT_TRY(download(session.processes(), source, file.get(), limit, session.acting()));
  }
  return file;
}

/// A commit of `tree` on top of `tip`.
Result<std::string> commit(const Import& import, const Arguments& args, const std::string& tree,
                           const std::string& tip, const std::string& source) {
  const std::string name = args.args.size() > 1 ? args.args[1] : "davit";
  const std::string email = args.args.size() > 2 ? args.args[2] : "davit@localhost";
  std::vector<std::string> words{"commit-tree", tree, "-m", source};
  if (tip != kZeroId) words.insert(words.end(), {"-p", tip});
  DAVIT_TRY_ASSIGN(const std::string revision,
                   import.git.run(words, {"GIT_AUTHOR_NAME=" + name, "GIT_AUTHOR_EMAIL=" + email,
                                          "GIT_COMMITTER_NAME=" + name, "GIT_COMMITTER_EMAIL=" + email}));
  return std::string(trim(revision));
}

Result<std::string> live_revision(const Import& import) {
  DAVIT_TRY_ASSIGN(const auto live, import.store.releases().current(import.app.id));
  return live ? live->spec.revision : std::string();
}

/// The first time, a branch that would only be stored becomes the one that is deployed.
Result<> settle_branch(Import& import, const FetchedRef& fetched) {
  const std::string name = std::string(kHeads) + fetched.branch;
  if (fetched.branch.empty() || import.app.deployed || !import.rules.branch().empty() ||
      import.rules.deploys(name))
    return {};
  import.session.quiet_step(fmt::format("Detected branch, setting deploy-branch to {}", fetched.branch));
  return import.store.properties().set(import.app.id, "git", "deploy-branch", fetched.branch);
}

/// Deploys a commit of `tree`, unless that is what runs; `otherwise` is then said, too.
Result<int> deploy_tree(Import& import, const Arguments& args, const std::string& tree,
                        const std::string& source, const std::string& otherwise = {}) {
  DAVIT_TRY_ASSIGN(FileLock lock, import.lock());
  DAVIT_TRY_ASSIGN(const std::string ref, import.ref());
  DAVIT_TRY_ASSIGN(const std::string tip, expected_tip(import.parts, import.app.name, ref));
  DAVIT_TRY_ASSIGN(const std::string live, live_revision(import));
  const auto live_tree =
      live.empty() ? Result<std::string>("") : import.git.run({"rev-parse", live + "^{tree}"});
  if (live_tree && trim(*live_tree) == tree) {
    import.session.out().step("No changes detected: this is what runs");
    if (!otherwise.empty()) import.session.out().detail(otherwise);
    return 0;
  }
  DAVIT_TRY_ASSIGN(const std::string revision, commit(import, args, tree, tip, source));
  return import.deploy(std::move(lock), ref, tip, revision, source);
}

/// A git command with bytes on its stdin; what it says, trimmed.
Result<std::string> git_with_input(const Import& import, const std::vector<std::string>& args,
                                   std::string input) {
  Command command = import.git.command(args);
  command.in = InputBytes{std::move(input)};
  DAVIT_TRY_ASSIGN(const Exit exit, import.session.processes().run(command));
  if (!exit.ok()) return fail(Code::kFailed, fmt::format("git {}: {}", args.front(), trim(exit.err)));
  return std::string(trim(exit.out));
}

Result<std::string> tree_of_one_file(const Import& import, const std::string& name, const std::string& text) {
  DAVIT_TRY_ASSIGN(const std::string blob, git_with_input(import, {"hash-object", "-w", "--stdin"}, text));
  return git_with_input(import, {"mktree"}, fmt::format("100644 blob {}\t{}\n", blob, name));
}

/// The grammar of image names is the engine's to check; what could be more than a name is refused here.
Result<> check_image_name(std::string_view image) {
  constexpr std::size_t kLongest = 512;
  const bool plain = std::ranges::all_of(image, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == '/' || c == ':' || c == '@';
  });
  if (plain && !image.empty() && image.size() <= kLongest &&
      std::isalnum(static_cast<unsigned char>(image[0])) != 0)
    return {};
  return fail(Code::kInvalid, fmt::format("{} is no name of an image", json_quote(image)),
              "For example registry.example.com/team/app:1.2, or app@sha256:DIGEST", "image-name");
}

Result<Import> import_for(Session& session, const Arguments& args, std::string command) {
  DAVIT_TRY_ASSIGN(App app, session.app(args));
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  return Import(session, *store, std::move(app), std::move(command));
}

}  // namespace

Result<int> git_from_archive(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(Import import, import_for(session, args, "git:from-archive"));
  const std::string type(args.value("archive-type").value_or(""));
  if (!type.empty() && type != "tar" && type != "tar.gz" && type != "zip") {
    return fail(Code::kInvalid, fmt::format("{} is no type of an archive", json_quote(type)),
                "Use tar, tar.gz or zip");
  }
  const std::string given = args.args.empty() ? "-" : args.args.front();
  DAVIT_TRY_ASSIGN(const UniqueFd archive, open_archive(import, given));
  DAVIT_TRY(make_dirs(session.home().run() / "work", 0700));
  session.quiet_step("Reading the archive");
  DAVIT_TRY_ASSIGN(const std::string tree,
                   import_archive(import.git, session.processes(), import.rules,
                                  session.where().installation.libexec("davit-archive"), archive.get(), type,
                                  session.home().run() / "work", session.acting()));
  return deploy_tree(import, args, tree,
                     "git:from-archive " + (given == "-" ? "from stdin" : shown_url(given)));
}

Result<int> git_from_image(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(Import import, import_for(session, args, "git:from-image"));
  const std::string& image = args.args.front();
  DAVIT_TRY(check_image_name(image));
  DAVIT_TRY_ASSIGN(const std::string tree, tree_of_one_file(import, "Dockerfile", "FROM " + image + "\n"));
  return deploy_tree(import, args, tree, std::string(kFromImage) + image,
                     fmt::format("Does the name mean another image now? davit docker-options:add {0} build "
                                 "-- --pull; davit ps:rebuild {0}\n",
                                 import.app.name));
}

Result<int> git_sync(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(Import import, import_for(session, args, "git:sync"));
  const bool build = args.has("build");
  const bool if_changes = args.has("build-if-changes");
  if (build && if_changes)
    return fail(Code::kInvalid, "--build and --build-if-changes exclude each other",
                "Give one of them: --build-if-changes builds only what has changed");
  const FetchSpec spec{args.args[0], args.args.size() > 1 ? args.args[1] : import.rules.branch(),
                       !session.where().over_ssh};
  DAVIT_TRY(check_fetch(spec));
  const bool first = !import.app.deployed;
  session.quiet_step(fmt::format("{} {} from {}{}{}", first ? "Cloning" : "Fetching", import.app.name,
                                 shown_url(spec.url), spec.ref.empty() ? "" : "#", spec.ref));
  session.parts().flush();
  DAVIT_TRY_ASSIGN(const FetchedRef fetched, fetch_ref(import.git, session.processes(), spec));
  DAVIT_TRY_ASSIGN(FileLock lock, import.lock());
  if (!args.has("skip-deploy-branch")) DAVIT_TRY(settle_branch(import, fetched));
  DAVIT_TRY_ASSIGN(const std::string ref, import.ref());
  DAVIT_TRY_ASSIGN(const std::string tip, expected_tip(import.parts, import.app.name, ref));
  DAVIT_TRY_ASSIGN(const std::string live, live_revision(import));
  if (if_changes && live == fetched.revision) {
    session.out().step("Skipping build as no changes were detected");
    return 0;
  }
  if (build || if_changes)
    return import.deploy(std::move(lock), ref, tip, fetched.revision, "git:sync " + shown_url(spec.url));
  DAVIT_TRY(import.rules.check(import.git, fetched.revision));
  DAVIT_TRY_ASSIGN(const bool moved, import.move(ref, tip, fetched.revision));
  if (!moved)
    return fail(Code::kConflict, fmt::format("{} was moved by somebody else meanwhile", ref), "Run it again");
  session.out().step(fmt::format("{} is at {}; deploy it with --build", ref.substr(kHeads.size()),
                                 fetched.revision.substr(0, 12)));
  return 0;
}

}  // namespace davit
