// ProcessRunner: the seam through which the host starts other programs. By argv, never through a shell, with
// a complete environment and no descriptor that was not asked for. Not for what outlives a command
// (host/supervise), and not for plugin work (host/guard). Tests use tests/fakes/fake_process_runner.hpp.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "process/cancel.hpp"

namespace davit {

/// To whom the child drops before exec: setgroups, setgid, setuid, no-new-privs, no capabilities. Needs root.
struct RunAs {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary; usually empty
};

struct InputNone {};  ///< /dev/null
struct InputBytes {   ///< written through a pipe, then closed; a child that does not read it is no error
  std::string bytes;
};
struct InputFd {  ///< borrowed
  int fd = -1;
};
using Input = std::variant<InputNone, InputBytes, InputFd>;

struct OutputNone {};     ///< /dev/null
struct OutputInherit {};  ///< our own fd of the same number: for programs that the user sees
struct OutputSame {};     ///< stderr only: where stdout goes
struct OutputFd {         ///< borrowed
  int fd = -1;
};
struct OutputChunks {  ///< as it arrives, at most 64 KiB a call
  std::function<void(std::string_view)> on_chunk;
};
struct OutputLines {  ///< without \n or \r\n; a longer line arrives in pieces; the last need not have a \n
  std::function<void(std::string_view)> on_line;
  std::size_t max_line_bytes = 64 * 1024;
};
struct OutputCapture {  ///< into Exit::out or err; what goes beyond is read and dropped, and `truncated` says
                        ///< so
  std::size_t max_bytes = 1024 * 1024;
};
using Output =
    std::variant<OutputNone, OutputInherit, OutputSame, OutputFd, OutputChunks, OutputLines, OutputCapture>;

/// A descriptor that the child gets besides 0-2: our `fd` becomes its `as` (3 and up). Borrowed.
struct PassFd {
  int fd = -1;
  int as = -1;
};

struct Command {
  std::vector<std::string> argv;  ///< argv[0]: a path with '/', or a name looked up in PATH of `env`
  std::vector<std::string> env;   ///< the whole environment, "KEY=VALUE"; values may hold any byte but NUL
  std::string cwd;                ///< "" keeps ours
  std::optional<RunAs> run_as;
  Input in = InputNone{};
  Output out = OutputInherit{};
  Output err = OutputInherit{};
  std::vector<PassFd> pass_fds;
  std::int64_t deadline_ms = 0;        ///< from the start; 0: none. Then SIGTERM to the group, then SIGKILL
  std::int64_t kill_after_ms = 5'000;  ///< from SIGTERM to SIGKILL
  std::optional<CancelToken> cancel;   ///< cancelled: as a passed deadline
  bool new_session = false;            ///< setsid(); else a process group of its own unless keep_group
  bool keep_group = false;             ///< stays in our group: Ctrl-C at the terminal reaches it too
  int controlling_tty = -1;            ///< with new_session: this fd of ours becomes its terminal (TIOCSCTTY)
  int death_signal = 0;                ///< PR_SET_PDEATHSIG: sent to it when our thread dies; 0: none
  int umask_bits = -1;                 ///< -1 keeps ours
};

enum class StoppedBy { kNobody, kDeadline, kCancel };

/// How a child ended. It is not an error that a program returns 1: the caller decides.
struct Exit {
  int code = -1;   ///< exit code, or -1 if a signal ended it
  int signal = 0;  ///< the signal, or 0
  StoppedBy stopped_by = StoppedBy::kNobody;
  std::string out;  ///< OutputCapture only
  std::string err;
  bool truncated = false;

  [[nodiscard]] bool ok() const { return code == 0 && stopped_by == StoppedBy::kNobody; }
  /// 128 + signal for a signal, as shells do.
  [[nodiscard]] int shell_code() const { return signal != 0 ? 128 + signal : code; }
  /// "exit code 3", "signal 11 (SIGSEGV)", "stopped at its deadline": for messages.
  [[nodiscard]] std::string text() const;
};

/// "SIGSEGV" for 11; "signal 77" for one without a name.
std::string signal_name(int signal);

/// A started child. The destructor kills (SIGKILL, group) and reaps one that was not waited for.
/// Threads: one at a time.
class Child {
 public:
  virtual ~Child() = default;
  [[nodiscard]] virtual pid_t pid() const = 0;
  /// Readable when the child has ended; owned by the Child.
  [[nodiscard]] virtual int pidfd() const = 0;
  /// To its process group (to itself with keep_group). After its end: a no-op.
  virtual void signal(int signal) = 0;
  /// Reaps. Honours deadline and cancel of the command.
  virtual Result<Exit> wait() = 0;
};

/// Threads: any; run() blocks its caller, and callbacks come on that thread.
class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;

  /// Starts, pumps and waits for the child's end AND the end of its pumped output: a daemon that the child
  /// leaves behind with our pipe is waited for at most one second after the child's own end. Errors:
  /// kNotFound (no such program), kDenied, kUnavailable (fork, pipe). A deadline is not an error: Exit says
  /// so.
  virtual Result<Exit> run(const Command& command) = 0;

  /// Starts only. Output must be None, Inherit, Same or Fd, and input None or Fd: nobody pumps (else
  /// kInvalid).
  virtual Result<std::unique_ptr<Child>> start(const Command& command) = 0;
};

std::unique_ptr<ProcessRunner> make_process_runner();

}  // namespace davit
