// git's programs, with an environment of ours.
#include "git/serve.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "git/git_command.hpp"
#include "process/batch.h"

namespace davit {

Result<int> serve_git(const Home& home, ProcessRunner& processes, std::string_view service,
                      std::string_view app, std::string_view actor) {
  constexpr std::string_view kServices[] = {"git-receive-pack", "git-upload-pack", "git-upload-archive"};
  bool known = false;
  for (const std::string_view name : kServices) known = known || name == service;
  if (!known) return fail(Code::kInvalid, fmt::format("{} is no service of git's", json_quote(service)));
  const std::string repository = home.repo(app).string();
  const GitCommand git(processes, repository);
  Command command = git.command({});
  // The hook of the repository has to run: the setting that keeps hooks from our own git does not go here.
  command.argv = {"git", "-c", "safe.directory=*", std::string(service.substr(4)), repository};
  command.env.push_back(fmt::format("DAVIT_ACTOR={}", actor));
  if (const char* protocol = std::getenv("GIT_PROTOCOL"); protocol != nullptr) {
    command.env.push_back(fmt::format("GIT_PROTOCOL={}", protocol));
  }
  command.in = InputFd{0};
  command.out = OutputInherit{};
  command.err = OutputInherit{};
  command.keep_group = true;
  if (service == "git-receive-pack") {
    davit_give_way();
    if (::getsid(0) == ::getpid()) davit_lower_share();  // sshd made a session for us
  }
  DAVIT_TRY_ASSIGN(const Exit exit, processes.run(command));
  return exit.shell_code();
}

}  // namespace davit
