// GitTest: a home with the app "shop" and its bare repository, a working copy beside it, and git itself.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "git/git_command.hpp"
#include "git/git_source_store.hpp"
#include "git/repository.hpp"
#include "process/process_runner.hpp"
#include "store/store.hpp"
#include "tests/fakes/fake_capabilities.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/must.hpp"
#include "tests/temp_folder.hpp"

namespace davit {

namespace fs = std::filesystem;

class GitTest : public testing::Test {
 protected:
  explicit GitTest(const std::string& name = "home") {
    home = Home{root / name, root / name / "plugins.toml"};
    installation = Installation{root / name / "prefix"};
    fs::create_directories(home.root);
    store.emplace(must(Store::open(home.database(), StoreMode::kCreate, clock)));
    shop = must(store->apps().create("shop"));
    must(create_repository(home, installation, *processes, "shop"));
    work = root / "work";
    fs::create_directories(work);
    git({"init", "-q", "--initial-branch=main"});
  }

  /// git in the working copy; its trimmed stdout. Throws when it fails.
  std::string git(const std::vector<std::string>& args, const std::string& input = {}) {
    const Exit exit = try_git(args, input);
    if (!exit.ok()) throw std::runtime_error(join(args, " ") + ": " + exit.err);
    return std::string(trim(exit.out));
  }
  Exit try_git(const std::vector<std::string>& args, const std::string& input = {}) {
    Command command = GitCommand(*processes, work.string()).command(args, identity());
    command.in = InputBytes{input};
    return must(processes->run(command));
  }
  std::string bare(const std::vector<std::string>& args) {
    return std::string(trim(must(GitCommand(*processes, home.repo("shop").string()).run(args, identity()))));
  }
  static std::vector<std::string> identity() {
    return {"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada",
            "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_ALLOW_PROTOCOL=file"};
  }
  void write(const std::string& path, const std::string& bytes) const {
    fs::create_directories((work / path).parent_path());
    std::ofstream(work / path, std::ios::binary) << bytes;
  }
  static std::string read(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  /// Everything in the working copy as a commit; its id.
  std::string commit(const std::string& message = "a commit") {
    git({"add", "-A"});
    git({"commit", "-q", "--allow-empty", "-m", message});
    return git({"rev-parse", "HEAD"});
  }
  /// A commit of a tree that no file system would hold: `entries` are lines of `git mktree`.
  std::string commit_tree(const std::string& entries) {
    const std::string tree = git({"mktree", "--missing"}, entries);
    return git({"commit-tree", "-m", "made by hand", tree});
  }
  std::string blob(const std::string& bytes) { return git({"hash-object", "-w", "--stdin"}, bytes); }
  /// Brings objects of a commit into the bare repository, without any hook.
  void deliver(const std::string& revision) {
    git({"update-ref", "refs/heads/delivery", revision});
    bare({"fetch", "-q", work.string(), "+refs/heads/delivery:refs/test/" + revision});
  }

  const test::TempFolder folder;
  const fs::path root = folder.path();
  fs::path work;
  Home home;
  Installation installation;
  fakes::FakeClock clock;
  std::unique_ptr<ProcessRunner> processes = make_process_runner();
  std::optional<Store> store;
  App shop;
  fakes::RecordedOutput out;
  CallContext call{.actor = "ssh:ada", .app = "shop", .deployment = {}, .out = out};
};

}  // namespace davit
