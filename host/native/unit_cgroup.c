/* Limits by cgroups, v2 or v1, where they are writable; elsewhere there are none, and the state says so. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native/unit.h"

enum { kMaxDirs = 3, kPathBytes = 512 };
static char dirs[kMaxDirs][kPathBytes];
static int dir_count;

static int put(const char* dir, const char* file, const char* text) {
  char path[kPathBytes + 64];
  snprintf(path, sizeof path, "%s/%s", dir, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  int good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  close(fd);
  return good;
}

static int put_number(const char* dir, const char* file, uint64_t value) {
  char text[32];
  snprintf(text, sizeof text, "%llu", (unsigned long long)value);
  return put(dir, file, text);
}

/* The unit's folder is what makes its name one of its own: two homes may have a unit of one name. FNV-1a, as
 * base/text.hpp. */
static uint64_t folder_hash(void) {
  char path[4096];
  if (getcwd(path, sizeof path) == NULL) path[0] = '\0';
  uint64_t hash = 14695981039346656037ULL;
  for (const char* c = path; *c != '\0'; ++c) hash = (hash ^ (unsigned char)*c) * 1099511628211ULL;
  return hash;
}

static const char* add_dir(const char* root, const char* name) {
  char* dir = dirs[dir_count];
  snprintf(dir, kPathBytes, "%s/davit", root);
  if (mkdir(dir, 0755) != 0 && errno != EEXIST) return NULL;
  snprintf(dir, kPathBytes, "%s/davit/%.200s.%016llx", root, name, (unsigned long long)folder_hash());
  if (mkdir(dir, 0755) != 0 && errno != EEXIST) return NULL;
  ++dir_count;
  return dir;
}

static int prepare_v2(const struct unit_spec* spec) {
  put("/sys/fs/cgroup", "cgroup.subtree_control", "+memory +cpu +pids");
  if (mkdir("/sys/fs/cgroup/davit", 0755) != 0 && errno != EEXIST) return 0;
  put("/sys/fs/cgroup/davit", "cgroup.subtree_control", "+memory +cpu +pids");
  const char* dir = add_dir("/sys/fs/cgroup", spec->name);
  if (dir == NULL) return 0;
  int good = 1;
  if (spec->memory_bytes != 0) {
    good &= put_number(dir, "memory.max", spec->memory_bytes);
    put(dir, "memory.swap.max", "0");
  }
  if (spec->memory_reserve_bytes != 0) good &= put_number(dir, "memory.low", spec->memory_reserve_bytes);
  if (spec->pids != 0) good &= put_number(dir, "pids.max", spec->pids);
  if (spec->cpu_milli != 0) {
    char text[64];
    snprintf(text, sizeof text, "%llu 100000", (unsigned long long)spec->cpu_milli * 100);
    good &= put(dir, "cpu.max", text);
  }
  return good;
}

static int prepare_v1(const struct unit_spec* spec) {
  int good = 1;
  if (spec->memory_bytes != 0 || spec->memory_reserve_bytes != 0) {
    const char* dir = add_dir("/sys/fs/cgroup/memory", spec->name);
    if (dir == NULL) return 0;
    if (spec->memory_bytes != 0) {
      good &= put_number(dir, "memory.limit_in_bytes", spec->memory_bytes);
      put_number(dir, "memory.memsw.limit_in_bytes", spec->memory_bytes); /* absent without swap accounting */
    }
    if (spec->memory_reserve_bytes != 0)
      good &= put_number(dir, "memory.soft_limit_in_bytes", spec->memory_reserve_bytes);
  }
  if (spec->cpu_milli != 0) {
    const char* dir = add_dir("/sys/fs/cgroup/cpu", spec->name);
    if (dir == NULL) return 0;
    good &= put_number(dir, "cpu.cfs_period_us", 100000) &&
            put_number(dir, "cpu.cfs_quota_us", spec->cpu_milli * 100);
  }
  if (spec->pids != 0) {
    const char* dir = add_dir("/sys/fs/cgroup/pids", spec->name);
    if (dir == NULL) return 0;
    good &= put_number(dir, "pids.max", spec->pids);
  }
  return good;
}

int unit_cgroup_prepare(const struct unit_spec* spec) {
  if (spec->memory_bytes == 0 && spec->memory_reserve_bytes == 0 && spec->cpu_milli == 0 && spec->pids == 0)
    return 0;
  return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? prepare_v2(spec) : prepare_v1(spec);
}

void unit_cgroup_join(void) {
  for (int i = 0; i < dir_count; ++i) put(dirs[i], "cgroup.procs", "0");
}

void unit_cgroup_remove(void) {
  for (int i = 0; i < dir_count; ++i) rmdir(dirs[i]);
}
