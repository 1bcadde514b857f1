/* The life of one start of a unit. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "native/drop.h"
#include "native/proc_tree.h"
#include "native/unit.h"

enum { kLoggerLeaveMs = 5000, kLoggerRestartMs = 1000 };

struct life {
  const struct unit_spec* spec;
  struct davit_unit_state state;
  struct unit_child child;
  int signals;
  pid_t target; /* who gets signals: the program, or davit-init in the sandbox once it is known */
  char info[512];
  size_t info_used;
  int stopping;
  int stop_sent;
  int killed;
  int64_t kill_at_ms;
  int64_t logger_at_ms; /* when to start a new logger; 0: none is missing */
  int ended;
  int status;
};

static int block_signals(void) {
  sigset_t set;
  sigfillset(&set);
  const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; ++i) sigdelset(&set, faults[i]);
  sigprocmask(SIG_SETMASK, &set, NULL);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void save_phase(struct life* life, int phase) {
  life->state.phase = phase;
  life->state.since_ms = unit_now_ms();
  life->state.unit_pid = getpid();
  unit_state_save(&life->state);
}

/* Waits for `fd` until `until_ms` (monotonic) or a SIGTERM. 1: readable. 0: time. -1: SIGTERM. */
static int wait_for(struct life* life, int fd, int64_t until_ms) {
  for (;;) {
    int64_t left = until_ms - unit_now_mono_ms();
    if (left < 0) left = 0;
    struct pollfd watched[2] = {{life->signals, POLLIN, 0}, {fd, POLLIN, 0}};
    int ready = poll(watched, 2, left > 60000 ? 60000 : (int)left);
    if (ready < 0 && errno != EINTR) return 0;
    if (watched[0].revents != 0) {
      struct signalfd_siginfo info;
      while (read(life->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT || info.ssi_signo == SIGHUP) return -1;
      }
    }
    if (fd >= 0 && watched[1].revents != 0) return 1;
    if (ready == 0 && unit_now_mono_ms() >= until_ms) return 0;
  }
}

/* A davit-unit that was killed -9 could not stop its program. The program got a death signal then; it has its
 * stop timeout, and what is left of its session dies. Returns -1 if we are told to stop meanwhile (all is
 * dead then, too). */
static int clear_leftovers(struct life* life) {
  struct davit_unit_state* state = &life->state;
  pid_t session = state->session;
  int told = 0;
  if (session > 0 && unit_state_is_of_this_boot(state)) {
    if (davit_start_of(session) == state->pid_start && state->pid_start != 0) {
      int pidfd = (int)syscall(SYS_pidfd_open, session, 0);
      if (pidfd >= 0 && davit_start_of(session) == state->pid_start) {
        told = wait_for(life, pidfd, unit_now_mono_ms() + life->spec->stop_timeout_ms) < 0;
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
        wait_for(life, pidfd, unit_now_mono_ms() + 1000);
      }
      if (pidfd >= 0) close(pidfd);
    }
    /* A sandbox dies with bwrap, but for the moment between its first process's drop and its re-armed death
     * signal. */
    if (state->pid > 0 && state->program_start != 0 && davit_start_of(state->pid) == state->program_start) {
      kill(state->pid, SIGKILL);
    }
    /* A session's number is free for another process only when the whole session is gone. */
    while (!davit_pid_is_anothers(session, state->pid_start) && davit_signal_session(SIGKILL, session) > 0) {
      if (wait_for(life, -1, unit_now_mono_ms() + 5) < 0) told = 1;
    }
  }
  if (state->phase == DAVIT_UNIT_UP || state->phase == DAVIT_UNIT_STOPPING) {
    unit_state_ended(state, life->spec, -1, SIGKILL, 0);
  }
  state->session = state->pid = 0;
  unit_state_save(state);
  return told ? -1 : 0;
}

/* The logger of a killed davit-unit still writes out what it has, and holds its folder's lock (POSIX, as s6
 * takes them). */
static void wait_for_old_logger(struct life* life) {
  char path[4200];
  if (life->spec->log_dir == NULL) return;
  snprintf(path, sizeof path, "%s/lock", life->spec->log_dir);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0) {
    int pidfd = (int)syscall(SYS_pidfd_open, lock.l_pid, 0);
    if (pidfd >= 0) {
      wait_for(life, pidfd, unit_now_mono_ms() + kLoggerLeaveMs);
      close(pidfd);
    }
  }
  close(fd);
}

/* 0, or -1 if told to stop meanwhile. */
static int wait_out_backoff(struct life* life) {
  unsigned failures = life->state.quick_failures;
  if (failures == 0) return 0;
  int64_t delay = life->spec->backoff_min_ms;
  for (unsigned i = 1; i < failures && delay < life->spec->backoff_max_ms; ++i) delay *= 2;
  if (delay > life->spec->backoff_max_ms) delay = life->spec->backoff_max_ms;
  return wait_for(life, -1, unit_now_mono_ms() + delay);
}

