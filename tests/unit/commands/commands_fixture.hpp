// What the tests of commands stand on: a real store, with fakes for what deploys and what loads plugins.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "commands/dispatch.hpp"
#include "commands/session.hpp"
#include "tests/temp_folder.hpp"

namespace davit {

using Words = std::vector<std::string>;

class Recorder final : public UserOutput {
 public:
  void result(std::string_view bytes) override { text += bytes; }
  void header(std::string_view line) override { text += "=====> " + std::string(line) + "\n"; }
  void step(std::string_view line) override { text += "-----> " + std::string(line) + "\n"; }
  void detail(std::string_view bytes) override { text += bytes; }
  void warning(std::string_view line) override { errors += " !     " + std::string(line) + "\n"; }
  void progress(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
  std::string text, errors;
};

struct Asked {
  std::vector<DeployRequest> deployments;
  std::vector<Words> operations;
  int exit_code = 0;
};

class FakeDeployer final : public Deployer {
 public:
  FakeDeployer(Asked& asked, std::filesystem::path folder) : asked_(asked), folder_(std::move(folder)) {}
  Result<FileLock> lock(std::string_view app, std::string_view command, bool, bool,
                        const CallContext&) override {
    return FileLock::try_acquire(folder_ / app, {std::string(command), 0, 0});
  }
  Result<int> deploy(FileLock, const DeployRequest& request, const CallContext&) override {
    asked_.deployments.push_back(request);
    return asked_.exit_code;
  }
  Result<int> follow(std::string_view, bool, const CallContext&) override { return 0; }

 private:
  Asked& asked_;
  std::filesystem::path folder_;
};

class FakeWorker final : public WorkerClient {
 public:
  explicit FakeWorker(Asked& asked) : asked_(asked) {}
  Result<Outcome> run(const Words& operation, bool, const CallContext&) override {
    asked_.operations.push_back(operation);
    return Outcome{asked_.exit_code, ""};
  }

 private:
  Asked& asked_;
};

class Commands : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"repos", "run", "run/locks"})
      std::filesystem::create_directory(home_.root / name);
    std::ofstream(home_.plugins_toml) << "[host]\n";
    auto store = Store::open(home_.database(), StoreMode::kCreate, clock_);
    ASSERT_TRUE(store);
    store_ = std::make_unique<Store>(std::move(*store));
  }

  /// Runs one command line in a session of its own.
  int run(const Words& words, const std::string& input = "") {
    Surroundings where;
    where.installation = {home_.root};
    where.home = home_;
    SessionParts parts{
        .clock = clock_,
        .out = out_,
        .actor = [] { return std::string("local:ada"); },
        .deployer = [&](Session&) { return std::make_unique<FakeDeployer>(asked_, home_.run() / "locks"); },
        .worker = [&](Session&) { return std::make_unique<FakeWorker>(asked_); },
        .read_input = [&](std::size_t) -> Result<std::string> { return input; },
        .ssh_command = ssh_command_,
        .read_line = [&] { return input; }};
    out_ = Recorder();
    Session session(std::move(where), std::move(parts));
    return dispatch(session, words);
  }

  /// The same in a process of its own, which dies when it calls this git command.
  void run_killed_at_git(const std::string& command, const Words& words) {
    const auto folder = home_.root / "fake";
    std::filesystem::create_directory(folder);
    std::ofstream(folder / "git") << "#!/bin/sh\ncase \" $* \" in *' " << command
                                  << " '*) kill -9 $PPID;; *) exec /usr/bin/git \"$@\";; esac\n";
    std::filesystem::permissions(folder / "git", std::filesystem::perms(0755));
    store_.reset();
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("PATH", (folder.string() + ":/usr/bin:/bin").c_str(), 1);
      run(words);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it was not killed";
    auto store = Store::open(home_.database(), StoreMode::kCreate, clock_);
    ASSERT_TRUE(store);
    store_ = std::make_unique<Store>(std::move(*store));
  }

  App make_app(const std::string& name, bool deployed) {
    auto app = store_->apps().create(name);
    EXPECT_TRUE(app);
    if (deployed) {
      ReleaseSpec spec;
      spec.processes = {{"web", "serve", {}, ""}, {"worker", "work", {}, ""}};
      EXPECT_TRUE(store_->releases().create(app->id, spec));
      EXPECT_TRUE(store_->releases().mark_live(app->id, 1));
    }
    return *store_->apps().get(name);
  }

  const test::TempFolder folder_;
  SystemClock clock_;
  Home home_{folder_.path(), folder_ / "plugins.toml"};
  std::unique_ptr<Store> store_;
  Recorder out_;
  Asked asked_;
  std::string ssh_command_;
};

}  // namespace davit
