/* A constant load that says how long each answer took: RATE requests a second to a port of this machine, over
 * COUNT kept connections in turn, each request at its time, whether others are answered late or not. A
 * connection whose answer has not come by then asks as soon as it has. From SIGTERM on it asks no more, and
 * writes a line for each answer to stdout: when it was asked for and when it was there, in µs of
 * CLOCK_MONOTONIC. A connection that the server closes after an answer is made anew, and what that takes is
 * the next request's. Anything but 200, a connection that is refused or cut, and an answer that has not come
 * after ten seconds end it with 1. Why not wrk: it has one figure for a whole run, in which the first request
 * of each connection is the hundredth part that p99 is about; and its connections wait for answers, so that
 * after a stall they ask all at once for good. Usage: requests PORT HOST COUNT RATE */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kMost = 1024, kPatienceUs = 10000000, kLargestAnswer = 16384 };

struct connection {
  int descriptor;     /* -1: to be made with the next request */
  int waits;          /* for an answer */
  long long asked_us; /* when it did */
  long long due_us;   /* when it asks next, at the earliest */
  char bytes[kLargestAnswer + 1];
  size_t size;
};

struct answer {
  long long asked_us, came_us;
};

static struct connection connections[kMost];
static struct answer* answers;
static size_t answer_count, answer_room;
static struct sockaddr_in server = {.sin_family = AF_INET};
static char request[512];
static long long interval_us; /* between two requests of a connection */
static volatile sig_atomic_t over;

static void fail(const char* what) {
  fprintf(stderr, "requests: %s\n", what);
  exit(1);
}

static void stop(int number) {
  (void)number;
  over = 1;
}

static long long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void note(long long asked_us, long long came_us) {
  if (answer_count == answer_room) {
    answer_room = answer_room == 0 ? 1 << 16 : 2 * answer_room;
    answers = realloc(answers, answer_room * sizeof(*answers));
    if (answers == NULL) fail("out of memory");
  }
  answers[answer_count++] = (struct answer){asked_us, came_us};
}

static void ask(int poll, struct connection* one, long long now) {
  one->asked_us = now;
  one->due_us += interval_us;
  one->waits = 1;
  one->size = 0;
  if (one->descriptor < 0) {
    one->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(one->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(one->descriptor, (struct sockaddr*)&server, sizeof(server)) != 0) fail("refused");
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = one}};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, one->descriptor, &event) != 0) fail("epoll_ctl");
  }
  const size_t size = strlen(request);
  if (send(one->descriptor, request, size, MSG_NOSIGNAL) != (ssize_t)size) fail("cut before a request");
}

/* The whole answer's size; 0: not all of its head has come. */
static size_t expected(const struct connection* one) {
  const char* end = strstr(one->bytes, "\r\n\r\n");
  if (end == NULL) return 0;
  if (strncmp(one->bytes, "HTTP/1.1 200 ", 13) != 0) fail(one->bytes);
  const char* length = strcasestr(one->bytes, "\r\nContent-Length:");
  if (length == NULL || length > end) fail("an answer without a length");
  return (size_t)(end + 4 - one->bytes) + strtoul(length + 17, NULL, 10);
}

static void take(struct connection* one) {
  const ssize_t got = recv(one->descriptor, one->bytes + one->size, kLargestAnswer - one->size, MSG_DONTWAIT);
  if (got < 0) return;
  if (got == 0) {
    if (one->waits) fail("cut before an answer");
    close(one->descriptor);
    one->descriptor = -1;
    return;
  }
  one->size += (size_t)got;
  one->bytes[one->size] = '\0';
  const size_t whole = expected(one);
  if (whole == 0 || one->size < whole) return;
  note(one->asked_us, now_us());
  one->waits = 0;
  if (strcasestr(one->bytes, "\r\nConnection: close\r\n") == NULL) return;
  close(one->descriptor);
  one->descriptor = -1;
}

/* Asks where it is time; until when nothing is to be done. */
static long long ask_due(int poll, int count) {
  const long long now = now_us();
  long long next = now + kPatienceUs;
  for (struct connection* one = connections; one != connections + count; ++one) {
    if (!one->waits && one->due_us <= now) ask(poll, one, now);
    if (!one->waits && one->due_us < next) next = one->due_us;
    if (one->waits && now - one->asked_us > kPatienceUs) fail("no answer within ten seconds");
  }
  return next;
}

int main(int words, char** argv) {
  const int count = words == 5 ? atoi(argv[3]) : 0;
  const int rate = words == 5 ? atoi(argv[4]) : 0;
  if (count < 1 || count > kMost || rate < 1) fail("usage: requests PORT HOST COUNT RATE");
  interval_us = 1000000LL * count / rate;
  server.sin_port = htons((unsigned short)atoi(argv[1]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", argv[2]);
  signal(SIGTERM, stop);
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  const long long start = now_us();
  for (int i = 0; i < count; ++i)
    connections[i] = (struct connection){.descriptor = -1, .due_us = start + i * interval_us / count};
  while (!over) {
    const long long left = ask_due(poll, count) - now_us();
    const struct timespec wait = {left > 0 ? left / 1000000 : 0, left > 0 ? left % 1000000 * 1000 : 0};
    struct epoll_event events[64];
    const int ready = epoll_pwait2(poll, events, 64, &wait, NULL);
    for (int i = 0; i < ready; ++i) take(events[i].data.ptr);
  }
  for (size_t i = 0; i < answer_count; ++i) printf("%lld %lld\n", answers[i].asked_us, answers[i].came_us);
  return fflush(stdout) == 0 ? 0 : 1;
}
