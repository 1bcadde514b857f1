/* Limits by cgroups, v2 or v1, where they are writable; elsewhere there are none, and the state says so. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "native/unit.h"

enum { kMaxDirs = 3, kPathBytes = 512 };
static char dirs[kMaxDirs][kPathBytes];
static int dir_count;

static const char kSupervision[] = "davit.supervision";

static int put(const char* dir, const char* file, const char* text) {
  char path[kPathBytes + 64];
  snprintf(path, sizeof path, "%s/%s", dir, file);
  int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
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

static int has(const char* dir, const char* file, int mode) {
  char path[kPathBytes + 64];
  snprintf(path, sizeof path, "%s/%s", dir, file);
  return access(path, mode) == 0;
}

/* Our own group, of the line "0::/path" of /proc/self/cgroup, without our own folder in it. */
static int own_group(const char* table, char* path, size_t size) {
  FILE* file = fopen(table, "re");
  if (file == NULL) return 0;
  int found = 0;
  while (!found && fgets(path, (int)size, file) != NULL) {
    if (strncmp(path, "0::", 3) != 0) continue;
    memmove(path, path + 3, strlen(path + 3) + 1);
    path[strcspn(path, "\n")] = '\0';
    found = 1;
  }
  fclose(file);
  char* last = found ? strrchr(path, '/') : NULL;
  if (last != NULL && strcmp(last + 1, kSupervision) == 0) *last = '\0';
  if (found && strcmp(path, "/") == 0) path[0] = '\0';
  return found;
}

/* Delegated to us: systemd marks a unit with Delegate=; a normal user's own is his too if he may write there.
 */
static int is_delegated(const char* dir) {
  char mark = 0;
  for (int i = 0; i < 2; ++i) {
    if (getxattr(dir, i == 0 ? "user.delegate" : "trusted.delegate", &mark, 1) == 1 && mark == '1') return 1;
  }
  return geteuid() != 0 && has(dir, "cgroup.subtree_control", W_OK) && access(dir, W_OK) == 0;
}

int unit_cgroup_base(const char* mount, const char* own_table, char* base, size_t size) {
  char own[kPathBytes];
  if (own_group(own_table, own, sizeof own) && own[0] != '\0' && strstr(own, "/..") == NULL) {
    snprintf(base, size, "%s%s", mount, own);
    if (is_delegated(base)) return 1;
  }
  snprintf(base, size, "%s", mount);
  return access(base, W_OK) == 0;
}

/* Of a group that is not the machine's root, either processes or groups with controllers are direct members.
 * Those that are there, ourselves among them, move into a folder beside the units'. */
static void make_room(const char* base) {
  enum { kRounds = 3 }; /* whoever is forked meanwhile is there in the next one */
  if (!has(base, "cgroup.type", F_OK)) return;
  char leaf[kPathBytes];
  char path[kPathBytes + 64];
  snprintf(leaf, sizeof leaf, "%.400s/%s", base, kSupervision);
  snprintf(path, sizeof path, "%s/cgroup.procs", base);
  for (int round = 0; round < kRounds; ++round) {
    FILE* file = fopen(path, "re");
    if (file == NULL) return;
    char pid[32];
    int moved = 0;
    while (fgets(pid, sizeof pid, file) != NULL) {
      if (moved == 0 && mkdir(leaf, 0755) != 0 && errno != EEXIST) break;
      pid[strcspn(pid, "\n")] = '\0';
      moved |= put(leaf, "cgroup.procs", pid);
    }
    fclose(file);
    if (!moved) return;
  }
}

/* One by one: the kernel refuses the whole of a line for one controller that is not there. */
static void enable_controllers(const char* dir) {
  static const char* const kControllers[] = {"+memory", "+cpu", "+pids"};
  for (int i = 0; i < 3; ++i) put(dir, "cgroup.subtree_control", kControllers[i]);
}

static int prepare_v2(const struct unit_spec* spec, const char* mount, const char* own_table) {
  char base[kPathBytes];
  char parent[kPathBytes];
  if (!unit_cgroup_base(mount, own_table, base, sizeof base - 256)) return 0;
  make_room(base);
  enable_controllers(base);
  snprintf(parent, sizeof parent, "%.400s/davit", base);
  if (mkdir(parent, 0755) != 0 && errno != EEXIST) return 0;
  enable_controllers(parent);
  const char* dir = add_dir(base, spec->name);
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

/* For whoever clears up after us if we are killed: where our groups are depends on who started us. */
static void record_dirs(void) {
  int fd = open("cgroups", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return;
  for (int i = 0; i < dir_count; ++i) dprintf(fd, "%s\n", dirs[i]);
  close(fd);
}

int unit_cgroup_prepare_at(const struct unit_spec* spec, const char* mount, const char* own_table) {
  if (spec->memory_bytes == 0 && spec->memory_reserve_bytes == 0 && spec->cpu_milli == 0 && spec->pids == 0)
    return 0;
  int good = has(mount, "cgroup.controllers", F_OK) ? prepare_v2(spec, mount, own_table) : prepare_v1(spec);
  record_dirs();
  return good;
}

int unit_cgroup_prepare(const struct unit_spec* spec) {
  return unit_cgroup_prepare_at(spec, "/sys/fs/cgroup", "/proc/self/cgroup");
}

void unit_cgroup_join(void) {
  for (int i = 0; i < dir_count; ++i) put(dirs[i], "cgroup.procs", "0");
}

void unit_cgroup_remove(void) {
  for (int i = 0; i < dir_count; ++i) rmdir(dirs[i]);
  if (dir_count != 0) unlink("cgroups");
  dir_count = 0;
}
