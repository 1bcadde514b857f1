// The modes that become the program themselves: inside, as, ids.
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "become.hpp"
#include "modes.hpp"

extern char** environ;

namespace davit::sandbox {
namespace {

void close_others() {
  syscall(SYS_close_range, 3U, ~0U, 0U);
}

/// All but the one that davit-init gets.
void close_others_but_lifeline() {
  for (unsigned fd = 3; fd < static_cast<unsigned>(kLifelineFd); ++fd) close(static_cast<int>(fd));
  syscall(SYS_close_range, static_cast<unsigned>(kLifelineFd) + 1U, ~0U, 0U);
}

void change_folder(const Options& options) {
  if (!options.cwd.empty() && chdir(options.cwd.c_str()) != 0) die_errno("folder " + options.cwd);
}

}  // namespace

int run_inside(const Options& options) {
  if (options.lifeline) {
    close_others_but_lifeline();
  } else {
    close_others();
  }
  hand_over_stdio(options);
  apply_rlimits(options);
  drop_privileges(options);
  change_folder(options);
  execute(options.argv, prefixed_environment());
}

int run_as(const Options& options) {
  close_others();
  change_folder(options);  // before the drop: the way there may be closed to the user
  apply_rlimits(options);
  drop_privileges(options);
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  execute(options.argv, environment);
}

int run_ids() {
  std::printf("%u %u\n", geteuid(), getegid());
  return 0;
}

}  // namespace davit::sandbox
