/* davit-adopt: waits for s6-supervise processes that a killed s6-svscan has left behind, and gives each
 * unit back to the tree when its old supervisor ends.
 *
 * A second s6-svscan that found their entries would try, fail and complain every second. So
 * Supervisor::ensure_tree() moves the entries to ROOT/orphans, and this program, itself a unit of the new
 * tree, moves each back to ROOT/scan when it is due and tells s6-svscan. It never touches the units
 * themselves. Exits with 0 when no orphan is left. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct orphan {
  char name[256];
  int pidfd; /* -1: its supervisor is gone already */
};

static struct orphan* orphans;
static struct pollfd* watched;
static size_t count;

/* The pid of whoever holds supervise/lock (POSIX lock, as s6 takes it); 0 for nobody. */
static pid_t supervisor_of(const char* name) {
  char path[600];
  snprintf(path, sizeof path, "orphans/%s/supervise/lock", name);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return 0;
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  pid_t holder = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
  close(fd);
  return holder;
}

static int watch_supervisor(const char* name) {
  pid_t pid = supervisor_of(name);
  if (pid <= 0) return -1;
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) return -1;
  if (supervisor_of(name) != pid) { /* it ended in between, and the pid may be another's */
    close(pidfd);
    return -1;
  }
  return pidfd;
}

static void rescan(void) {
  int fd = open("scan/.s6-svscan/control", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, "a", 1) != 1) fprintf(stderr, "davit-adopt: cannot tell s6-svscan: %s\n", strerror(errno));
  close(fd);
}

static void give_back(const char* name) {
  char from[300];
  char to[300];
  snprintf(from, sizeof from, "orphans/%s", name);
  snprintf(to, sizeof to, "scan/%s", name);
  if (rename(from, to) != 0 && errno != ENOENT) { /* ENOENT: the unit was removed meanwhile */
    fprintf(stderr, "davit-adopt: cannot give %s back: %s\n", name, strerror(errno));
  }
}

static int load(void) {
  DIR* folder = opendir("orphans");
  if (folder == NULL) return errno == ENOENT ? 0 : -1;
  size_t room = 0;
  const struct dirent* entry;
  while ((entry = readdir(folder)) != NULL) {
    if (entry->d_name[0] == '.') continue;
    if (count == room) {
      room = room == 0 ? 64 : room * 2;
      orphans = realloc(orphans, room * sizeof *orphans);
      watched = realloc(watched, room * sizeof *watched);
      if (orphans == NULL || watched == NULL) return -1;
    }
    snprintf(orphans[count].name, sizeof orphans[count].name, "%s", entry->d_name);
    orphans[count].pidfd = watch_supervisor(entry->d_name);
    watched[count].fd = orphans[count].pidfd;
    watched[count].events = POLLIN;
    ++count;
  }
  closedir(folder);
  return 0;
}

/* Gives back all whose supervisor has ended; returns how many. */
static size_t give_back_ended(void) {
  size_t given = 0;
  for (size_t i = 0; i < count;) {
    if (orphans[i].pidfd >= 0 && watched[i].revents == 0) {
      ++i;
      continue;
    }
    give_back(orphans[i].name);
    if (orphans[i].pidfd >= 0) close(orphans[i].pidfd);
    orphans[i] = orphans[count - 1];
    watched[i] = watched[count - 1];
    --count;
    ++given;
  }
  return given;
}

int main(int argc, char** argv) {
  const char* slash = strrchr(argv[0], '/');
  if (strcmp(slash != NULL ? slash + 1 : argv[0], "finish") == 0) {
    return argc > 1 && strcmp(argv[1], "0") == 0 ? 125 : 0; /* 125: done, s6 must not start it again */
  }
  if (chdir("../..") != 0) {
    fprintf(stderr, "davit-adopt: cannot enter the tree's folder: %s\n", strerror(errno));
    return 111;
  }
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (load() != 0) {
    fprintf(stderr, "davit-adopt: cannot read the orphans: %s\n", strerror(errno));
    return 111;
  }
  for (size_t i = 0; i < count; ++i) watched[i].revents = 0;
  while (count > 0) {
    if (give_back_ended() > 0) rescan();
    if (count > 0 && poll(watched, count, -1) < 0 && errno != EINTR) return 111;
  }
  return 0;
}
