/* Who descends from whom. /proc/PID/task/TID/children is exact for a process that is our subtree's; kernels
 * without it get a scan. */
#include "native/proc_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stat_line {
  pid_t parent;
  pid_t session;
  char state;
  uint64_t start;
};

static long read_small(const char* path, char* bytes, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  long used = 0;
  while ((size_t)used < size - 1) {
    ssize_t count = read(fd, bytes + used, size - 1 - (size_t)used);
    if (count <= 0) break;
    used += count;
  }
  close(fd);
  bytes[used] = '\0';
  return used;
}

static int read_stat(pid_t pid, struct stat_line* line) {
  char path[64];
  char bytes[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  if (read_small(path, bytes, sizeof bytes) <= 0) return 0;
  const char* after = strrchr(bytes, ')'); /* the name before it may hold anything */
  if (after == NULL) return 0;
  int parent = 0;
  int session = 0;
  unsigned long long start = 0;
  if (sscanf(after + 1, " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
             &line->state, &parent, &session, &start) != 4) {
    return 0;
  }
  line->parent = parent;
  line->session = session;
  line->start = start;
  return 1;
}

static int is_alive(const struct stat_line* line) {
  return line->state != 'Z' && line->state != 'X';
}

uint64_t davit_start_of(pid_t pid) {
  struct stat_line line;
  return read_stat(pid, &line) && is_alive(&line) ? line.start : 0;
}

int davit_pid_is_anothers(pid_t pid, uint64_t start) {
  struct stat_line line;
  return read_stat(pid, &line) && line.start != start;
}

static int hit(pid_t pid, int number) {
  struct stat_line line;
  if (!read_stat(pid, &line) || !is_alive(&line)) return 0;
  if (number != 0) kill(pid, number);
  return 1;
}

/* -1: the kernel has no children files. */
static int walk(pid_t pid, int number, pid_t spare, int depth) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR* tasks = opendir(path);
  if (tasks == NULL) return 0; /* gone meanwhile */
  int found = 0;
  const struct dirent* task;
  while ((task = readdir(tasks)) != NULL) {
    if (task->d_name[0] == '.') continue;
    char file[320];
    char bytes[64 * 1024];
    snprintf(file, sizeof file, "/proc/%d/task/%s/children", (int)pid, task->d_name);
    if (read_small(file, bytes, sizeof bytes) < 0) {
      if (depth == 0) {
        closedir(tasks);
        return -1;
      }
      continue;
    }
    char* rest = bytes;
    for (long child = strtol(rest, &rest, 10); child > 0; child = strtol(rest, &rest, 10)) {
      if (child == spare) continue;
      /* Its children first: once it is dead they are somebody else's, and would be missed. */
      if (depth < 64) found += walk((pid_t)child, number, spare, depth + 1);
      found += hit((pid_t)child, number);
    }
  }
  closedir(tasks);
  return found;
}

static int descends(pid_t pid, pid_t ancestor, pid_t spare) {
  for (int depth = 0; pid > 1 && depth < 64; ++depth) {
    struct stat_line line;
    if (pid == spare || !read_stat(pid, &line)) return 0;
    if (line.parent == ancestor) return 1;
    pid = line.parent;
  }
  return 0;
}

static int scan(int number, pid_t ancestor, pid_t session, pid_t spare) {
  DIR* all = opendir("/proc");
  if (all == NULL) return 0;
  int found = 0;
  const struct dirent* entry;
  while ((entry = readdir(all)) != NULL) {
    pid_t pid = (pid_t)atoi(entry->d_name);
    if (pid <= 1 || pid == getpid()) continue;
    struct stat_line line;
    if (ancestor != 0 && !descends(pid, ancestor, spare)) continue;
    if (session != 0 && (!read_stat(pid, &line) || line.session != session)) continue;
    found += hit(pid, number);
  }
  closedir(all);
  return found;
}

int davit_signal_descendants(int number, pid_t spare) {
  int found = walk(getpid(), number, spare, 0);
  return found >= 0 ? found : scan(number, getpid(), 0, spare);
}

int davit_signal_session(int number, pid_t session) {
  return scan(number, 0, session, 0);
}
