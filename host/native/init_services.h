/* Services that an instance uses, where it has a loopback of its own: 127.0.0.1:PORT leads to the unix socket
 * FOLDER/PORT/socket. */
#ifndef DAVIT_NATIVE_INIT_SERVICES_H
#define DAVIT_NATIVE_INIT_SERVICES_H

#include <sys/types.h>

/* Listens for each PORT in the folder, and starts the process that passes connections on; it keeps the mask
 * of signals. 0: there is nothing to pass on. */
pid_t davit_start_services(const char* folder);

#endif
