// Follows a log file by inotify.
#include "commands/log_viewer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

constexpr std::string_view kWarningMark = " !     ";
constexpr std::size_t kTailBytes = 8192;
constexpr std::size_t kLongestLine = 64 * 1024;  // what goes on without an end is shown in pieces

std::optional<DoneLine> parse_done(const std::string& line) {
  const auto words = split_words(line);
  if (words.size() != 2) return std::nullopt;
  DoneLine done{words[0], 1};
  std::from_chars(words[1].data(), words[1].data() + words[1].size(), done.exit_code);
  return done;
}

// What the detached side wrote so far; nullopt at its end.
std::optional<std::string> read_some(int fd) {
  char buffer[256];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  if (got < 0 && errno == EINTR) return std::string();
  if (got <= 0) return std::nullopt;
  return std::string(buffer, static_cast<std::size_t>(got));
}

}  // namespace

void LogViewer::tell_if_silent() {
  const MonoMs now = clock_.now_mono_ms();
  if (!doing_ || now - shown_ms_ < silence_ms_) return;
  shown_ms_ = now;
  context_.out.result(fmt::format("       still {}, {} s\n", doing_(), (now - began_ms_) / 1000));
}

int LogViewer::wait_ms() const {
  if (!doing_) return -1;
  return static_cast<int>(std::max<std::int64_t>(1, shown_ms_ + silence_ms_ - clock_.now_mono_ms()));
}

void LogViewer::show_line(std::string_view line) {
  shown_ms_ = clock_.now_mono_ms();
  tail_.append(line) += '\n';
  if (tail_.size() > 2 * kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  if (line.starts_with(kWarningMark)) {
    context_.out.warning(line.substr(kWarningMark.size()));
  } else {
    context_.out.result(std::string(line) + "\n");
  }
}

Result<> LogViewer::show_new() {
  UniqueFd file(open(log_.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(system_error("open " + log_.string(), errno));
  char buffer[65536];
  for (;;) {
    const ssize_t got = pread(file.get(), buffer, sizeof buffer, static_cast<off_t>(offset_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error("read " + log_.string(), errno));
    if (got == 0) return {};
    offset_ += static_cast<std::uint64_t>(got);
    partial_.append(buffer, static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end; (end = partial_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      show_line(std::string_view(partial_).substr(begin, end - begin));
    }
    partial_.erase(0, begin);
    if (partial_.size() >= kLongestLine) show_line(std::exchange(partial_, {}));
  }
}

Result<std::optional<DoneLine>> LogViewer::follow(int done_fd) {
  UniqueFd changes(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (changes.get() < 0) return fail(system_error("watch the log", errno));
  if (inotify_add_watch(changes.get(), log_.c_str(), IN_MODIFY) < 0) {
    return fail(system_error("watch " + log_.string(), errno));
  }
  began_ms_ = shown_ms_ = clock_.now_mono_ms();
  std::string said;
  bool over = done_fd < 0;
  while (!over) {
    DAVIT_TRY(show_new());
    pollfd ready[2] = {{changes.get(), POLLIN, 0}, {done_fd, POLLIN, 0}};
    if (poll(ready, 2, wait_ms()) < 0 && errno != EINTR)
      return fail(system_error("wait for the deployment", errno));
    tell_if_silent();
    if (ready[0].revents != 0) {
      char events[4096];
      while (read(changes.get(), events, sizeof events) > 0) {
      }
    }
    if (ready[1].revents != 0) {
      const auto more = read_some(done_fd);
      if (more) said += *more;
      over = !more || said.find('\n') != std::string::npos;
    }
  }
  DAVIT_TRY(show_new());
  if (!partial_.empty()) show_line(std::exchange(partial_, {}));
  return parse_done(said);
}

}  // namespace davit
