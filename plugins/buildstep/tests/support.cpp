#include "support.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "davit/failure.hpp"
#include "files.hpp"

namespace davit::buildstep::testing_support {
namespace fs = std::filesystem;
namespace {

std::vector<char*> pointers(sdk::Strings& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

void pump(int out, int err, const Program& program) {
  std::array<pollfd, 2> fds{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      std::array<char, 4096> buffer;
      const ssize_t got = ::read(fds[i].fd, buffer.data(), buffer.size());
      if (got <= 0) {
        ::close(fds[i].fd);
        fds[i].fd = -1;
        continue;
      }
      const sdk::Output& sink = i == 1 && program.err ? program.err : program.out;
      if (sink) sink(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
    }
  }
}

}  // namespace

int RealPrograms::run(const Program& program) {
  seen.push_back(program.argv);
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (::pipe2(in.data(), O_CLOEXEC) || ::pipe2(out.data(), O_CLOEXEC) || ::pipe2(err.data(), O_CLOEXEC))
    return 126;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  sdk::Strings argv = program.argv;
  sdk::Strings env;
  for (const auto& [key, value] : program.env) env.push_back(key + "=" + value);
  if (env.empty()) env = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"};
  pid_t pid = 0;
  const int failed =
      ::posix_spawnp(&pid, argv[0].c_str(), &actions, nullptr, pointers(argv).data(), pointers(env).data());
  posix_spawn_file_actions_destroy(&actions);
  for (const int fd : {in[0], out[1], err[1]}) ::close(fd);
  if (!program.input.empty() && ::write(in[1], program.input.data(), program.input.size()) < 0) return 125;
  ::close(in[1]);
  pump(out[0], err[0], program);
  if (failed != 0) return 127;
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int MappedSandbox::run(const sdk::Task& task) {
  last = task;
  const auto mapped = [&task](const std::string& text) {
    for (const sdk::Mount& mount : task.mounts) {
      if (text == mount.target || text.starts_with(mount.target + "/")) {
        return mount.source + text.substr(mount.target.size());
      }
    }
    return text;
  };
  Program program;
  for (const std::string& argument : task.argv) program.argv.push_back(mapped(argument));
  for (const auto& [key, value] : task.env) {
    const std::size_t colon = value.find(':');
    program.env.emplace_back(
        key, key == "PATH" ? mapped(value.substr(0, colon)) + value.substr(colon) : mapped(value));
  }
  program.out = task.out;
  return programs_.run(program);
}

void FolderTest::put(const std::string& name, const std::string& text, unsigned mode) {
  fs::create_directories((root_ / name).parent_path());
  std::ofstream(root_ / name, std::ios::binary) << text;
  fs::permissions(root_ / name, fs::perms(mode));
}

std::string FolderTest::get(const fs::path& file) const {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

int FolderTest::sh(const sdk::Strings& argv) {
  said_.clear();
  Program program;
  program.argv = argv;
  program.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                 {"HOME", root_.string()},
                 {"LC_ALL", "C"},
                 {"GIT_AUTHOR_NAME", "t"},
                 {"GIT_AUTHOR_EMAIL", "t@t"},
                 {"GIT_COMMITTER_NAME", "t"},
                 {"GIT_COMMITTER_EMAIL", "t@t"},
                 {"GIT_CONFIG_NOSYSTEM", "1"}};
  program.out = [this](std::string_view chunk) { said_.append(chunk); };
  return programs_.run(program);
}

void FolderTest::put_pack(const std::string& name, const std::string& detect, const std::string& compile,
                          const std::string& release) {
  const std::string head = "#!/usr/bin/env bash\n";
  // 0644 on purpose: some published buildpacks are stored like that.
  if (!detect.empty()) put(name + "/bin/detect", head + detect);
  if (!compile.empty()) put(name + "/bin/compile", head + compile);
  if (!release.empty()) put(name + "/bin/release", head + release);
}

void BuildTest::SetUp() {
  const fs::path plugin = fs::path(DAVIT_SOURCE_DIR) / "plugins/buildstep";
  fs::create_directory(root_ / "share");
  for (const char* name : {"driver.sh", "launcher.sh", "bin"}) {
    fs::create_symlink(plugin / "share" / name, root_ / "share" / name);
  }
  fs::create_symlink(plugin / "buildpacks", root_ / "share/buildpacks");
  fs::create_directory(root_ / "src");
  config_.share = root_ / "share";
  config_.stack = "heroku-22";
  config_.detection_order = {"davit/node", "davit/python", "davit/static", "davit/procfile"};
}

BuildOutcome BuildTest::build() {
  const fs::path work = root_ / "work";  // the same each time: what is cached may know the path of /app
  fs::remove_all(work);
  fs::create_directory(work);
  // The builder may change its source, so each run gets a copy, as the host does it.
  copy_tree(root_ / "src", work / "source");
  sdk::Build build;
  build.app = "shop";
  build.source_dir = (work / "source").string();
  build.cache_dir = (root_ / "cache").string();
  build.work_dir = work.string();
  build.revision = "0123456789012345678901234567890123456789";
  build.source_unix_ms = 1700000000000;
  build.request_id = "d1";
  build.env = env_;
  StoreConfig store_config;
  store_config.shipped = root_ / "share/buildpacks";
  store_config.state = root_ / "state";
  store_config.use_of_path = [](const std::string&, const fs::path&) { return PathUse::kAsItIs; };
  BuildpackStore store(programs_, screen_, store_config);
  return BuildRun(config_, store, sandbox_, programs_, screen_).run(build);
}

std::string BuildTest::failure() {
  try {
    build();
  } catch (const sdk::Failure& failure) {
    return failure.slug() + ": " + failure.message();
  }
  ADD_FAILURE() << "the build succeeded:\n" << screen_.text;
  return {};
}

}  // namespace davit::buildstep::testing_support
