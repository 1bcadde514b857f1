/* davit-init: the first process of a sandboxed instance (pid 1 of its namespace), or of a `run`.
 *
 *   davit-init [--uid N --gid N [--group N]...] [--stop-signal N] [--tty] [--rows N --columns N] [--keep-fd
 * N]...
 *              [--lifeline-fd N] [--services FOLDER] [--stop-code N] [--batch] [--] PROGRAM [ARGUMENT]...
 *
 * Starts PROGRAM, hands the stop signal (and SIGTERM) to EVERY process of the instance, since a Procfile line
 * runs under a bash that forwards nothing; other signals go to PROGRAM. Reaps. Returns PROGRAM's exit code,
 * 128 + signal if a signal ended it, and the stop code where it would be 0 after a stop signal: an engine
 * that has been stopped starts again only what did not end well. When PROGRAM ends unasked, so does the
 * instance: the kernel kills what is left. After a stop signal it waits for all of them; who stops waiting is
 * davit-unit. Signals that arrive before it is ready are not lost as long as its parent started it with them
 * blocked. The lifeline is a pipe's end to read: when nobody has the other one any more, all processes are
 * killed. It holds where a death signal does not: between processes of different users. Beside PROGRAM it
 * keeps what passes connections to services on (init_services.h): until the end, so that who stops can still
 * say goodbye. --batch: it gives way to what is not (process/batch.h), as it does if we do already. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "native/drop.h"
#include "native/init_services.h"
#include "native/proc_tree.h"
#include "process/batch.h"

enum { kMaxGroups = 32, kMaxKept = 8, kUsage = 64 };

struct options {
  int drop;
  uid_t uid;
  gid_t gid;
  gid_t groups[kMaxGroups];
  size_t group_count;
  int stop_signal;
  int stop_code;
  int tty;
  unsigned short rows; /* of the terminal, if its maker could not say */
  unsigned short columns;
  int kept[kMaxKept];
  int kept_count;
  int lifeline; /* 0: none */
  const char* services;
  char** program;
};

static int usage(const char* what) {
  fprintf(stderr, "davit-init: %s\n", what);
  return kUsage;
}

static int parse(int argc, char** argv, struct options* options) {
  int at = 1;
  for (; at < argc && strncmp(argv[at], "--", 2) == 0; ++at) {
    const char* name = argv[at] + 2;
    if (*name == '\0') {
      ++at;
      break;
    }
    if (strcmp(name, "tty") == 0) {
      options->tty = 1;
      continue;
    }
    if (strcmp(name, "batch") == 0) {
      davit_give_way();
      continue;
    }
    char* end = NULL;
    if (at + 1 >= argc) return usage("an option lacks its value");
    if (strcmp(name, "services") == 0) {
      options->services = argv[++at];
      continue;
    }
    long value = strtol(argv[++at], &end, 10);
    if (*argv[at] == '\0' || *end != '\0' || value < 0) return usage("an option's value is not a number");
    if (strcmp(name, "uid") == 0) {
      options->uid = (uid_t)value;
      options->drop = 1;
    } else if (strcmp(name, "gid") == 0) {
      options->gid = (gid_t)value;
      options->drop = 1;
    } else if (strcmp(name, "group") == 0 && options->group_count < kMaxGroups) {
      options->groups[options->group_count++] = (gid_t)value;
    } else if (strcmp(name, "stop-signal") == 0 && value < NSIG) {
      options->stop_signal = (int)value;
    } else if (strcmp(name, "stop-code") == 0 && value <= 0xff) {
      options->stop_code = (int)value;
    } else if (strcmp(name, "rows") == 0 && value <= 0xffff) {
      options->rows = (unsigned short)value;
    } else if (strcmp(name, "columns") == 0 && value <= 0xffff) {
      options->columns = (unsigned short)value;
    } else if (strcmp(name, "keep-fd") == 0 && options->kept_count < kMaxKept) {
      options->kept[options->kept_count++] = (int)value;
    } else if (strcmp(name, "lifeline-fd") == 0 && value > 2) {
      options->lifeline = (int)value;
    } else {
      return usage("unknown option");
    }
  }
  options->program = argv + at;
  return at < argc ? 0 : usage("no program");
}

