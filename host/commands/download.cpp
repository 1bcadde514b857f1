// See download.hpp.
#include "commands/download.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.hpp"

namespace davit {
namespace {

constexpr int kAttempts = 3;
constexpr int kHttpError = 22;  // curl -f: the server has answered, and no other time will it say more
constexpr std::int64_t kLimitMs = 30 * 60 * 1000;
constexpr uid_t kNobody = 65534;

/// Writes what arrives, counts, and shows it.
class Spool {
 public:
  Spool(int file, std::uint64_t max_bytes, std::string_view label, const CallContext& context)
      : file_(file), max_bytes_(max_bytes), label_(label), context_(context) {}

  Result<> start() {
    bytes_ = 0;
    if (::ftruncate(file_, 0) != 0 || ::lseek(file_, 0, SEEK_SET) < 0)
      return fail(system_error("write the archive", errno));
    return {};
  }

  Result<> take(std::string_view bytes) {
    bytes_ += bytes.size();
    if (max_bytes_ != 0 && bytes_ > max_bytes_) {
      return fail(Code::kInvalid, fmt::format("The archive is larger than {} MiB", max_bytes_ >> 20),
                  "Leave dependencies and builds out, or raise it: davit git:set APP max-tree-bytes N",
                  "archive-too-large");
    }
    while (!bytes.empty()) {
      const ssize_t count = ::write(file_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail(system_error("write the archive", errno));
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    context_.out.progress(label_, bytes_, 0, "bytes");
    return {};
  }

 private:
  int file_;
  std::uint64_t max_bytes_;
  std::string_view label_;
  const CallContext& context_;
  std::uint64_t bytes_ = 0;
};

/// A line of curl's configuration: in quotes, \ and " escaped.
std::string curl_line(std::string_view key, std::string_view value) {
  std::string text = fmt::format("{} = \"", key);
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"\n";
}

Command curl(const std::string& url) {
  Command command;
  command.argv = {"curl",
                  "-q",
                  "--fail",
                  "--silent",
                  "--show-error",
                  "--location",
                  "--proto",
                  "=http,https",
                  "--connect-timeout",
                  "15",
                  "--speed-time",
                  "60",
                  "--speed-limit",
                  "100",
                  "--config",
                  "-"};
  command.env = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  command.cwd = "/";
  command.in = InputBytes{curl_line("url", url)};
  command.err = OutputCapture{};
  command.deadline_ms = kLimitMs;
  if (::geteuid() == 0) command.run_as = RunAs{kNobody, kNobody, {}};
  return command;
}

}  // namespace

Result<> download(ProcessRunner& processes, const std::string& url, int file, std::uint64_t max_bytes,
                  const CallContext& context) {
  if (url.find_first_of("\r\n") != std::string::npos)
    return fail(Code::kInvalid, "The URL has a line end in it", "Give it without");
  Spool spool(file, max_bytes, "Downloading", context);
  std::string why;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    DAVIT_TRY(spool.start());
    DAVIT_TRY_ASSIGN(const CancelToken enough, CancelToken::create());
    Result<> taken;
    Command command = curl(url);
    command.cancel = enough;
    command.out = OutputChunks{[&](std::string_view bytes) {
      if (taken) taken = spool.take(bytes);
      if (!taken) enough.cancel();
    }};
    DAVIT_TRY_ASSIGN(const Exit exit, processes.run(command));
    DAVIT_TRY(taken);
    if (exit.ok()) return {};
    why = exit.err.empty() ? exit.text() : std::string(trim(exit.err));
    if (exit.code == kHttpError) break;
    if (attempt < kAttempts) context.out.step(fmt::format("Trying again: {}", why));
  }
  return fail(Code::kFailed, fmt::format("The archive cannot be downloaded: {}", why),
              "Check the URL; a file of this machine or stdin (-) works too", "download-failed");
}

Result<> spool(int from, int file, std::uint64_t max_bytes, const CallContext& context) {
  Spool spool(file, max_bytes, "Receiving", context);
  DAVIT_TRY(spool.start());
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error("read the archive", errno));
    if (got == 0) return {};
    DAVIT_TRY(spool.take({buffer.data(), static_cast<std::size_t>(got)}));
  }
}

}  // namespace davit
