/* The app that the bench pushes: an HTTP server that starts at once, answers every request with the bytes of
 * the file `answer`, keeps connections open, and on SIGTERM answers what it has received before it ends. If
 * there is a file `pause`, each answer comes that many ms after its request, as that of an app that asks its
 * database. One thread, epoll. Not a server for anything else. The bench compiles it into the app's
 * repository. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kLargestRequest = 16384, kLargestAnswer = 4096, kDescriptors = 4096, kWaiting = 4096 };

struct client {
  char* bytes; /* what has come of the next request; NULL: not a client */
  size_t size;
};

struct wait {
  long long due_ns;
  int descriptor; /* -1: the connection is no more */
  int last;
};

static struct client clients[kDescriptors];
static struct wait waiting[kWaiting]; /* a ring, in the order of the requests and so of `due_ns` */
static unsigned first_waiting, next_waiting;
static long long pause_ns;
static char answer[kLargestAnswer];
static int answer_size;

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void load_answer(void) {
  char body[1024];
  FILE* file = fopen("answer", "r");
  if (file == NULL) fail("answer");
  const size_t size = fread(body, 1, sizeof(body), file);
  fclose(file);
  answer_size = snprintf(answer, sizeof(answer),
                         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%.*s",
                         size, (int)size, body);
}

static void load_pause(void) {
  FILE* file = fopen("pause", "r");
  if (file == NULL) return;
  long long ms = 0;
  if (fscanf(file, "%lld", &ms) != 1 || ms < 0 || ms > 60000) fail("pause");
  fclose(file);
  pause_ns = ms * 1000000;
}

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void drop(int descriptor) {
  for (unsigned at = first_waiting; at != next_waiting; ++at) {
    if (waiting[at % kWaiting].descriptor == descriptor) waiting[at % kWaiting].descriptor = -1;
  }
  free(clients[descriptor].bytes);
  clients[descriptor] = (struct client){NULL, 0};
  close(descriptor);
}

static int send_answer(int descriptor) {
  return send(descriptor, answer, (size_t)answer_size, MSG_NOSIGNAL) == answer_size;
}

/* The answer to a request that has come, now or when its time has come. 0: the connection is to be closed. */
static int reply(int descriptor, int last) {
  if (pause_ns == 0) return send_answer(descriptor) && !last;
  if (next_waiting - first_waiting == kWaiting) return 0;
  waiting[next_waiting++ % kWaiting] = (struct wait){now_ns() + pause_ns, descriptor, last};
  return 1;
}

/* Sends what is due until `now`; how long until the next, NULL: nothing waits. */
static struct timespec* send_due(long long now, struct timespec* left) {
  while (first_waiting != next_waiting) {
    const struct wait next = waiting[first_waiting % kWaiting];
    if (next.due_ns > now) {
      *left = (struct timespec){(next.due_ns - now) / 1000000000, (next.due_ns - now) % 1000000000};
      return left;
    }
    ++first_waiting;
    if (next.descriptor >= 0 && (!send_answer(next.descriptor) || next.last)) drop(next.descriptor);
  }
  return NULL;
}

/* Answers every whole request that has come. 0: the connection is to be closed. */
static int serve(int descriptor) {
  struct client* client = &clients[descriptor];
  for (;;) {
    const ssize_t got = recv(descriptor, client->bytes + client->size, kLargestRequest - client->size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return 0;
    client->size += (size_t)got;
    char* end;
    while ((end = memmem(client->bytes, client->size, "\r\n\r\n", 4)) != NULL) {
      const size_t used = (size_t)(end + 4 - client->bytes);
      end[2] = '\0';
      const int last = strcasestr(client->bytes, "\r\nConnection: close\r\n") != NULL;
      memmove(client->bytes, client->bytes + used, client->size - used);
      client->size -= used;
      if (!reply(descriptor, last)) return 0;
    }
    if (client->size == kLargestRequest) return 0;
  }
}

static void watch(int poll, int descriptor) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll_ctl");
}

static void take(int poll, int listener) {
  int descriptor;
  while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    char* bytes = descriptor < kDescriptors ? malloc(kLargestRequest + 1) : NULL;
    if (bytes == NULL) {
      close(descriptor);
      continue;
    }
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    clients[descriptor] = (struct client){bytes, 0};
    watch(poll, descriptor);
  }
}

int main(void) {
  const char* port = getenv("PORT");
  if (port == NULL) {
    fprintf(stderr, "PORT is not set\n");
    return 1;
  }
  load_answer();
  load_pause();
  sigset_t terms;
  sigemptyset(&terms);
  sigaddset(&terms, SIGTERM);
  sigprocmask(SIG_BLOCK, &terms, NULL);
  const int stopped = signalfd(-1, &terms, SFD_CLOEXEC);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  if (bind(listener, (struct sockaddr*)&address, sizeof(address)) != 0) fail("bind");
  if (listen(listener, 1024) != 0) fail("listen");
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  watch(poll, listener);
  watch(poll, stopped);
  for (int stopping = 0; !stopping;) {
    struct epoll_event events[64];
    struct timespec left;
    const int count = epoll_pwait2(poll, events, 64, send_due(now_ns(), &left), NULL);
    for (int i = 0; i < count; ++i) {
      const int descriptor = events[i].data.fd;
      if (descriptor == listener) {
        take(poll, listener);
      } else if (descriptor == stopped) {
        stopping = 1;
      } else if (!serve(descriptor)) {
        drop(descriptor);
      }
    }
  }
  /* What is in the queue of the listener or of a connection is answered; then the end. */
  take(poll, listener);
  for (int descriptor = 0; descriptor < kDescriptors; ++descriptor) {
    if (clients[descriptor].bytes != NULL) (void)serve(descriptor);
  }
  struct timespec left;
  (void)send_due(LLONG_MAX, &left);
  return 0;
}
