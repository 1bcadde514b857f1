// Loads a plugin in a child process, to see whether it crashes, hangs or exits there.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "plugin/loader.hpp"
#include "plugin/note_reader.hpp"
#include "process/process_runner.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

// What the child writes at its end; without it, it left by itself.
constexpr char kLoadedMark = 'L', kRefusedMark = 'R';

[[noreturn]] void work_in_child(int out, const std::filesystem::path& file, const LoadTrust& trust) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null_fd, fd);
  std::string answer(1, kLoadedMark);
  auto note = read_note(file);
  auto loaded = note ? load_plugin(file, *note, trust) : fail(std::move(note).error());
  if (!loaded) answer = kRefusedMark + loaded.error().text();
  ssize_t written = ::write(out, answer.data(), answer.size());
  (void)written;
  ::_exit(0);  // no destructor of the host's runs twice
}

/// The child's words until it closes its end, or nothing when the deadline passed.
std::optional<std::string> read_answer(int in, std::int64_t deadline_ms) {
  using Steady = std::chrono::steady_clock;  // poll()'s own clock: not a time that anybody sees
  const auto end = Steady::now() + std::chrono::milliseconds(deadline_ms);
  std::string answer;
  std::array<char, 4096> buffer;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Steady::now()).count();
    if (left <= 0) return std::nullopt;
    pollfd wait{in, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return std::nullopt;
    if (ready <= 0) continue;
    const ssize_t got = ::read(in, buffer.data(), buffer.size());
    if (got <= 0) return answer;
    if (answer.size() < 64 * 1024) answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<Scan> scan_in_child(const std::filesystem::path& file, const LoadTrust& trust,
                           std::int64_t deadline_ms) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(system_error("pipe", errno));
  UniqueFd in(ends[0]), out(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return fail(system_error("fork", errno));
  if (child == 0) work_in_child(out.get(), file, trust);
  out.reset();
  const auto answer = read_answer(in.get(), deadline_ms);
  if (!answer) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string name = file.string();
  if (!answer)
    return Scan{ScanEnd::kHung, fmt::format("{} did not finish loading within {} ms", name, deadline_ms)};
  if (WIFSIGNALED(status))
    return Scan{ScanEnd::kCrashed, fmt::format("{} crashed while it was loaded (signal {}, {})", name,
                                               WTERMSIG(status), signal_name(WTERMSIG(status)))};
  if (answer->empty())
    return Scan{ScanEnd::kExited, fmt::format("{} ended the process while it was loaded (exit code {})", name,
                                              WEXITSTATUS(status))};
  if (answer->front() == kRefusedMark) return Scan{ScanEnd::kRefused, answer->substr(1)};
  return Scan{ScanEnd::kLoaded, ""};
}

}  // namespace davit
