// Buildpacks from real git repositories and tar files on this machine.
#include "store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

#include "davit/failure.hpp"
#include "support.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

using testing::HasSubstr;
using testing::Not;

/// A web server on a free port of loopback that serves one folder until the object goes.
class WebServer {
 public:
  explicit WebServer(const fs::path& folder) {
    const std::string script =
        "import functools, http.server, sys\n"
        "class Quiet(http.server.SimpleHTTPRequestHandler):\n"
        "    def log_message(self, *words): pass\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=sys.argv[1]))\n"
        "print(server.server_port, flush=True)\n"
        "server.serve_forever()\n";
    std::array<int, 2> out{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    std::vector<std::string> words{"/usr/bin/python3", "-c", script, folder.string()};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = 0;
    posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) port_ += c;
    ::close(out[0]);
  }
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  ~WebServer() { stop(); }
  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  std::string url() const { return "http://127.0.0.1:" + port_; }

 private:
  pid_t pid_ = 0;
  std::string port_;
};

class Store : public testing_support::FolderTest {
 protected:
  void SetUp() override {
    put_pack("repo", "echo one", "echo compile");
    repo_ = (root_ / "repo").string();
    git({"init", "-q", "-b", "main"});
    commit("first");
    git({"tag", "v1"});
  }
  void git(sdk::Strings argv) {
    argv.insert(argv.begin(), {"git", "-C", repo_});
    ASSERT_EQ(sh(argv), 0) << said_;
  }
  void commit(const std::string& message) {
    git({"add", "-A"});
    git({"commit", "-q", "-m", message});
  }
  std::string head() {
    git({"rev-parse", "HEAD"});
    return said_.substr(0, 40);
  }
  fs::path place(const std::string& text) {
    StoreConfig config;
    config.shipped = fs::path(DAVIT_SOURCE_DIR) / "plugins/buildstep/buildpacks";
    config.state = root_ / "state";
    config.use_of_path = [this](const std::string&, const fs::path& real) {
      if (asked_) asked_(real);
      return use_;
    };
    const fs::path folder = root_ / ("placed" + std::to_string(++placed_));
    BuildpackStore(programs_, screen_, config).place(parse_spec(text), folder);
    return folder;
  }
  std::string refusal(const std::string& text) {
    try {
      place(text);
    } catch (const sdk::Failure& failure) {
      return failure.slug() + ": " + failure.message();
    }
    return "placed";
  }
  std::string detect_of(const fs::path& folder) { return get(folder / "bin/detect"); }

  std::string repo_;
  testing_support::RecordingScreen screen_;
  PathUse use_ = PathUse::kAsItIs;
  std::function<void(const fs::path& real)> asked_;
  int placed_ = 0;
};

TEST_F(Store, ShippedOnesAreCopied) {
  const fs::path folder = place("davit/procfile");
  EXPECT_TRUE(fs::exists(folder / "bin/compile"));
  EXPECT_FALSE(fs::is_symlink(folder / "bin/compile"));
}

TEST_F(Store, GitBranchTagAndCommit) {
  const std::string first = head();
  put("repo/bin/detect", "#!/bin/sh\necho between\n");
  commit("between");
  const std::string between = head();
  put("repo/bin/detect", "#!/bin/sh\necho two\n");
  commit("second");
  git({"branch", "feature/x"});
  put("repo/bin/detect", "#!/bin/sh\necho three\n");
  commit("third");
  const std::string url = "file://" + repo_;
  EXPECT_THAT(detect_of(place(url + "#main")), HasSubstr("three"));
  EXPECT_THAT(detect_of(place(url + "#feature/x")), HasSubstr("two"));
  EXPECT_THAT(detect_of(place(url + "#v1")), HasSubstr("one"));
  EXPECT_THAT(detect_of(place(url + "#" + first)), HasSubstr("one"));
  EXPECT_THAT(detect_of(place(url + "#" + first.substr(0, 8))), HasSubstr("one"));
  EXPECT_THAT(detect_of(place(url + "#" + between.substr(0, 9))), HasSubstr("between"));
  EXPECT_THAT(refusal(url + "#nope"), HasSubstr("buildpack-unavailable: Buildpack file://"));
}