static void signal_target(struct life* life, int number) {
  if (life->spec->sandboxed) {
    if (life->target > 0) kill(life->target, number);
  } else if (life->child.pid > 0) {
    kill(life->child.pid, number);
  }
}

static void send_stop(struct life* life) {
  if (life->stop_sent) return;
  if (life->spec->sandboxed && life->target == 0) return; /* as soon as its pid is known */
  life->stop_sent = 1;
  if (!life->spec->sandboxed && life->spec->stop_all) {
    davit_signal_descendants(life->spec->stop_signal, life->child.logger);
  } else {
    signal_target(life, life->spec->stop_signal);
  }
}

static void begin_stop(struct life* life) {
  if (life->stopping) return;
  life->stopping = 1;
  life->kill_at_ms = unit_now_mono_ms() + life->spec->stop_timeout_ms;
  save_phase(life, DAVIT_UNIT_STOPPING);
  send_stop(life);
}

static void kill_everything(struct life* life) {
  life->killed = 1;
  if (life->target > 0) kill(life->target, SIGKILL);
  davit_signal_descendants(SIGKILL, life->child.logger);
}

static void take_signals(struct life* life) {
  struct signalfd_siginfo info;
  while (read(life->signals, &info, sizeof info) == (ssize_t)sizeof info) {
    int number = (int)info.ssi_signo;
    if (number == SIGTERM) {
      begin_stop(life);
    } else if (number != SIGCHLD && number != SIGCONT) {
      signal_target(life, number);
    }
  }
}

/* bwrap writes {"child-pid": N, ...} once the sandbox's first process exists, in several pieces: all are
 * read, or it would die of SIGPIPE. */
static void take_info(struct life* life) {
  char rest[256];
  size_t room = sizeof life->info - 1 - life->info_used;
  ssize_t count = room > 0 ? read(life->child.info_fd, life->info + life->info_used, room)
                           : read(life->child.info_fd, rest, sizeof rest);
  if (count <= 0) {
    close(life->child.info_fd);
    life->child.info_fd = -1;
    return;
  }
  if (life->target > 0 || room == 0) return;
  life->info_used += (size_t)count;
  life->info[life->info_used] = '\0';
  const char* key = strstr(life->info, "\"child-pid\"");
  const char* colon = key != NULL ? strchr(key, ':') : NULL;
  if (colon == NULL || strpbrk(colon, ",}\n") == NULL) return;
  life->target = (pid_t)strtol(colon + 1, NULL, 10);
  life->state.pid = life->target;
  life->state.program_start = davit_start_of(life->target);
  unit_state_save(&life->state);
  if (life->stopping) send_stop(life);
}

/* Reaps; returns 1 when the program and all that descends from it are gone. */
static int reap(struct life* life) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid == life->child.pid) {
      life->ended = 1;
      life->status = status;
    } else if (pid == life->child.logger) {
      life->child.logger = 0;
      int64_t now = unit_now_mono_ms();
      life->logger_at_ms =
          now - life->child.logger_started_ms < kLoggerRestartMs ? now + kLoggerRestartMs : now;
    }
  }
  return life->ended && davit_signal_descendants(0, life->child.logger) == 0;
}

static int poll_timeout(const struct life* life) {
  int64_t next = -1;
  if (life->stopping && !life->killed) next = life->kill_at_ms;
  if (life->logger_at_ms != 0 && (next < 0 || life->logger_at_ms < next)) next = life->logger_at_ms;
  if (next < 0) return -1;
  int64_t left = next - unit_now_mono_ms();
  return left < 0 ? 0 : (left > 60000 ? 60000 : (int)left);
}

static void follow(struct life* life) {
  for (;;) {
    struct pollfd watched[2] = {{life->signals, POLLIN, 0}, {life->child.info_fd, POLLIN, 0}};
    poll(watched, 2, poll_timeout(life));
    if (life->child.info_fd >= 0 && watched[1].revents != 0) take_info(life);
    if (watched[0].revents != 0) take_signals(life);
    if (reap(life)) return;
    int64_t now = unit_now_mono_ms();
    /* What outlives the program unasked is killed, as the kernel does in a sandbox; after a stop it has the
     * stop timeout. */
    if ((life->ended && !life->stopping) || (life->stopping && now >= life->kill_at_ms))
      kill_everything(life);
    if (life->logger_at_ms != 0 && now >= life->logger_at_ms && life->child.log_read >= 0) {
      life->logger_at_ms = 0;
      unit_logger_start(&life->child, life->spec);
    }
  }
}

