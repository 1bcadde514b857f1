// The command line of davit-sandbox: MODE [--OPTION VALUE...] -- PROGRAM ARGS... It is written by the plugin
// only, so a mistake ends the program; it is not an interface for people.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace davit::sandbox {

/// Exit codes of the program itself, next to those of what it runs (as shells and docker have them).
inline constexpr int kExitOurs = 125;
inline constexpr int kExitNotExecutable = 126;
inline constexpr int kExitNotFound = 127;

/// The end of a pipe whose other end `davit-sandbox task`, or davit-unit, has as long as it lives. Bwrap,
/// which is between it and the program, has no right to kill processes of the app user. davit-init is given
/// the number.
inline constexpr int kLifelineFd = 8;

/// Of the mode `mount`: one that is inside the app, or inside another mount.
struct InnerMount {
  std::string around;      ///< --around: what is around it, inside; begins the options of a mount
  std::string folder;      ///< --folder: the same on the host
  std::string target;      ///< --target: below `around`, or the same
  std::string source;      ///< --source: on the host; empty: bwrap mounts it, and missing folders are its own
  bool read_only = false;  ///< --read-only
};

struct Options {
  std::string mode;
  bool has_user = false;  ///< --uid and --gid: drop to them
  uid_t uid = 0;
  gid_t gid = 0;
  bool tty = false;        ///< fd 0 becomes the controlling terminal
  bool sandboxed = false;  ///< task: the program is bwrap with --info-fd 9
  bool lifeline = false;   ///< inside: kLifelineFd stays open
  pid_t pid = 0;           ///< join: the instance's first process
  std::string instance;    ///< join: its DAVIT_INSTANCE, so that a reused pid is noticed
  std::string cwd;         ///< empty: as it is
  std::string cgroup;      ///< task: a name for its control group; empty: none
  std::vector<InnerMount> inner;
  std::uint64_t memory_bytes = 0;
  std::uint64_t pids = 0;
  std::uint64_t cpu_millis = 0;
  std::uint64_t open_files = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t stop_timeout_ms = 5000;
  std::vector<char*> argv;  ///< NULL-terminated
};

/// Prints what is wrong to stderr and ends the program with kExitOurs.
Options parse_options(int argc, char** argv);

/// "davit-sandbox: TEXT" on stderr.
void say(const std::string& text);
/// "davit-sandbox: WHAT: strerror" on stderr, then _exit(kExitOurs).
[[noreturn]] void die(const std::string& what);
[[noreturn]] void die_errno(const std::string& what);

}  // namespace davit::sandbox