static void become_program(const struct options* options) {
  davit_reset_signals();
  if (!davit_gives_way() || options->tty || setpgid(0, 0) != 0)
    setsid(); /* else the session has a small share */
  if (options->tty && ioctl(0, TIOCSCTTY, 0) != 0 && ioctl(0, TIOCSCTTY, 1) != 0) {
    fprintf(stderr, "davit-init: cannot make this the controlling terminal: %s\n", strerror(errno));
  }
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  for (int i = 0; i < options->kept_count; ++i) fcntl(options->kept[i], F_SETFD, 0);
  execvp(options->program[0], options->program);
  fprintf(stderr, "davit-init: cannot run %s: %s\n", options->program[0], strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

static void to_all(int number) {
  if (getpid() == 1) {
    kill(-1, number); /* all of the namespace but us */
  } else {
    davit_signal_descendants(number, 0);
  }
}

/* A terminal that is ours already (a container's first process gets it so) is given up, for the program to
 * take; the hang-up that this brings to our own group waits in the mask and is not passed on. */
static void prepare_terminal(const struct options* options) {
  if (options->rows != 0 && options->columns != 0) {
    struct winsize size;
    memset(&size, 0, sizeof size);
    size.ws_row = options->rows;
    size.ws_col = options->columns;
    ioctl(0, TIOCSWINSZ, &size);
  }
  if (ioctl(0, TIOCNOTTY) != 0) return;
  sigset_t hangup;
  sigemptyset(&hangup);
  sigaddset(&hangup, SIGHUP);
  sigaddset(&hangup, SIGCONT);
  const struct timespec now = {0, 0};
  while (sigtimedwait(&hangup, NULL, &now) > 0) {
  }
}

static int code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Who runs, and how it ended. */
struct running {
  pid_t program;
  pid_t services; /* 0: none */
  int ended;      /* the program */
  int code;
};

/* Reaps all that is ready. Returns 1 when nothing is left to wait for. */
static int reap(struct running* running, const char* services) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid == running->program) {
      running->ended = 1;
      running->code = code_of(status);
    } else if (pid == running->services) {
      running->services = davit_start_services(services);
    }
  }
  if (pid == 0 && running->services != 0) return davit_signal_descendants(0, running->services) == 0;
  return pid < 0 && errno == ECHILD;
}

enum { kLifeline = 3, kCut = 128 + SIGKILL };

/* SIGIO comes when its other end goes. */
static void hold_lifeline(int fd) {
  if (fd != kLifeline) dup2(fd, kLifeline);
  fcntl(kLifeline, F_SETOWN, getpid());
  fcntl(kLifeline, F_SETFL, O_ASYNC | O_NONBLOCK);
}

static int lifeline_is_cut(void) {
  struct pollfd end = {kLifeline, POLLIN, 0};
  return poll(&end, 1, 0) == 1 && (end.revents & POLLHUP) != 0;
}

static int end_code(const struct options* options, const struct running* running, int stopping) {
  return stopping && running->code == 0 ? options->stop_code : running->code;
}

static int watch(const struct options* options, struct running* running, const sigset_t* all) {
  int stopping = 0;
  if (options->lifeline != 0 && lifeline_is_cut()) return kCut;
  for (;;) {
    int number = sigwaitinfo(all, NULL);
    if (number < 0) continue;
    if (number == SIGIO && options->lifeline != 0) {
      if (lifeline_is_cut()) return kCut;
    } else if (number == SIGCHLD) {
      int nobody = reap(running, options->services);
      if (running->ended && (nobody || !stopping)) return end_code(options, running, stopping);
    } else if (number == options->stop_signal || number == SIGTERM) {
      stopping = 1;
      to_all(options->stop_signal);
      if (running->ended) return end_code(options, running, stopping);
    } else if (!running->ended && number != SIGTTOU && number != SIGTTIN) {
      kill(running->program, number);
    }
  }
}

int main(int argc, char** argv) {
  struct options options;
  memset(&options, 0, sizeof options);
  options.stop_signal = SIGTERM;
  int error = parse(argc, argv, &options);
  if (error != 0) return error;

  sigset_t all;
  sigfillset(&all);
  for (const int* fault = (const int[]){SIGSEGV, SIGBUS, SIGILL, SIGFPE, 0}; *fault != 0; ++fault)
    sigdelset(&all, *fault);
  sigprocmask(SIG_SETMASK, &all, NULL);
  if (getpid() != 1) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (options.drop) {
    int failed = davit_drop(options.uid, options.gid, options.groups, options.group_count);
    if (failed != 0) {
      fprintf(stderr, "davit-init: cannot drop to uid %u: %s\n", (unsigned)options.uid, strerror(failed));
      return 126;
    }
    /* The drop has cleared the death signal that bwrap's --die-with-parent set. */
    if (getpid() == 1) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  }
  if (options.tty) prepare_terminal(&options);
  struct running running = {0, 0, 0, 0};
  if (options.services != NULL) running.services = davit_start_services(options.services);
  running.program = fork();
  if (running.program < 0) {
    fprintf(stderr, "davit-init: cannot fork: %s\n", strerror(errno));
    return 126;
  }
  if (running.program == 0) become_program(&options);
  /* Ours would keep a log pipe or a terminal open for ever if the program closed its own. */
  int kept_null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (kept_null >= 0) {
    for (int fd = 0; fd < 3; ++fd) dup2(kept_null, fd);
  }
  if (options.lifeline != 0) hold_lifeline(options.lifeline);
  close_range(options.lifeline != 0 ? kLifeline + 1 : 3, ~0U, 0);
  int code = watch(&options, &running, &all);
  if (getpid() != 1) { /* without a namespace nobody else does it */
    do {
      davit_signal_descendants(SIGKILL, 0);
    } while (waitpid(-1, NULL, 0) > 0);
  }
  return code;
}
