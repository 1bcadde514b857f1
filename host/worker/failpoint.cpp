// Failpoints, for tests.
#include "worker/failpoint.hpp"

#include <signal.h>
#include <unistd.h>

#include <fstream>

namespace davit {
namespace {

constexpr std::string_view kGuard = "guard@";
constexpr std::string_view kStop = "stop@";
constexpr std::string_view kTrace = "trace@";

// Waiting here for good is what proves that a worker dies with its guard.
[[noreturn]] void kill_and_wait(pid_t pid) {
  ::kill(pid, SIGKILL);
  for (;;) ::pause();
}

}  // namespace

std::function<void(std::string_view)> failpoint_of(const std::string& wanted) {
  if (wanted.starts_with(kGuard)) {
    return [point = wanted.substr(kGuard.size())](std::string_view now) {
      if (now == point) kill_and_wait(::getppid());
    };
  }
  if (wanted.starts_with(kStop)) {
    return [point = wanted.substr(kStop.size())](std::string_view now) mutable {
      if (now != point) return;
      point.clear();
      ::raise(SIGSTOP);
    };
  }
  if (wanted.starts_with(kTrace)) {
    return [file = wanted.substr(kTrace.size())](std::string_view now) {
      std::ofstream(file, std::ios::app) << now << '\n';
    };
  }
  return [wanted](std::string_view now) {
    if (now == wanted) kill_and_wait(::getpid());
  };
}

}  // namespace davit
