// Bare repositories.
#include "git/repository.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.hpp"
#include "git/git_command.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

struct Setting {
  const char* key;
  const char* value;
};

// refs/davit is ours; a push over the limit is better refused than unpacked; a large push may take its time.
constexpr Setting kSettings[] = {
    {"core.logAllRefUpdates", "true"},        {"receive.denyDeleteCurrent", "refuse"},
    {"receive.denyNonFastForwards", "false"}, {"transfer.hideRefs", "refs/davit"},
    {"receive.fsckObjects", "false"},         {"receive.autogc", "false"},
    {"uploadpack.allowFilter", "true"},       {"receive.advertisePushOptions", "true"},
};

// The shell reads two words in single quotes: both are paths of ours, quoted by the rule that shells have for
// that.
std::string hook_text(const Home& home, const Installation& installation, std::string_view app) {
  return fmt::format(
      "#!/bin/sh\n"
      "# Made by davit; `davit doctor` mends it. Every push comes through here.\n"
      "DAVIT_HOME={} DAVIT_PLUGINS_TOML={} exec {} git:hook {}\n",
      shell_quote(home.root.string()), shell_quote(home.plugins_toml.string()),
      shell_quote(installation.davit().string()), app);
}

std::filesystem::path hook_file(const Home& home, std::string_view app) {
  return home.repo(app) / "hooks" / "pre-receive";
}

std::string config_text(std::uint64_t max_push_bytes) {
  std::string text = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
  for (const Setting& setting : kSettings) {
    const auto parts = split(setting.key, '.');
    text += fmt::format("[{}]\n\t{} = {}\n", parts[0], parts[1], setting.value);
  }
  return text + fmt::format("[receive]\n\tmaxInputSize = {}\n", max_push_bytes);
}

}  // namespace

Result<> write_hook(const Home& home, const Installation& installation, std::string_view app) {
  DAVIT_TRY(make_dirs(home.repo(app) / "hooks", 0700));
  return write_file_atomic(hook_file(home, app), hook_text(home, installation, app), 0700);
}

Result<> create_repository(const Home& home, const Installation& installation, ProcessRunner& processes,
                           std::string_view app, std::uint64_t max_push_bytes) {
  const auto folder = home.repo(app);
  // Before git makes a repository of it: none is without our hook, and what the disk refuses we say
  // ourselves.
  DAVIT_TRY(write_hook(home, installation, app));
  std::error_code error;
  if (!std::filesystem::exists(folder / "HEAD", error)) {
    const GitCommand git(processes, home.root.string());
    DAVIT_TRY(git.run({"init", "-q", "--bare", "--template=", "--initial-branch=main", folder.string()}));
  }
  return write_file_volatile(folder / "config", config_text(max_push_bytes), 0600);
}

Result<> set_push_limit(const Home& home, ProcessRunner& processes, std::string_view app,
                        std::uint64_t bytes) {
  const GitCommand git(processes, home.repo(app).string());
  DAVIT_TRY(git.run({"config", "receive.maxInputSize", std::to_string(bytes)}));
  return {};
}

std::vector<std::string> repository_problems(const Home& home, const Installation& installation,
                                             std::string_view app) {
  std::vector<std::string> problems;
  std::error_code error;
  if (!std::filesystem::exists(home.repo(app) / "HEAD", error)) {
    problems.push_back(fmt::format("{} has no repository", app));
    return problems;
  }
  const auto hook = read_file(hook_file(home, app));
  if (!hook || *hook != hook_text(home, installation, app)) {
    problems.push_back(fmt::format("the pre-receive hook of {} is not ours: pushes would not deploy", app));
  }
  return problems;
}

}  // namespace davit
