// The parent's side of a conformance check: reads the note, forks, and turns how the child ended into
// findings. The child sends one record a line: "B what" (begins), "F level check text", "E" (came to its
// end).
#include "plugin/conformance.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>

#include "plugin/conformance_suite.hpp"
#include "plugin/note_reader.hpp"
#include "process/files.hpp"
#include "process/process_runner.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

using Level = ConformanceFinding::Level;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxReportBytes =
    1024 * 1024;  // a plugin cannot write here, but what it says ends up here

/// The child's end of the pipe.
class PipeReporter final : public ConformanceReporter {
 public:
  explicit PipeReporter(int fd) : fd_(fd) {}
  void begin(std::string_view what) override { send("B " + std::string(what)); }
  void add(Level level, std::string_view check, std::string_view text) override {
    send("F " + std::to_string(static_cast<int>(level)) + " " + std::string(check) + " " + std::string(text));
  }
  void end() { send("E"); }

 private:
  void send(std::string record) {
    std::replace(record.begin(), record.end(), '\n', ' ');
    record.push_back('\n');
    std::string_view rest = record;
    while (!rest.empty()) {
      const ssize_t written = ::write(fd_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) ::_exit(127);  // the parent is gone
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  int fd_;
};

/// noexcept: an exception of the plugin must end this process, not unwind into a copy of the caller.
[[noreturn]] void run_child(const std::filesystem::path& plugin, const PluginNote& note,
                            const std::string& scratch, int pipe_fd) noexcept {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null_fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int stray_fd = ::memfd_create("stray-output", MFD_CLOEXEC);
  if (null_fd < 0 || stray_fd < 0 || ::dup2(null_fd, 0) < 0 || ::dup2(stray_fd, 1) < 0 ||
      ::dup2(stray_fd, 2) < 0) {
    ::_exit(127);
  }
  PipeReporter reporter(pipe_fd);
  ConformanceSuite suite(note, scratch, reporter, stray_fd);
  suite.run(plugin);
  reporter.end();
  ::_exit(0);  // no destructors of a process that is not ours
}

/// What the parent knows of the child so far.
struct Progress {
  std::string unread;
  std::string last_begun = "starting";
  bool ended = false;
};

void take_records(Progress& progress, ConformanceReport& report) {
  std::size_t end = 0;
  while ((end = progress.unread.find('\n')) != std::string::npos) {
    const std::string record = progress.unread.substr(0, end);
    progress.unread.erase(0, end + 1);
    if (record == "E") progress.ended = true;
    if (record.starts_with("B ")) progress.last_begun = record.substr(2);
    if (record.size() < 5 || !record.starts_with("F ")) continue;
    const std::size_t blank = record.find(' ', 4);
    if (blank == std::string::npos) continue;
    ConformanceFinding finding{static_cast<Level>(record[2] - '0'), record.substr(4, blank - 4),
                               record.substr(blank + 1)};
    const auto same = [&finding](const ConformanceFinding& other) {
      return other.level == finding.level && other.check == finding.check && other.text == finding.text;
    };
    // The suite lives a plugin's life twice; what it finds again is not news.
    if (std::none_of(report.findings.begin(), report.findings.end(), same)) {
      report.findings.push_back(std::move(finding));
    }
  }
}

/// Reads until the child is done, has ended or is late. True: late.
bool follow(int pipe_fd, int pidfd, std::int64_t timeout_ms, Progress& progress, ConformanceReport& report) {
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  std::size_t total = 0;
  while (!progress.ended && total < kMaxReportBytes) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) return true;
    pollfd polled[2] = {{pipe_fd, POLLIN, 0}, {pidfd, POLLIN, 0}};
    if (::poll(polled, 2, static_cast<int>(std::min<std::int64_t>(left, 60'000))) < 0 && errno != EINTR)
      return false;
    if ((polled[0].revents & (POLLIN | POLLHUP)) != 0) {
      char buffer[4096];
      const ssize_t got = ::read(pipe_fd, buffer, sizeof(buffer));
      if (got <= 0) return false;
      total += static_cast<std::size_t>(got);
      progress.unread.append(buffer, static_cast<std::size_t>(got));
      take_records(progress, report);
    } else if ((polled[1].revents & POLLIN) != 0) {
      return false;  // ended, and nothing more to read
    }
  }
  return false;
}

std::string ending(int status) {
  if (WIFSIGNALED(status)) return "crashed (" + signal_name(WTERMSIG(status)) + ")";
  return "ended the process (exit code " + std::to_string(WEXITSTATUS(status)) + ")";
}

void check_in_child(const std::filesystem::path& plugin, const PluginNote& note, const std::string& scratch,
                    const ConformanceOptions& options, ConformanceReport& report) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    report.findings.push_back({Level::kProblem, "check", system_error("pipe", errno).text()});
    return;
  }
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) run_child(plugin, note, scratch, write_end.get());
  write_end.reset();
  if (child < 0) {
    report.findings.push_back({Level::kProblem, "check", system_error("fork", errno).text()});
    return;
  }
  const UniqueFd pidfd(
      static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));  // glibc 2.36 declares it for C only
  Progress progress;
  const bool late = follow(read_end.get(), pidfd.get(), options.timeout_ms, progress, report);
  if (late || progress.ended) {
    ::kill(-child, SIGKILL);  // the group: whatever the plugin started too
    ::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ::kill(-child, SIGKILL);
  if (progress.ended) return;
  report.findings.push_back(
      {Level::kProblem, late ? "hang" : "crash",
       (late ? "did not return within " + std::to_string(options.timeout_ms) + " ms" : ending(status)) +
           " in " + progress.last_begun});
}

}  // namespace

bool ConformanceReport::passed() const {
  return !findings.empty() &&
         std::none_of(findings.begin(), findings.end(),
                      [](const ConformanceFinding& finding) { return finding.level == Level::kProblem; });
}

ConformanceReport check_conformance(const std::filesystem::path& plugin, const ConformanceOptions& options) {
  ConformanceReport report;
  std::error_code error;
  const std::filesystem::path file = std::filesystem::absolute(plugin, error);
  Result<PluginNote> note = read_note(file);
  if (!note) {
    report.findings.push_back({Level::kProblem, "note", note.error().text()});
    return report;
  }
  report.id = note->id;
  report.version = note->version;
  report.findings.push_back({Level::kOk, "note", "has a note that davit can read without loading it"});

  std::string scratch = (std::filesystem::temp_directory_path(error) / "davit-check-XXXXXX").string();
  if (::mkdtemp(scratch.data()) == nullptr) {
    report.findings.push_back({Level::kProblem, "check", system_error("mkdtemp " + scratch, errno).text()});
    return report;
  }
  check_in_child(file, *note, scratch, options, report);
  if (const Result<> removed = remove_tree(scratch); !removed) {
    report.findings.push_back({Level::kWarning, "check", removed.error().text()});
  }
  return report;
}

}  // namespace davit
