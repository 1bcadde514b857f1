/* Reading the spec file: NUL-separated "key=value" records. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native/unit.h"

static struct unit_spec spec;

static char* slurp(const char* path, size_t* size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0) {
    if (fd >= 0) close(fd);
    return NULL;
  }
  char* bytes = malloc((size_t)info.st_size + 1);
  size_t used = 0;
  while (bytes != NULL && used < (size_t)info.st_size) {
    ssize_t count = read(fd, bytes + used, (size_t)info.st_size - used);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    used += (size_t)count;
  }
  close(fd);
  if (bytes != NULL) bytes[used] = '\0';
  *size = used;
  return bytes;
}

static void set_number(const char* key, unsigned long long value) {
  const struct {
    const char* key;
    uint64_t* target;
  } wide[] = {{"memory_bytes", &spec.memory_bytes},
              {"memory_reserve_bytes", &spec.memory_reserve_bytes},
              {"cpu_milli", &spec.cpu_milli},
              {"pids", &spec.pids},
              {"nofile", &spec.nofile}};
  const struct {
    const char* key;
    int64_t* target;
  } times[] = {{"stop_timeout_ms", &spec.stop_timeout_ms},
               {"backoff_min_ms", &spec.backoff_min_ms},
               {"backoff_max_ms", &spec.backoff_max_ms},
               {"quick_ms", &spec.quick_ms}};
  const struct {
    const char* key;
    int* target;
  } small[] = {{"drop", &spec.drop},         {"stop_signal", &spec.stop_signal},
               {"stop_all", &spec.stop_all}, {"sandboxed", &spec.sandboxed},
               {"restart", &spec.restart},   {"notify_fd", &spec.notify_fd}};
  for (size_t i = 0; i < sizeof wide / sizeof *wide; ++i) {
    if (strcmp(key, wide[i].key) == 0) *wide[i].target = value;
  }
  for (size_t i = 0; i < sizeof times / sizeof *times; ++i) {
    if (strcmp(key, times[i].key) == 0) *times[i].target = (int64_t)value;
  }
  for (size_t i = 0; i < sizeof small / sizeof *small; ++i) {
    if (strcmp(key, small[i].key) == 0) *small[i].target = (int)value;
  }
  if (strcmp(key, "uid") == 0) spec.uid = (uid_t)value;
  if (strcmp(key, "gid") == 0) spec.gid = (gid_t)value;
  if (strcmp(key, "group") == 0 && spec.group_count < DAVIT_MAX_GROUPS)
    spec.groups[spec.group_count++] = (gid_t)value;
  if (strcmp(key, "log_owner") == 0) {
    spec.has_log_owner = 1;
    spec.log_owner = (uid_t)value;
  }
  if (strcmp(key, "max_failures") == 0) spec.max_failures = (unsigned)value;
  if (strcmp(key, "umask") == 0) spec.umask_bits = (mode_t)value;
}

static void set_field(const char* key, char* value) {
  if (strcmp(key, "name") == 0) {
    spec.name = value;
  } else if (strcmp(key, "cwd") == 0) {
    spec.cwd = value;
  } else if (strcmp(key, "log_dir") == 0) {
    spec.log_dir = value;
  } else if (strcmp(key, "log_max_bytes") == 0) {
    spec.log_max_bytes = value;
  } else if (strcmp(key, "log_max_files") == 0) {
    spec.log_max_files = value;
  } else {
    set_number(key, strtoull(value, NULL, 10));
  }
}

const struct unit_spec* unit_spec_load(void) {
  size_t size = 0;
  char* bytes = slurp("spec", &size);
  if (bytes == NULL || strncmp(bytes, "davit-unit=1", size) != 0) {
    fprintf(stderr, "davit-unit: no readable spec here\n");
    return NULL;
  }
  size_t records = 1;
  for (size_t i = 0; i < size; ++i) records += bytes[i] == '\0';
  spec.argv = calloc(records + 1, sizeof *spec.argv);
  spec.env = calloc(records + 1, sizeof *spec.env);
  if (spec.argv == NULL || spec.env == NULL) return NULL;
  size_t words = 0;
  size_t variables = 0;
  for (char* at = bytes; at < bytes + size; at += strlen(at) + 1) {
    char* equals = strchr(at, '=');
    if (equals == NULL) continue;
    size_t key_length = (size_t)(equals - at);
    char* value = equals + 1;
    if (key_length == 3 && memcmp(at, "arg", 3) == 0) {
      spec.argv[words++] = value;
    } else if (key_length == 3 && memcmp(at, "env", 3) == 0) {
      spec.env[variables++] = value;
    } else {
      *equals = '\0';
      set_field(at, value);
      *equals = '=';
    }
  }
  if (words == 0 || spec.name == NULL || spec.cwd == NULL) {
    fprintf(stderr, "davit-unit: the spec is incomplete\n");
    return NULL;
  }
  return &spec;
}
