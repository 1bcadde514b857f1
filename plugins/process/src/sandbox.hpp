// The command line of a sandbox as a pure function of what is to be inside. Starts nothing. Secrets do not
// belong in it: the environment travels apart (environment.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "davit/values.hpp"

namespace davit::process_plugin {

/// Where davit's small programs are inside.
inline constexpr const char* kInside = "/run/davit";

/// Whom the code inside runs as. `drop`: we are root, and davit-sandbox drops to it inside.
struct RunUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool drop = false;
};

/// What of the machine every sandbox sees, read-only. The same for all, so that a unit's command line stays
/// the same.
struct SystemView {
  std::string bwrap;    ///< absolute
  std::string libexec;  ///< davit's small programs
  std::string etc;      ///< made passwd and group, and an empty sources.list
  bool merged_usr = true;
  sdk::Strings extra;  ///< more paths to show read-only, from the settings
};

struct SandboxSpec {
  RunUser user;
  std::string etc;  ///< the same, naming the user; empty: the app user's
  std::string app;  ///< folder at /app; empty: none
  bool app_read_only = false;
  std::vector<sdk::Mount> mounts;  ///< in this order; targets absolute
  std::string tmp;                 ///< folder at /tmp; empty: in memory, gone with the sandbox
  std::uint64_t tmp_bytes = 0;     ///< of the one in memory; 0: the kernel's default
  bool share_network = true;
  bool tty = false;
  bool task = false;    ///< it is in a session that davit-sandbox chose
  int stop_signal = 0;  ///< what davit-init takes for "stop" besides SIGTERM; 0: nothing else
  std::uint64_t open_files = 0;
  std::uint64_t file_bytes = 0;
  std::string cwd;    ///< inside; empty: /app if there is one, else /
  sdk::Strings argv;  ///< argv[0] is looked up in PATH inside
};

/// [davit-sandbox mount ... --] bwrap ... -- davit-sandbox inside ... -- davit-init ... ARGV. bwrap writes
/// its info to descriptor 9; all of it ends when nobody has the other end of the pipe at descriptor 8 any
/// more: who started it was killed.
sdk::Strings sandbox_argv(const SystemView& system, const SandboxSpec& spec);

/// Where the program starts when nobody says: /app if something is mounted there, else /.
std::string default_cwd(const SandboxSpec& spec);

/// "--uid", "61234", ... for davit-sandbox; empty without a drop.
sdk::Strings user_options(const RunUser& user);

}  // namespace davit::process_plugin
