/* See init_services.h; the passing on is relay.c. */
#include "native/init_services.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "native/relay.h"

enum { kMostServices = 64 };

pid_t davit_start_services(const char* folder) {
  struct davit_relay relays[kMostServices];
  size_t count = 0;
  DIR* ports = opendir(folder);
  if (ports == NULL) return 0;
  for (const struct dirent* entry = readdir(ports); entry != NULL && count < kMostServices;
       entry = readdir(ports)) {
    const struct davit_end here = davit_tcp_end("127.0.0.1", entry->d_name);
    if (here.size == 0) continue;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/socket", folder, entry->d_name);
    relays[count].target = davit_unix_end(path);
    relays[count].listener = davit_listen(&here);
    if (relays[count].listener >= 0) {
      ++count;
    } else if (errno != EADDRINUSE) { /* on the machine's own network the service itself has it */
      fprintf(stderr, "davit-init: cannot listen at port %s: %s\n", entry->d_name, strerror(errno));
    }
  }
  closedir(ports);
  if (count == 0) return 0;
  const pid_t relay = fork();
  if (relay == 0) {
    prctl(PR_SET_NAME, "davit-relay");
    const int none = open("/dev/null", O_RDWR | O_CLOEXEC); /* ours would keep a log open */
    for (int fd = 0; none >= 0 && fd < 3; ++fd) dup2(none, fd);
    davit_relay_serve(relays, count);
  }
  for (size_t i = 0; i < count; ++i) close(relays[i].listener);
  return relay < 0 ? 0 : relay;
}