/* Its input ends with the program; it writes out the rest and leaves. */
static void end_logger(struct life* life) {
  if (life->child.log_read < 0) return;
  if (life->child.logger == 0)
    unit_logger_start(&life->child, life->spec); /* for what the dead one did not read */
  /* s6-log drops a last line without its newline. Whether there is one nobody knows: so a newline ends each
   * run, behind a byte by which readers know that the line, if there is nothing else on it, is none. */
  fcntl(life->child.log_write, F_SETFL, O_NONBLOCK);
  if (write(life->child.log_write, "\x1e\n", 2) != 2)
    fprintf(stderr, "davit-unit: the log of %s is full\n", life->spec->name);
  close(life->child.log_write);
  close(life->child.log_read);
  if (life->child.logger <= 0) return;
  int pidfd = (int)syscall(SYS_pidfd_open, life->child.logger, 0);
  struct pollfd watched = {pidfd, POLLIN, 0};
  if (poll(&watched, 1, kLoggerLeaveMs) == 0) kill(life->child.logger, SIGKILL);
  if (pidfd >= 0) close(pidfd);
  waitpid(life->child.logger, NULL, 0);
}

static int leave_as(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  davit_reset_signals();
  kill(getpid(), WTERMSIG(status));
  return 128 + WTERMSIG(status);
}

static int start_and_follow(struct life* life) {
  life->state.limited = unit_cgroup_prepare(life->spec);
  life->state.started_mono_ms = unit_now_mono_ms();
  int error = unit_child_start(&life->child, life->spec);
  if (error != 0) {
    fprintf(stderr, "davit-unit: cannot start %s: %s\n", life->spec->name, strerror(error));
    unit_state_ended(&life->state, life->spec, 111, 0, 0);
    unit_state_save(&life->state);
    return 111;
  }
  ++life->state.starts;
  life->state.ended_for_good = 0;
  life->state.session = life->child.pid;
  life->state.pid_start = davit_start_of(life->child.pid);
  life->state.pid = life->spec->sandboxed ? 0 : life->child.pid;
  life->state.program_start = life->spec->sandboxed ? 0 : life->state.pid_start;
  save_phase(life, DAVIT_UNIT_UP);
  if (life->spec->notify_fd >= 3) close(life->spec->notify_fd); /* or its end would never show */
  follow(life);
  unit_state_ended(&life->state, life->spec, WIFSIGNALED(life->status) ? -1 : WEXITSTATUS(life->status),
                   WIFSIGNALED(life->status) ? WTERMSIG(life->status) : 0, life->stopping);
  end_logger(life);
  unit_cgroup_remove();
  unit_state_save(&life->state);
  return leave_as(life->status);
}

int unit_run(void) {
  static struct life life;
  /* If s6-supervise is killed, we stop: the next one starts a new copy, which waits below until we are gone.
   */
  prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  life.spec = unit_spec_load();
  if (life.spec == NULL) return 111;
  int lock = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 || (flock(lock, LOCK_EX) != 0)) { /* SIGTERM still ends us here: nothing runs yet */
    fprintf(stderr, "davit-unit: cannot lock %s: %s\n", life.spec->name, strerror(errno));
    return 111;
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  life.signals = block_signals();
  unit_state_load(&life.state);
  if (clear_leftovers(&life) < 0) return 0;
  wait_for_old_logger(&life);
  save_phase(&life, DAVIT_UNIT_WAITING);
  /* Supervisor::up() wants a fresh backoff. After the phase is saved: whoever does not see it yet has made
   * the file before this. */
  if (unlink("reset") == 0) life.state.quick_failures = 0;
  if (wait_out_backoff(&life) < 0) {
    save_phase(&life, DAVIT_UNIT_DOWN);
    return 0;
  }
  return start_and_follow(&life);
}

int unit_finish(const char* code, const char* signal_number) {
  const struct unit_spec* spec = unit_spec_load();
  if (spec == NULL) return 125;
  struct davit_unit_state state;
  unit_state_load(&state);
  if (state.phase == DAVIT_UNIT_UP || state.phase == DAVIT_UNIT_STOPPING) { /* run itself was killed */
    int asked = state.phase == DAVIT_UNIT_STOPPING;
    pid_t session = state.session;
    pid_t program = state.pid;
    int exit_code = atoi(code);
    unit_state_ended(&state, spec, exit_code, exit_code >= 256 ? atoi(signal_number) : 0, asked);
    state.session = session; /* the next run clears what is left of them */
    state.pid = program;
    unit_state_save(&state);
  } else if (state.phase == DAVIT_UNIT_WAITING) {
    state.phase = DAVIT_UNIT_DOWN;
    state.since_ms = unit_now_ms();
    unit_state_save(&state);
  }
  return state.ended_for_good ? 125 : 0;
}
