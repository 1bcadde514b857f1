/* davit.service/1: a kind of data service (a database, a cache), stated as programs. Provided by plugins such
 * as postgres and mysql. The kind's name is the plugin's id, and so is the group of its commands.
 *
 * The plugin says which program prepares, serves, probes, dumps, loads and connects. The host runs it through
 * the runtime, and owns all the rest: names, records, ports, passwords, links, locks, backups, the commands.
 *
 * A service has generations of its data. Whatever replaces data (an import, an upgrade) makes a generation of
 * its own, PREPAREs it, SERVEs it apart, does SETUP and LOADs it, and only then lets it take the place of the
 * one that serves. So a plugin never needs to take back what it did half.
 */
#ifndef DAVIT_SERVICE_H
#define DAVIT_SERVICE_H

#include "davit/plugin.h"
#include "davit/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DAVIT_SERVICE_ID "davit.service/1"

/* Which program. Those marked (may be none) may be answered with DAVIT_UNSUPPORTED. All but SERVE run once,
 * to their end; exit code 0 is success, and what they write to stderr is shown when they fail. */
#define DAVIT_SERVICE_PREPARE                                                                              \
  1u                           /* makes an empty data folder ready to be served (may be none). It need not \
                                  sync: the host does, before anybody relies on the data */
#define DAVIT_SERVICE_SERVE 2u /* the server, in the foreground; listens on host and port only */
#define DAVIT_SERVICE_PROBE 3u /* a real query with the credentials; asked until it succeeds */
#define DAVIT_SERVICE_SETUP 4u /* once a generation, after its first successful probe (may be none) */
#define DAVIT_SERVICE_DUMP 5u  /* all data, as one consistent stream, to stdout */
#define DAVIT_SERVICE_LOAD                                                            \
  6u /* such a stream from stdin, into a service that has been set up and is empty; a \
        stream that is cut or broken must fail */
#define DAVIT_SERVICE_CONNECT                                                   \
  7u /* a client on fds 0 to 2; without a terminal it reads a script from stdin \
      */
#define DAVIT_SERVICE_FINGERPRINT                                                  \
  8u /* prints what is in it, sorted: "TABLE ROWS CHECKSUM" lines. Equal data give \
        equal text, in whatever version and order they were loaded */

#define DAVIT_SERVICE_TTY 1u /* CONNECT: stdin and stdout are a terminal */
/* SERVE: a LOAD fills it, and nobody else uses it. It is stopped, the host syncs its data, and it is served
 * anew without this flag: so until then it need not sync, nor log what a crash would need. */
#define DAVIT_SERVICE_FILLING 2u

/* OPEN. The service that the program is for. Paths are as the program will see them. */
typedef struct davit_service {
  uint32_t struct_size;
  uint32_t flags; /* DAVIT_SERVICE_TTY, _FILLING */
  davit_str name;
  davit_str version; /* one of describe's versions; of an image: its tag */
  davit_str data;    /* folder of this generation's data, writable */
  davit_str files;   /* folder in which the files of the program are */
  davit_str host;    /* SERVE: where the server listens; else where clients connect to */
  davit_str username;
  davit_str password; /* letters and digits. Never in argv: in the environment, or in a file */
  davit_str database; /* empty for a kind without */
  davit_str head;     /* LOAD: how the stream begins, at most 512 bytes */
  uint32_t port;
  uint32_t reserved;
  davit_str image; /* in which it all runs, found by PATH; empty: on the machine. "service-KIND" is made of
                    * describe's packages */
  /* SERVE: a certificate of its own and the key (PEM), the same for its whole life. */
  davit_str certificate;
  davit_str private_key;
} davit_service;

/* FROZEN. Where the plugin says what is to be run. Calls add up, but argv, input and ends_with replace. */
typedef struct davit_program {
  void* program_data;
  davit_status (*argv)(void* program_data,
                       davit_strs argv); /* [call] argv[0]: absolute, or looked up in PATH */
  davit_status (*env)(void* program_data, davit_str key, davit_str value); /* [call] */
  /* A file of mode 0600 in the folder `files`. A plain name. [call] */
  davit_status (*file)(void* program_data, davit_str name, davit_str bytes);
  davit_status (*input)(void* program_data, davit_str bytes); /* [call] stdin; not for LOAD, CONNECT, SERVE */
  /* LOAD: a whole stream has this text within its last 4 KiB. For formats whose loader does not notice a cut.
   * [call] */
  davit_status (*ends_with)(void* program_data, davit_str text);
} davit_program;

/* OPEN table. */
typedef struct davit_service_kind {
  uint32_t struct_size;
  uint32_t reserved;
  /* Facts of the kind. Keys:
   *   scheme       of URLs: "postgres"
   *   alias        first name of the link's variable, without _URL: "DATABASE" (the default)
   *   username     of the one account; empty or absent: none
   *   database     "name": named like the service, with _ for what is no letter or digit; else as given, such
   * as "0" versions     what can be served here, blanks between, the newest last; none: `missing` says why
   *   reserved     databases of the server's own, blanks between; a service named so gets NAME_db
   *   missing      what to install: "apt-get install postgresql"
   *   stop-signal  number; absent: SIGTERM
   *   image        the official image's name, without a tag: "postgres"; absent: there is none
   *   packages     Debian packages of an image to serve it from, blanks between; absent: there is none
   *   tls          "yes": it uses the certificate, and who connects may ask for TLS
   * [call] */
  davit_status (*describe)(davit_plugin* plugin, const davit_call* call, const davit_kv_sink* sink);
  /* The same input gives the same program: a SERVE that differs restarts the server. [call] */
  davit_status (*program)(davit_plugin* plugin, const davit_call* call, uint32_t what,
                          const davit_service* service, const davit_program* program);
} davit_service_kind;

#ifdef __cplusplus
}
#endif
#endif
