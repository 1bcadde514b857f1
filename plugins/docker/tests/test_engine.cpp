// See test_engine.hpp.
#include "test_engine.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/tar_stream.hpp"
#include "parts.hpp"

namespace davit::docker_plugin {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPrefix = "davit-docker";
constexpr int kTries = 600;  // of 100 ms

std::string read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string cache_folder() {
  const char* own = std::getenv("DAVIT_TEST_CACHE");
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path base = own != nullptr   ? fs::path(own)
                        : xdg != nullptr ? fs::path(xdg) / "davit-tests"
                                         : fs::path(home != nullptr ? home : "/tmp") / ".cache/davit-tests";
  fs::create_directories(base);
  return base;
}

pid_t spawn(const std::vector<std::string>& argv, const std::string& log) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  setsid();                          // Ctrl-C at the tests must not reach it before they have cleaned up
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // tests that crash leave no engine
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
  dup2(out, 1);
  dup2(out, 2);
  execvp(words[0], words.data());
  _exit(127);
}

/// The bridges of an engine that was killed: they are in its own file.
void remove_bridges(const std::string& folder) {
  const std::string networks = read_whole(folder + "/data/network/files/local-kv.db");
  std::error_code error;
  for (const auto& link : fs::directory_iterator("/sys/class/net", error)) {
    const std::string name = link.path().filename();
    if (networks.find("\"BridgeName\":\"" + name + "\"") != std::string::npos)
      run_program({"ip", "link", "delete", name}, "/dev/null");
  }
}

}  // namespace

int run_program(const std::vector<std::string>& argv, const std::string& log) {
  int status = 0;
  waitpid(spawn(argv, log), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string TestEngine::missing() {
  if (geteuid() != 0) return "a dockerd needs root";
  for (const char* place : {"/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd"}) {
    if (access(place, X_OK) == 0) return {};
  }
  return "dockerd is not installed";
}

TestEngine* TestEngine::shared() {
  static std::unique_ptr<TestEngine> engine;
  if (!engine && missing().empty()) {
    test::sweep_temp_folders(kPrefix, remove_bridges);
    engine = std::make_unique<TestEngine>();
    engine->start();
  }
  return engine.get();
}

TestEngine::TestEngine() : folder_(kPrefix), engine_(std::make_unique<Engine>(folder_ / "docker.sock")) {}

void TestEngine::start() {
  pid_ = spawn({"dockerd", "--data-root", folder_ / "data", "--exec-root", folder_ / "exec", "--pidfile",
                folder_ / "pid", "--host", "unix://" + socket(), "--bridge", "none", "--iptables=false",
                "--ip6tables=false", "--ip-masq=false", "--default-address-pool",
                "base=10." + std::to_string(130 + getpid() % 100) + ".0.0/16,size=24"},
               folder_ / "log");
  for (int i = 0; i < kTries; ++i) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    try {
      (void)engine_->get("/info", {}, steady());
      return;
    } catch (const EngineFailure&) {
      usleep(100'000);
    }
  }
  ADD_FAILURE() << "dockerd does not start: " << read_whole(folder_ / "log");
}

void TestEngine::stop() {
  if (pid_ < 0) return;
  kill(pid_, SIGTERM);
  for (int i = 0; i < kTries; ++i) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return;
    }
    usleep(100'000);
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

TestEngine::~TestEngine() {
  stop();
}

void TestEngine::import_busybox() {
  Json found;
  if (engine_->find("/images/busybox:1/json", {}, found, steady())) return;
  const auto answer = engine_->upload(
      "POST", "/images/create", {{"fromSrc", "-"}, {"repo", "busybox"}, {"tag", "1"}}, "application/x-tar",
      [](const BodySink& sink) {
        const std::string program = read_whole("/bin/busybox");
        sink(tar_entry("tmp/", 01777, 0, 0, "") + tar_entry("etc/", 0755, 0, 0, "") +
             tar_entry("bin/", 0755, 0, 0, "") +
             tar_entry("etc/passwd", 0644, 0, 0, "root:x:0:0:root:/:/bin/sh\n"));
        for (const char* name : {"sh", "cat", "sleep", "id", "ls", "nslookup", "wget"})
          sink(tar_entry(std::string("bin/") + name, 0755, 0, 0, program));
        sink(tar_end());
      },
      steady());
  read_messages(*answer, {});
}

std::string TestEngine::import_python() {
  Json found;
  if (engine_->find("/images/davit-tests/python:1/json", {}, found, steady())) return {};
  const std::string file = cache_folder() + "/runtime-stack.tar";
  if (access(file.c_str(), R_OK) != 0) {
    if (access("/usr/bin/mmdebstrap", X_OK) != 0)
      return "mmdebstrap is not installed, and " + file + " is not there";
    const std::string part = file + "." + std::to_string(getpid());
    std::vector<std::string> argv{"/usr/bin/mmdebstrap",
                                  "--variant=minbase",
                                  "--include=python3,procps",
                                  "--dpkgopt=path-exclude=/usr/share/man/*",
                                  "--dpkgopt=path-exclude=/usr/share/doc/*",
                                  "--dpkgopt=path-exclude=/usr/share/locale/*",
                                  "--format=tar",
                                  "bookworm",
                                  part};
    if (access("/etc/apt/sources.list.d/debian.sources", R_OK) == 0)
      argv.emplace_back("/etc/apt/sources.list.d/debian.sources");
    const std::string log = folder_ / "mmdebstrap.log";
    if (run_program(argv, log) != 0) {
      unlink(part.c_str());
      return "mmdebstrap cannot make the tests' stack: " + read_whole(log);
    }
    fs::rename(part, file);
  }
  const auto answer = engine_->upload(
      "POST", "/images/create", {{"fromSrc", "-"}, {"repo", "davit-tests/python"}, {"tag", "1"}},
      "application/x-tar",
      [&file](const BodySink& sink) {
        std::ifstream in(file, std::ios::binary);
        std::string chunk(1 << 20, '\0');
        while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0)
          sink(std::string_view(chunk).substr(0, static_cast<std::size_t>(in.gcount())));
      },
      steady(600'000));
  read_messages(*answer, {});
  return {};
}

}  // namespace davit::docker_plugin
