/* davit.proxy/1: brings requests to instances. Provided by plugins such as nginx. One app's routes never
 * break another's. */
#ifndef DAVIT_PROXY_H
#define DAVIT_PROXY_H

#include "davit/plugin.h"
#include "davit/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DAVIT_PROXY_ID "davit.proxy/1"

#define DAVIT_ROUTE_MAINTENANCE 1u /* answer 503 with the maintenance page */

/* OPEN. The whole of what an app's requests need. No hosts: the app is not reachable by name. No endpoints:
 * 503. */
typedef struct davit_route {
  uint32_t struct_size;
  uint32_t flags; /* DAVIT_ROUTE_* */
  davit_str app;
  davit_str revision;   /* the instances' */
  davit_strs hosts;     /* domains, lower case; "*.example.com" allowed */
  davit_list endpoints; /* of davit_endpoint */
  /* Not empty: this app's routes go away with the same apply, and its hosts may be among ours: a rename. What
   * is in flight to it is still drained under its name; undo of ours brings them back. */
  davit_str replaces;
} davit_route;

/* OPEN table. The step rule holds: prepare has no effect and leaves a token of at most 64 KiB; apply and undo
 * take it, in the same or a fresh process. */
typedef struct davit_proxy {
  uint32_t struct_size;
  uint32_t reserved;
  /* Brings the proxy up if it is not running. Idempotent. [call] */
  davit_status (*ensure)(davit_plugin* plugin, const davit_call* call);
  /* Validates the route against the whole live set in a scratch tree. [call] */
  davit_status (*prepare)(davit_plugin* plugin, const davit_call* call, const davit_route* route,
                          const davit_sink* token);
  /* Atomic. OK means: new requests go to these endpoints and the proxy can reach them. [call] */
  davit_status (*apply)(davit_plugin* plugin, const davit_call* call, const davit_route* route,
                        davit_str token);
  /* Puts back what was there at prepare; also for an apply that never, half or fully happened; twice is fine.
   * [call] */
  davit_status (*undo)(davit_plugin* plugin, const davit_call* call, davit_str app, davit_str token);
  /* Returns when no request is in flight to the given endpoints of the app, or after timeout_ms
   * (DAVIT_TIMEOUT). [call] */
  davit_status (*drain)(davit_plugin* plugin, const davit_call* call, const davit_route* route,
                        uint64_t timeout_ms);
  davit_status (*remove)(davit_plugin* plugin, const davit_call* call, davit_str app); /* idempotent [call] */
  /* Names of the apps it routes. [call] */
  davit_status (*list_owned)(davit_plugin* plugin, const davit_call* call, const davit_str_sink* sink);
  /* Keys: url (the base to print for a host: "http://HOST:PORT" with HOST literally), http-port, https-port,
   * mode, switching (socket|reload). [call] */
  davit_status (*describe)(davit_plugin* plugin, const davit_call* call, const davit_kv_sink* sink);
} davit_proxy;

#ifdef __cplusplus
}
#endif
#endif
