// davit-relay LISTEN_ADDRESS:PORT TARGET_PORT: passes TCP connections on to 127.0.0.1:TARGET_PORT. The unit
// of a service that was exposed. A process for each connection, so that one that hangs holds up nobody; they
// end with the unit.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kBacklog = 128, kBufferBytes = 64 * 1024 };

static void die(const char* what) {
  fprintf(stderr, "davit-relay: %s: %s\n", what, strerror(errno));
  exit(1);
}

static struct sockaddr_in address_of(const char* host, const char* port) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((unsigned short)strtoul(port, NULL, 10));
  if (address.sin_port == 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1) {
    errno = EINVAL;
    die("address");
  }
  return address;
}

// Reads once and writes all of it. 0: the end of this direction; -1: of the connection.
static int pass(int from, int to) {
  static char buffer[kBufferBytes];
  ssize_t got = read(from, buffer, sizeof buffer);
  if (got < 0) return errno == EINTR ? 1 : -1;
  if (got == 0) {
    shutdown(to, SHUT_WR);
    return 0;
  }
  for (ssize_t at = 0; at < got;) {
    const ssize_t put = write(to, buffer + at, (size_t)(got - at));
    if (put < 0 && errno != EINTR) return -1;
    if (put > 0) at += put;
  }
  return 1;
}

static void serve(int client, struct sockaddr_in target) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || connect(server, (struct sockaddr*)&target, sizeof target) != 0) die("connect");
  const int yes = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  struct pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (poll(ends, 2, -1) < 0) {
      if (errno == EINTR) continue;
      die("poll");
    }
    for (int i = 0; i < 2; ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      const int going = pass(ends[i].fd, i == 0 ? server : client);
      if (going < 0) exit(0);
      if (going == 0) ends[i].fd = -1;
    }
  }
  exit(0);
}

int main(int argc, char** argv) {
  char* colon = argc == 3 ? strrchr(argv[1], ':') : NULL;
  if (colon == NULL) {
    fputs("davit-relay is started by davit; see `davit help`\n", stderr);
    return 1;
  }
  *colon = '\0';
  const struct sockaddr_in here = address_of(argv[1], colon + 1);
  const struct sockaddr_in target = address_of("127.0.0.1", argv[2]);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);  // the kernel reaps
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (const struct sockaddr*)&here, sizeof here) != 0 || listen(listener, kBacklog) != 0)
    die("listen");
  for (;;) {
    const int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == EBADF || errno == EINVAL) die("accept");
      continue;
    }
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(listener);
      serve(client, target);
    }
    close(client);
  }
}