TEST_F(Store, ABranchIsBroughtUpToDate) {
  const std::string url = "file://" + repo_ + "#main";
  EXPECT_THAT(detect_of(place(url)), HasSubstr("one"));
  put("repo/bin/detect", "#!/bin/sh\necho newer\n");
  commit("newer");
  EXPECT_THAT(detect_of(place(url)), HasSubstr("newer"));
  git({"commit", "-q", "--amend", "-m", "forced"});
  EXPECT_THAT(detect_of(place(url)), HasSubstr("newer"));
}

TEST_F(Store, WhenTheSourceIsGoneTheEarlierCopyServesAndAWarningSaysSo) {
  const std::string url = "file://" + repo_ + "#main";
  place(url);
  fs::rename(repo_ + "/.git", repo_ + "/gone");
  fs::create_directories(repo_ + "/.git");
  EXPECT_THAT(detect_of(place(url)), HasSubstr("one"));
  EXPECT_THAT(screen_.text, HasSubstr("could not be updated"));
  EXPECT_THAT(refusal("file://" + repo_ + "#v1"), HasSubstr("buildpack-unavailable"));
}

TEST_F(Store, CopiesOfGitHaveNoRepositoryInside) {
  const fs::path folder = place("file://" + repo_ + "#main");
  EXPECT_FALSE(fs::exists(folder / ".git"));
  EXPECT_FALSE(fs::exists(folder.string() + ".index"));
}

TEST_F(Store, AFolderIsTakenAsItIs) {
  put("repo/bin/detect", "#!/bin/sh\necho uncommitted\n");
  EXPECT_THAT(detect_of(place(repo_)), HasSubstr("uncommitted"));
  EXPECT_FALSE(fs::exists(root_ / "placed1/.git"));
}

TEST_F(Store, ABareRepositoryByItsPath) {
  ASSERT_EQ(sh({"git", "clone", "-q", "--bare", repo_, repo_ + ".git"}), 0) << said_;
  EXPECT_THAT(detect_of(place(repo_ + ".git")), HasSubstr("one"));
}

TEST_F(Store, ArchivesWithAndWithoutATopFolder) {
  ASSERT_EQ(sh({"tar", "-C", repo_, "-czf", (root_ / "flat.tgz").string(), "bin"}), 0) << said_;
  ASSERT_EQ(sh({"tar", "-C", root_.string(), "-cf", (root_ / "top.tar").string(), "repo"}), 0) << said_;
  EXPECT_THAT(detect_of(place("file://" + (root_ / "flat.tgz").string())), HasSubstr("one"));
  EXPECT_THAT(detect_of(place((root_ / "top.tar").string())), HasSubstr("one"));
  put("bad.tgz", "this is text");
  EXPECT_THAT(refusal((root_ / "bad.tgz").string()), HasSubstr("could not be unpacked"));
}

TEST_F(Store, ArchivesFromTheWebAreKeptForWhenItIsDown) {
  fs::create_directory(root_ / "web");
  ASSERT_EQ(sh({"tar", "-C", repo_, "-czf", (root_ / "web/pack.tgz").string(), "bin"}), 0) << said_;
  WebServer server(root_ / "web");
  const std::string url = server.url() + "/pack.tgz";
  EXPECT_THAT(detect_of(place(url)), HasSubstr("one"));
  put("repo/bin/detect", "#!/bin/sh\necho newer\n");
  ASSERT_EQ(sh({"tar", "-C", repo_, "-czf", (root_ / "web/pack.tgz").string(), "bin"}), 0) << said_;
  EXPECT_THAT(detect_of(place(url)), HasSubstr("newer"));
  EXPECT_EQ(screen_.text, "");
  EXPECT_THAT(refusal(server.url() + "/missing.tgz"), HasSubstr("404"));
  put("web/bad.tgz", "this is text");
  EXPECT_THAT(refusal(server.url() + "/bad.tgz"), HasSubstr("could not be unpacked"));
  server.stop();
  EXPECT_THAT(detect_of(place(url)), HasSubstr("newer"));
  EXPECT_THAT(screen_.text, HasSubstr("using the copy from earlier"));
}

