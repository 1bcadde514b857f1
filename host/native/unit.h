/* What the parts of davit-unit share. The working directory is the unit's folder (s6's service directory) all
 * the time. */
#ifndef DAVIT_NATIVE_UNIT_H
#define DAVIT_NATIVE_UNIT_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervise/unit_state.h"

/* What the sandbox's command line gets: bwrap writes its info to the one; the other is the end of a pipe
 * whose other end we have as long as we live. bwrap has no right to kill processes of another user when it
 * dies with us, so davit-init looks after itself. */
enum { DAVIT_SANDBOX_LIFELINE_FD = 8, DAVIT_SANDBOX_INFO_FD = 9, DAVIT_MAX_GROUPS = 32 };
enum { DAVIT_RESTART_ALWAYS = 0, DAVIT_RESTART_ON_FAILURE = 1, DAVIT_RESTART_NO = 2 };

/* The spec file, parsed; strings point into its bytes. See encode_spec() in supervise/unit.hpp. */
struct unit_spec {
  const char* name;
  const char* cwd;
  int drop;
  uid_t uid;
  gid_t gid;
  gid_t groups[DAVIT_MAX_GROUPS];
  size_t group_count;
  int has_log_owner;
  uid_t log_owner;
  int stop_signal;
  int64_t stop_timeout_ms;
  int stop_all;
  int sandboxed;
  const char* log_dir;
  const char* log_max_bytes;
  const char* log_max_files;
  uint64_t memory_bytes;
  uint64_t memory_reserve_bytes;
  uint64_t cpu_milli;
  uint64_t pids;
  uint64_t nofile;
  int restart;
  unsigned max_failures;
  int64_t backoff_min_ms;
  int64_t backoff_max_ms;
  int64_t quick_ms;
  int notify_fd;
  mode_t umask_bits;
  char** argv;
  char** env;
};

/* Reads ./spec. NULL and a line on stderr if it cannot. Lives as long as the process. */
const struct unit_spec* unit_spec_load(void);

/* ./state. load() gives a fresh one if there is none or it makes no sense. */
void unit_state_load(struct davit_unit_state* state);
void unit_state_save(struct davit_unit_state* state);
/* Notes an end of the program and decides what follows from the policy; makes ./down when it was the last.
 * Does not save. */
void unit_state_ended(struct davit_unit_state* state, const struct unit_spec* spec, int code,
                      int signal_number, int asked);
/* 1 if the program that the state tells of was started since this boot. */
int unit_state_is_of_this_boot(const struct davit_unit_state* state);
int64_t unit_now_ms(void);
int64_t unit_now_mono_ms(void);

/* The unit's cgroups. prepare() makes them and returns 1 if all limits that were asked for are set, 0 if none
 * are asked for or they cannot be. join() puts the calling process in. */
int unit_cgroup_prepare(const struct unit_spec* spec);
/* The same for a tree that is mounted at `mount` and a table of our own groups as /proc/self/cgroup. */
int unit_cgroup_prepare_at(const struct unit_spec* spec, const char* mount, const char* own_table);
/* cgroup v2: below what we may make groups: our own group where it is delegated to us (systemd's Delegate=),
 * else the mount. 0 if it cannot be written. `size` at least the mount's and a path's. */
int unit_cgroup_base(const char* mount, const char* own_table, char* base, size_t size);
void unit_cgroup_join(void);
void unit_cgroup_remove(void);

/* The program with its pipes. */
struct unit_child {
  pid_t pid;
  int pidfd;
  int info_fd;   /* bwrap's info, to read; -1: none */
  int lifeline;  /* never written to, open until we end; -1: none */
  int log_read;  /* kept, so that a logger that dies can be replaced without loss; -1: no log */
  int log_write; /* kept until the end, so that the logger outlives the program; -1: no log */
  pid_t logger;
  int64_t logger_started_ms;
};

/* Starts the logger (if any) and the program. 0, or an errno value of the step that failed (which is on the
 * log). */
int unit_child_start(struct unit_child* child, const struct unit_spec* spec);
int unit_logger_start(struct unit_child* child, const struct unit_spec* spec);

/* The `run` and the `finish` of a unit. Return the exit code. */
int unit_run(void);
int unit_finish(const char* code, const char* signal_number);

#endif
