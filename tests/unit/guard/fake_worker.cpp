// A worker whose "plugin" misbehaves on request.
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "guard/run_worker.hpp"

namespace {

void misbehave(const std::string& how) {
  if (how == "segv") ::raise(SIGSEGV);
  if (how == "abort") std::abort();
  if (how == "exit") std::exit(3);
  if (how == "hang") ::pause();
  if (how == "spin-deaf") {
    ::signal(SIGTERM, SIG_IGN);
    for (volatile bool on = true; on;) {
    }
  }
  if (how == "kill-by-term") ::raise(SIGTERM);
  if (how == "fds") std::system("ls /proc/self/fd");
  if (how == "signal-parent") {  // as Ctrl-C at the guard
    ::kill(::getppid(), SIGTERM);
    ::pause();
  }
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would exit instead
  const std::string how = argc > 1 ? argv[1] : "";
  const long limit_ms = argc > 2 ? std::atol(argv[2]) : 0;
  const char* fd = std::getenv(davit::kBreadcrumbFdVariable);
  auto crumb = davit::Breadcrumb::map(fd != nullptr ? std::atoi(fd) : -1);
  if (!crumb) return 99;
  crumb->set_deployment("d17");
  crumb->set_step("switch");
  if (how == "outside") ::raise(SIGABRT);
  {
    const auto outer = crumb->enter("outer", "deploy.begin");
    {
      const auto call = crumb->enter("nginx", "route.switch", limit_ms);
      misbehave(how);
    }
    if (how == "outer") ::raise(SIGSEGV);
  }
  const int code = how == "fail" ? 4 : 0;
  crumb->finish(code);
  return code;
}