TEST_F(Store, WhatIsNoBuildpackIsRefused) {
  fs::remove(root_ / "repo/bin/compile");
  EXPECT_THAT(refusal(repo_), HasSubstr("is not a buildpack: it has no bin/compile"));
  EXPECT_THAT(refusal((root_ / "nowhere").string()), HasSubstr("does not exist"));
}

TEST_F(Store, PathsNeedPermission) {
  use_ = PathUse::kIfPublic;
  EXPECT_THAT(refusal(repo_), HasSubstr("buildpack-not-allowed"));
  EXPECT_THAT(refusal("file://" + repo_ + "#main"), HasSubstr("buildpack-not-allowed"));
  EXPECT_THAT(refusal((root_ / "x.tgz").string()), HasSubstr("does not exist"));
}

TEST_F(Store, OfAPublicPathAllMustBePublic) {
  use_ = PathUse::kIfPublic;
  ASSERT_EQ(sh({"tar", "-C", repo_, "-czf", (root_ / "flat.tgz").string(), "bin"}), 0) << said_;
  ASSERT_EQ(sh({"chmod", "-R", "a+rX", root_.string()}), 0) << said_;
  EXPECT_THAT(detect_of(place(repo_)), HasSubstr("one"));
  EXPECT_THAT(detect_of(place("file://" + repo_ + "#main")), HasSubstr("one"));
  EXPECT_THAT(detect_of(place((root_ / "flat.tgz").string())), HasSubstr("one"));
  fs::permissions(repo_ + "/bin/compile", fs::perms(0640));
  fs::permissions(root_ / "flat.tgz", fs::perms(0640));
  for (const std::string& text : {repo_, "file://" + repo_ + "#main", (root_ / "flat.tgz").string()})
    EXPECT_THAT(refusal(text), HasSubstr("buildpack-not-allowed")) << text;
}

TEST_F(Store, AnotherUsersRepositoryIsNoPublicOne) {
  use_ = PathUse::kIfPublic;
  ASSERT_EQ(sh({"chmod", "-R", "a+rX", root_.string()}), 0) << said_;
  fs::permissions(repo_, fs::perms(0777));
  EXPECT_THAT(refusal("file://" + repo_ + "#main"), HasSubstr("others can change it"));
}

TEST_F(Store, DavitsOwnIsForNoApp) {
  use_ = PathUse::kNever;
  EXPECT_THAT(refusal(repo_), HasSubstr("it is in davit's home"));
}

TEST_F(Store, WhatWasAskedAboutIsTakenWhateverItsNameLeadsToNow) {
  put_pack("secret", "echo secret", "echo secret");
  ASSERT_EQ(sh({"tar", "-C", repo_, "-cf", (root_ / "repo.tar").string(), "bin"}), 0) << said_;
  ASSERT_EQ(sh({"tar", "-C", (root_ / "secret").string(), "-cf", (root_ / "secret.tar").string(), "bin"}), 0);
  asked_ = [this](const fs::path& real) {
    fs::rename(real, real.string() + ".old");
    fs::create_symlink(root_ / (real.extension() == ".tar" ? "secret.tar" : "secret"), real);
  };
  EXPECT_THAT(detect_of(place((root_ / "repo.tar").string())), HasSubstr("one"));
  EXPECT_THAT(detect_of(place(repo_)), HasSubstr("one"));
}

TEST_F(Store, CredentialsNeverStandOnACommandLine) {
  EXPECT_THAT(refusal("http://ada:s3cret@127.0.0.1:1/a/b.git"), HasSubstr("http://***@127.0.0.1:1/a/b.git"));
  EXPECT_THAT(refusal("http://ada:s3cret@127.0.0.1:1/a.tgz"), HasSubstr("could not be fetched"));
  fs::create_directory(root_ / "web");
  ASSERT_EQ(sh({"tar", "-C", repo_, "-czf", (root_ / "web/pack.tgz").string(), "bin"}), 0) << said_;
  const WebServer server(root_ / "web");
  EXPECT_THAT(detect_of(place(server.url() + "/pack.tgz?token=s3cret")), HasSubstr("one"));
  EXPECT_THAT(refusal(server.url() + "/missing.tgz?token=s3cret"), Not(HasSubstr("s3cret")));
  for (const auto& argv : programs_.seen) {
    for (const std::string& argument : argv) EXPECT_THAT(argument, Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace davit::buildstep
