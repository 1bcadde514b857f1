/* Listening, and passing on: a process a connection, so that none can hold up another. */
#include "native/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <unistd.h>

enum { kBacklog = 128, kBufferBytes = 64 * 1024, kMostRelays = 64 };

struct davit_end davit_tcp_end(const char* address, const char* port) {
  struct davit_end end;
  memset(&end, 0, sizeof end);
  struct sockaddr_in* tcp = (struct sockaddr_in*)&end.address;
  char* rest = NULL;
  const unsigned long number = strtoul(port, &rest, 10);
  if (*port == '\0' || *rest != '\0' || number == 0 || number > 0xffff) return end;
  tcp->sin_family = AF_INET;
  tcp->sin_port = htons((unsigned short)number);
  if (inet_pton(AF_INET, address, &tcp->sin_addr) == 1) end.size = sizeof *tcp;
  return end;
}

struct davit_end davit_unix_end(const char* path) {
  struct davit_end end;
  memset(&end, 0, sizeof end);
  struct sockaddr_un* local = (struct sockaddr_un*)&end.address;
  local->sun_family = AF_UNIX;
  if (strlen(path) >= sizeof local->sun_path) return end;
  strcpy(local->sun_path, path);
  end.size = sizeof *local;
  return end;
}

int davit_listen(const struct davit_end* end) {
  const int family = end->address.ss_family;
  if (end->size == 0) {
    errno = EINVAL;
    return -1;
  }
  const int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return -1;
  const int yes = 1;
  if (family == AF_UNIX) {
    unlink(((const struct sockaddr_un*)&end->address)->sun_path);
  } else {
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  }
  if (bind(listener, (const struct sockaddr*)&end->address, end->size) == 0 &&
      listen(listener, kBacklog) == 0)
    return listener;
  const int why = errno;
  close(listener);
  errno = why;
  return -1;
}

/* Reads once and writes all of it. 0: the end of this direction; -1: of the connection. */
static int pass(int from, int to) {
  static char buffer[kBufferBytes];
  const ssize_t got = read(from, buffer, sizeof buffer);
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

/* Small writes go at once, and an end that is gone is noticed; on a unix socket neither means anything. */
static void tune(int fd) {
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
}

static _Noreturn void serve(int client, const struct davit_end* target) {
  const int server = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || connect(server, (const struct sockaddr*)&target->address, target->size) != 0) _exit(1);
  tune(client);
  tune(server);
  struct pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (poll(ends, 2, -1) < 0) {
      if (errno == EINTR) continue;
      _exit(1);
    }
    for (int i = 0; i < 2; ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      const int going = pass(ends[i].fd, i == 0 ? server : client);
      if (going < 0) _exit(0);
      if (going == 0) ends[i].fd = -1;
    }
  }
  _exit(0);
}

void davit_relay_serve(const struct davit_relay* relays, size_t count) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
  struct pollfd waiting[kMostRelays];
  if (count > kMostRelays) count = kMostRelays;
  for (size_t i = 0; i < count; ++i) waiting[i] = (struct pollfd){relays[i].listener, POLLIN, 0};
  for (;;) {
    if (poll(waiting, (nfds_t)count, -1) < 0 && errno != EINTR) _exit(1);
    for (size_t i = 0; i < count; ++i) {
      if ((waiting[i].revents & POLLIN) == 0) continue;
      const int client = accept4(relays[i].listener, NULL, NULL, SOCK_CLOEXEC);
      if (client < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == EBADF || errno == EINVAL) _exit(1);
        continue;
      }
      const pid_t parent = getpid();
      if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1); /* it has gone already */
        for (size_t other = 0; other < count; ++other) close(relays[other].listener);
        serve(client, &relays[i].target);
      }
      close(client);
    }
  }
}
