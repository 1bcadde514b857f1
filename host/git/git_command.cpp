// git by argv.
#include "git/git_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxOutputBytes = 64 * 1024 * 1024;

std::string last_line(const std::string& text) {
  const auto lines = split_lines(trim(text));
  return lines.empty() ? std::string() : lines.back();
}

}  // namespace

bool is_object_id(std::string_view text) {
  return text.size() == kZeroId.size() && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Command GitCommand::command(const std::vector<std::string>& args, const std::vector<std::string>& env) const {
  Command command;
  // hooks are never run by our own git, and the repository is ours whatever uid the files have.
  command.argv = {"git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-C", repository_};
  command.argv.insert(command.argv.end(), args.begin(), args.end());
  const char* path = std::getenv("PATH");
  command.env = {fmt::format("PATH={}", path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path),
                 "GIT_CONFIG_NOSYSTEM=1",
                 "GIT_CONFIG_GLOBAL=/dev/null",
                 "GIT_TERMINAL_PROMPT=0",
                 "HOME=/nonexistent",
                 "LC_ALL=C.UTF-8",
                 "TZ=UTC"};
  command.env.insert(command.env.end(), env.begin(), env.end());
  command.out = OutputCapture{kMaxOutputBytes};
  command.err = OutputCapture{};
  return command;
}

Result<std::string> GitCommand::run(const std::vector<std::string>& args,
                                    const std::vector<std::string>& env) const {
  DAVIT_TRY_ASSIGN(Exit exit, processes_.run(command(args, env)));
  if (exit.truncated)
    return fail(Code::kInvalid, fmt::format("git {} said more than we can read", args.front()),
                "The repository has too many files: leave dependencies out of it");
  if (exit.ok()) return std::move(exit.out);
  return fail(Code::kFailed, fmt::format("git {}: {}", args.front(), last_line(exit.err)), {}, "git-failed");
}

Result<int> GitCommand::ask(const std::vector<std::string>& args) const {
  DAVIT_TRY_ASSIGN(const Exit exit, processes_.run(command(args)));
  return exit.shell_code();
}

}  // namespace davit
