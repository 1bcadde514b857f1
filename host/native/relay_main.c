/* davit-relay [--drop UID] LISTEN TARGET: passes connections on. LISTEN is ADDRESS:PORT or the path of a unix
 * socket, TARGET a port of 127.0.0.1. The unit of a service that was exposed, or that instances with a
 * loopback of their own use. With --drop it gives up its rights once it listens. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native/drop.h"
#include "native/relay.h"

enum { kReady = 3 };

static int die(const char* what, int why) {
  fprintf(stderr, "davit-relay: %s: %s\n", what, strerror(why));
  return 1;
}

static struct davit_end end_at(char* where) {
  if (*where == '/') return davit_unix_end(where);
  char* colon = strrchr(where, ':');
  if (colon == NULL) return davit_tcp_end(where, "");
  *colon = '\0';
  return davit_tcp_end(where, colon + 1);
}

int main(int argc, char** argv) {
  uid_t drop_to = 0;
  if (argc == 5 && strcmp(argv[1], "--drop") == 0) {
    drop_to = (uid_t)strtoul(argv[2], NULL, 10);
    argc -= 2;
    argv += 2;
  }
  if (argc != 3) {
    fputs("davit-relay is started by davit; see `davit help`\n", stderr);
    return 1;
  }
  const int is_path = *argv[1] == '/';
  const struct davit_end here = end_at(argv[1]);
  struct davit_relay relay = {-1, davit_tcp_end("127.0.0.1", argv[2])};
  if (here.size == 0 || relay.target.size == 0) return die("address", EINVAL);
  relay.listener = davit_listen(&here);
  if (relay.listener < 0) return die("listen", errno);
  /* Who may come is decided by the folder. */
  if (is_path && chmod(argv[1], 0666) != 0) return die(argv[1], errno);
  if (drop_to != 0) {
    const int failed = davit_drop(drop_to, (gid_t)drop_to, NULL, 0);
    if (failed != 0) return die("drop", failed);
  }
  signal(SIGPIPE, SIG_IGN);
  if (write(kReady, "\n", 1) == 1) close(kReady); /* the supervisor waits for it */
  davit_relay_serve(&relay, 1);
}
