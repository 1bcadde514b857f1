/* Passing stream connections on, between TCP ports and unix sockets. Shared by davit-relay and davit-init. */
#ifndef DAVIT_NATIVE_RELAY_H
#define DAVIT_NATIVE_RELAY_H

#include <stddef.h>
#include <sys/socket.h>

/* An address of either kind. */
struct davit_end {
  struct sockaddr_storage address;
  socklen_t size; /* 0: none */
};

struct davit_end davit_tcp_end(const char* address, const char* port); /* numbers */
struct davit_end davit_unix_end(const char* path);

/* Listens there, whatever socket file was left there. -1: errno. */
int davit_listen(const struct davit_end* end);

struct davit_relay {
  int listener;
  struct davit_end target;
};

/* Never returns: a process for each connection, so that one that hangs holds up nobody; they end with this
 * one. */
_Noreturn void davit_relay_serve(const struct davit_relay* relays, size_t count);

#endif
