/* Starting the program and its logger. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "native/drop.h"
#include "native/unit.h"

static int open_null(void) {
  return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int unit_logger_start(struct unit_child* child, const struct unit_spec* spec) {
  pid_t pid = fork();
  if (pid < 0) return errno;
  if (pid == 0) {
    char files[32];
    char bytes[32];
    snprintf(files, sizeof files, "n%s", spec->log_max_files != NULL ? spec->log_max_files : "5");
    snprintf(bytes, sizeof bytes, "s%s", spec->log_max_bytes != NULL ? spec->log_max_bytes : "10485760");
    /* -b: a full disk stops the writer instead of filling the memory. T: ISO time, UTC by TZ. */
    char* const argv[] = {"s6-log", "-b", "-l65536", files, bytes, "T", (char*)spec->log_dir, NULL};
    char* const env[] = {"PATH=/usr/bin:/bin", "TZ=UTC0", NULL};
    davit_reset_signals();
    setsid(); /* out of the way of signals to the program's group */
    umask(077);
    int null_fd = open_null();
    if (null_fd < 0 || dup2(child->log_read, 0) < 0 || dup2(null_fd, 1) < 0) _exit(111);
    close_range(3, ~0U, 0);
    execve("/usr/bin/s6-log", argv, env);
    execve("/bin/s6-log", argv, env);
    fprintf(stderr, "davit-unit: cannot run s6-log: %s\n", strerror(errno));
    _exit(111);
  }
  child->logger = pid;
  child->logger_started_ms = unit_now_mono_ms();
  return 0;
}

static void block_forwarded(void) {
  sigset_t set;
  sigemptyset(&set);
  const int numbers[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; ++i) sigaddset(&set, numbers[i]);
  sigprocmask(SIG_SETMASK, &set, NULL);
}

static void give_up(const char* what, const char* which, int error) {
  fprintf(stderr, "davit: cannot %s %s: %s\n", what, which, strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

/* Pipe ends for the child; out of the way of the numbers that the program gets. -1: none. */
struct child_ends {
  int output;   /* the log */
  int info;     /* bwrap writes to it */
  int lifeline; /* to read */
};

static void hand_over(int fd, int number) {
  if (fd < 0) return;
  if (fd != number) dup2(fd, number);
  fcntl(number, F_SETFD, 0);
}

/* In the child. */
static void become_program(const struct unit_spec* spec, const struct child_ends* ends, pid_t parent) {
  davit_reset_signals();
  if (spec->sandboxed) block_forwarded(); /* a stop that comes before davit-init listens waits for it */
  setsid();
  unit_cgroup_join();
  int null_fd = open_null();
  if (null_fd < 0) _exit(111);
  dup2(null_fd, 0);
  dup2(ends->output >= 0 ? ends->output : null_fd, 1);
  dup2(ends->output >= 0 ? ends->output : null_fd, 2);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  hand_over(ends->info, DAVIT_SANDBOX_INFO_FD);
  hand_over(ends->lifeline, DAVIT_SANDBOX_LIFELINE_FD);
  if (spec->notify_fd >= 3) fcntl(spec->notify_fd, F_SETFD, 0);
  if (spec->nofile != 0) {
    struct rlimit files = {spec->nofile, spec->nofile};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) fprintf(stderr, "davit: cannot set the limit of open files\n");
  }
  umask(spec->umask_bits);
  if (chdir(spec->cwd) != 0) give_up("enter", spec->cwd, errno);
  if (spec->drop) {
    int error = davit_drop(spec->uid, spec->gid, spec->groups, spec->group_count);
    if (error != 0) give_up("drop the rights of", spec->name, error);
  }
  /* A sandbox dies whole; anything else gets the chance to stop its children, and the next davit-unit sees to
   * the rest. */
  prctl(PR_SET_PDEATHSIG, spec->sandboxed ? SIGKILL : spec->stop_signal, 0, 0, 0);
  if (getppid() != parent) _exit(111);
  execve(spec->argv[0], spec->argv, spec->env);
  give_up("run", spec->argv[0], errno);
}

static int make_log_pipe(struct unit_child* child, const struct unit_spec* spec, int* write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  if (spec->has_log_owner && fchown(ends[1], spec->log_owner, (gid_t)-1) != 0 && geteuid() == 0) {
    fprintf(stderr, "davit-unit: %s may not open its /dev/stdout: %s\n", spec->name, strerror(errno));
  }
  child->log_read = ends[0];
  *write_end = ends[1];
  return unit_logger_start(child, spec);
}

static int move_up(int fd) {
  int high = fcntl(fd, F_DUPFD_CLOEXEC, 64);
  close(fd);
  return high;
}

static int make_sandbox_pipes(struct unit_child* child, struct child_ends* ends) {
  int info[2], lifeline[2];
  if (pipe2(info, O_CLOEXEC) != 0) return errno;
  child->info_fd = info[0];
  ends->info = move_up(info[1]);
  if (pipe2(lifeline, O_CLOEXEC) != 0) return errno;
  child->lifeline = lifeline[1];
  ends->lifeline = move_up(lifeline[0]);
  return ends->info < 0 || ends->lifeline < 0 ? errno : 0;
}

int unit_child_start(struct unit_child* child, const struct unit_spec* spec) {
  struct child_ends ends = {-1, -1, -1};
  int error = 0;
  child->info_fd = child->lifeline = child->log_read = child->log_write = child->pidfd = -1;
  child->logger = child->pid = 0;
  if (spec->log_dir != NULL) {
    error = make_log_pipe(child, spec, &ends.output);
    if (error != 0) return error;
    ends.output = move_up(ends.output);
    if (ends.output < 0) return errno;
  }
  if (spec->sandboxed) error = make_sandbox_pipes(child, &ends);
  if (error != 0) return error;
  pid_t parent = getpid();
  child->pid = fork();
  if (child->pid < 0) return errno;
  if (child->pid == 0) become_program(spec, &ends, parent);
  child->log_write = ends.output;
  if (ends.info >= 0) close(ends.info);
  if (ends.lifeline >= 0) close(ends.lifeline);
  child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
  return 0;
}
