// See download.hpp.
#include "download.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <vector>

#include "program.hpp"

namespace davit::downloads {
namespace {

constexpr std::size_t kMostHeaderBytes = 1024 * 1024;
constexpr int kWriteError = 23;  // curl's code
constexpr int kHttpError = 22;
constexpr int kNoConnection = 7;
constexpr unsigned kMostDoublings = 3;
// With a copy at hand an origin that does not answer is not waited for as long.
constexpr unsigned kAttemptsWithCopy = 2;
constexpr std::uint64_t kConnectWithCopyS = 10;
constexpr std::uint64_t kStallWithCopyS = 15;

std::uint64_t number_in(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr) return otherwise;
  std::uint64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, value);
  return parsed.ec == std::errc() && parsed.ptr == end && *text != '\0' ? value : otherwise;
}

std::string reason(int code, int status) {
  switch (code) {
    case 6:
      return "the host was not found";
    case 7:
      return "no connection";
    case 18:
      return "the answer was cut off";
    case 28:
      return "too slow";
    case 35:
      return "TLS failed";
    case 52:
      return "an empty answer";
    case 56:
      return "the connection was reset";
    default:
      return status >= 400 ? "HTTP status " + std::to_string(status) : "curl's code " + std::to_string(code);
  }
}

void pause_ms(std::uint64_t ms) {
  (void)poll(nullptr, 0, static_cast<int>(std::min<std::uint64_t>(ms, 60'000)));
}

std::uint64_t size_of(int fd) {
  struct stat facts {};
  return fstat(fd, &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

bool copy_all(int from, int to) {
  std::vector<char> buffer(256 * 1024);
  for (off_t at = 0;;) {
    const ssize_t got = pread(from, buffer.data(), buffer.size(), at);
    if (got == 0) return true;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || !write_all(to, {buffer.data(), static_cast<std::size_t>(got)})) return false;
    at += got;
  }
}

}  // namespace

Limits Limits::from_environment() {
  Limits limits;
  limits.attempts =
      static_cast<unsigned>(std::clamp<std::uint64_t>(number_in("DAVIT_DOWNLOAD_ATTEMPTS", 5), 1, 100));
  limits.delay_ms = number_in("DAVIT_DOWNLOAD_DELAY_MS", limits.delay_ms);
  limits.stall_s = std::max<std::uint64_t>(1, number_in("DAVIT_DOWNLOAD_STALL_S", limits.stall_s));
  limits.most_bytes = number_in("DAVIT_DOWNLOAD_BYTES", 0);
  limits.total_s = number_in("CURL_TIMEOUT", limits.total_s);
  limits.connect_timeout_s = number_in("CURL_CONNECT_TIMEOUT", limits.connect_timeout_s);
  return limits;
}

bool is_worth_a_retry(int exit_code, int status) {
  static constexpr int kCodes[] = {5, 6, 7, 16, 18, 28, 35, 52, 55, 56, 92, 95, 96};
  // 520 to 527 and 530: a CDN whose origin is down.
  static constexpr int kStatuses[] = {408, 429, 500, 502, 503, 504, 520, 521,
                                      522, 523, 524, 525, 526, 527, 530};
  if (exit_code == 0 || exit_code == kHttpError)
    return std::ranges::find(kStatuses, status) != std::end(kStatuses);
  return std::ranges::find(kCodes, exit_code) != std::end(kCodes);
}

bool Download::can_cache() const {
  return request_.may_cache && (!request_.write_out || write_out_text(*request_.write_out, "", 0));
}

// The longer of the command's limit and ours: neither a buildpack's nor ours may end what the other lets
// live.
Words Download::arguments(const Files& files, const std::optional<Kept>& kept) const {
  const auto longer = [](std::uint64_t ours, std::uint64_t theirs) {
    return ours == 0 ? 0 : std::max(ours, theirs);
  };
  const std::uint64_t connect = longer(limits_.connect_timeout_s, request_.connect_timeout_s);
  Words words = request_.options;
  const auto add = [&words](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  add({"--retry", "0", "--speed-limit", "1024"});
  add({"--speed-time", std::to_string(kept ? std::min(limits_.stall_s, kStallWithCopyS) : limits_.stall_s)});
  add({"--max-time", std::to_string(longer(limits_.total_s, request_.max_time_s))});
  add({"--connect-timeout",
       std::to_string(kept && connect > 0 ? std::min(connect, kConnectWithCopyS) : connect)});
  if (kept && !kept->entry.etag.empty()) add({"--header", "If-None-Match: " + kept->entry.etag});
  if (kept && kept->entry.etag.empty() && !kept->entry.last_modified.empty())
    add({"--header", "If-Modified-Since: " + kept->entry.last_modified});
  add({"--dump-header", files.headers, "--output", files.body, "--", request_.url});
  return words;
}

void Download::say(const std::string& text) const {
  if (request_.quiet) return;
  const std::string line = " !     " + shown_url(request_.url) + ": " + text + "\n";
  (void)write_all(STDERR_FILENO, line);
}

int Download::attempt_all(const Files& files, std::optional<Kept>& kept, Answer& answer) const {
  const unsigned attempts = kept ? std::min(limits_.attempts, kAttemptsWithCopy) : limits_.attempts;
  for (unsigned attempt = 1;; ++attempt) {
    unlink(files.body.c_str());  // so that it is there afterwards only if curl wrote it
    (void)truncate(files.headers.c_str(), 0);
    const int code = run_program(curl_, arguments(files, kept), files.said);
    answer = parse_answer(read_text(files.headers, kMostHeaderBytes).value_or(""));
    if (!is_worth_a_retry(code, answer.status) || attempt >= attempts) return code;
    // A script that waits for its own server asks again by itself, and sooner.
    if (code == kNoConnection && is_loopback(request_.url)) return code;
    say(reason(code, answer.status) + "; trying again, " + std::to_string(attempt + 1) + " of " +
        std::to_string(attempts));
    pause_ms(limits_.delay_ms << std::min(attempt - 1, kMostDoublings));
  }
}

int Download::deliver(int body) const {
  if (!request_.file) return copy_all(body, STDOUT_FILENO) ? 0 : kWriteError;
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(*request_.file).parent_path();
  if (request_.make_folders && !parent.empty()) std::filesystem::create_directories(parent, error);
  const File file(open(request_.file->c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file && copy_all(body, file.fd())) return 0;
  say("cannot write " + *request_.file + ": " + std::strerror(errno));
  return kWriteError;
}

int Download::serve(const Kept& kept) const {
  const int code = deliver(kept.body.fd());
  if (code == 0 && request_.write_out) {
    const auto text = write_out_text(*request_.write_out, kept.entry.content_type, kept.entry.bytes);
    (void)write_all(STDOUT_FILENO, text.value_or(""));
  }
  return code;
}

int Download::finish(const Files& files, std::optional<Kept>& kept, const Answer& answer, int code) const {
  if (kept && code == 0 && answer.status == 304) return serve(*kept);
  if (kept && is_worth_a_retry(code, answer.status)) {
    say(reason(code, answer.status) + "; using the copy of an earlier build");
    return serve(*kept);
  }
  const File body(open(files.body.c_str(), O_RDONLY | O_CLOEXEC));
  const bool is_whole = code == 0 || (code == kHttpError && request_.body_of_errors);
  if (body && is_whole) {
    const std::uint64_t bytes = size_of(body.fd());
    const bool fits = limits_.most_bytes == 0 || bytes <= limits_.most_bytes;
    if (can_cache() && code == 0 && answer.status == 200 && answer.may_store && fits) {
      CacheEntry entry{request_.url,      {}, bytes, answer.etag, answer.last_modified, answer.content_type,
                       std::time(nullptr)};
      (void)cache_.keep(request_.key, std::move(entry), files.body);
    }
    if (const int failed = deliver(body.fd()); failed != 0) return failed;
  }
  if (is_worth_a_retry(code, answer.status)) say(reason(code, answer.status) + "; giving up");
  if (const auto said = read_text(files.said, kMostHeaderBytes)) (void)write_all(STDOUT_FILENO, *said);
  return code;
}

std::optional<int> Download::run() {
  const Scratch body(cache_.scratch_folder());
  const Scratch headers(cache_.scratch_folder());
  const Scratch said(cache_.scratch_folder());
  if (body.path().empty() || headers.path().empty() || said.path().empty()) return std::nullopt;
  const Files files{body.path(), headers.path(), said.path()};
  std::optional<Kept> kept;
  if (can_cache()) kept = cache_.find(request_.key);
  Answer answer;
  const int code = attempt_all(files, kept, answer);
  return finish(files, kept, answer, code);
}

}  // namespace davit::downloads
