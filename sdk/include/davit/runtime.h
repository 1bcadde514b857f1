/* davit.runtime/1: runs groups of instances and single tasks. Provided by plugins such as process and docker.
 *
 * It deals in groups so that a cluster scheduler can implement it. A group is what one owner runs of one
 * process type at one revision. Instance ids are the host's: OWNER.REVISION.TYPE.N, N from 1. Everything a
 * runtime makes it can find again by owner and revision in a fresh process; it never touches what it did not
 * make.
 */
#ifndef DAVIT_RUNTIME_H
#define DAVIT_RUNTIME_H

#include "davit/plugin.h"
#include "davit/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DAVIT_RUNTIME_ID "davit.runtime/1"

#define DAVIT_RESTART_ALWAYS 0u
#define DAVIT_RESTART_ON_FAILURE 1u
#define DAVIT_RESTART_NEVER 2u

#define DAVIT_SERVICES "/run/davit-services" /* see describe */

#define DAVIT_GROUP_LISTENS 1u /* each instance gets a port: env PORT, and an endpoint */
/* An instance that executes stays untouched, whatever else than count differs. One that does not is made as
 * the group says now. */
#define DAVIT_GROUP_KEEP 2u

/* OPEN. */
typedef struct davit_group {
  uint32_t struct_size;
  uint32_t flags; /* DAVIT_GROUP_* */
  uint32_t owner_kind;
  uint32_t count; /* instances wanted; 0: the group is kept without any */
  davit_str owner;
  davit_str revision;             /* unique per launch, e.g. "d17" */
  davit_str process_type;         /* e.g. "web" */
  const davit_artifact* artifact; /* NULL: argv runs on the bare stack; of kind NONE: on its `stack` */
  davit_strs argv;
  davit_kvs env;     /* complete; the runtime adds PORT (where it listens), DAVIT_INSTANCE and HOME */
  davit_list mounts; /* of davit_mount */
  const davit_limits* limits; /* NULL: none */
  davit_str user;             /* empty: the app user */
  uint32_t restart;           /* DAVIT_RESTART_* */
  int32_t stop_signal;        /* 0: SIGTERM */
  uint64_t stop_timeout_ms;
  uint32_t max_retries; /* with RESTART_ON_FAILURE: 0 is no bound */
  uint32_t reserved;
  /* With LISTENS: 0: the runtime leases a port for each instance. Else the host leased this one, which the
   * only instance answers at on 127.0.0.1; the runtime leases and releases none. */
  uint32_t port;
  uint32_t reserved2;
} davit_group;

/* OPEN. Which instances: empty fields match all. */
typedef struct davit_selector {
  uint32_t struct_size;
  uint32_t owner_kind;
  davit_str owner; /* never empty */
  davit_str revision;
  davit_str process_type;
  uint32_t number; /* 0: all */
  uint32_t reserved;
} davit_selector;

#define DAVIT_INSTANCE_STARTING 1u /* asked for, not yet executing */
#define DAVIT_INSTANCE_UP 2u       /* executing; says nothing about health */
#define DAVIT_INSTANCE_BACKOFF 3u  /* exited, will be started again */
#define DAVIT_INSTANCE_EXITED 4u   /* exited, stays so */
#define DAVIT_INSTANCE_STOPPING 5u

/* Whether somebody listens on the ports of an instance. A relay in front of it may take every connection, so
 * that only its runtime can know. */
#define DAVIT_LISTENING_UNKNOWN 0u /* the host finds out by connecting */
#define DAVIT_LISTENING_YES 1u     /* on each */
#define DAVIT_LISTENING_NO 2u      /* not on all of them */

/* OPEN. Borrowed by the receiver for the call of put. */
typedef struct davit_instance {
  uint32_t struct_size;
  uint32_t state; /* DAVIT_INSTANCE_* */
  davit_str id;
  davit_str revision;
  davit_str process_type;
  uint32_t number;
  uint32_t exits;        /* times that it ended by itself since it was applied */
  int64_t since_unix_ms; /* of the state */
  int32_t exit_code;     /* of the last end; 128 + signal for a signal; -1: none yet */
  int32_t pid;           /* of the program itself, as the host sees it; 0: none */
  davit_list endpoints;  /* of davit_endpoint */
  davit_str container;   /* its id, where the runtime has containers */
  uint32_t listening;    /* DAVIT_LISTENING_* */
  uint32_t reserved;
} davit_instance;

/* FROZEN. */
typedef struct davit_instance_sink {
  void* sink_data;
  davit_status (*put)(void* sink_data, const davit_instance* instance); /* [call] */
} davit_instance_sink;

/* OPEN. One line of an instance's output. */
typedef struct davit_log_line {
  uint32_t struct_size;
  uint32_t number;
  int64_t unix_ms;
  davit_str revision;
  davit_str process_type;
  davit_str text; /* any bytes, without the newline */
} davit_log_line;

/* FROZEN. */
typedef struct davit_log_sink {
  void* sink_data;
  davit_status (*put)(void* sink_data, const davit_log_line* line); /* [call] */
} davit_log_sink;

/* OPEN. */
typedef struct davit_log_query {
  uint32_t struct_size;
  uint32_t follow;       /* nonzero: goes on until the call is cancelled */
  uint64_t lines;        /* the last so many; 0: all that are kept */
  int64_t since_unix_ms; /* 0: no bound */
} davit_log_query;

/* OPEN. A command inside a running instance. */
typedef struct davit_exec {
  uint32_t struct_size;
  uint32_t flags; /* DAVIT_TASK_TTY */
  davit_str instance;
  davit_strs argv;
  davit_kvs env;  /* added to the instance's own */
  int32_t fds[3]; /* as in davit_task */
  uint32_t reserved;
  uint64_t timeout_ms; /* 0: none */
  const davit_sink* out;
  const davit_sink* err;
} davit_exec;

/* OPEN table. */
typedef struct davit_runtime {
  uint32_t struct_size;
  uint32_t reserved;
  /* Makes the world match `group`; idempotent; a scale is an apply with another count, and instances 1..min
   * stay untouched when nothing but count differs, or with GROUP_KEEP. Returns once the instances are asked
   * for, not when they are up. On failure it undoes what this call began. [call] */
  davit_status (*apply)(davit_plugin* plugin, const davit_call* call, const davit_group* group);
  davit_status (*inspect)(davit_plugin* plugin, const davit_call* call, const davit_selector* selector,
                          const davit_instance_sink* sink); /* sorted by revision, type, number [call] */
  /* Returns when the state of a selected instance changes, at the latest after timeout_ms (that is DAVIT_OK
   * too). Spurious returns are allowed; a change between an inspect and this wait must not be missed for
   * longer than 250 ms. [call] */
  davit_status (*wait_change)(davit_plugin* plugin, const davit_call* call, const davit_selector* selector,
                              uint64_t timeout_ms);
  /* Signals every process of the selected instances, waits, kills after the stop timeout; they stay stopped.
   * [call] */
  davit_status (*stop)(davit_plugin* plugin, const davit_call* call, const davit_selector* selector);
  /* Starts stopped instances again. [call] */
  davit_status (*start)(davit_plugin* plugin, const davit_call* call, const davit_selector* selector);
  /* stop, then forget them with ports, copies of the slug and scratch. Logs stay until `forget_logs`.
   * Idempotent; works on what never, half or fully exists. [call] */
  davit_status (*remove)(davit_plugin* plugin, const davit_call* call, const davit_selector* selector,
                         uint32_t forget_logs);
  davit_status (*logs)(davit_plugin* plugin, const davit_call* call, const davit_selector* selector,
                       const davit_log_query* query, const davit_log_sink* sink); /* by time [call] */
  davit_status (*exec)(davit_plugin* plugin, const davit_call* call, const davit_exec* exec,
                       int32_t* exit_code); /* [call] */
  /* Runs to the end. DAVIT_OK whatever the exit code; DAVIT_TIMEOUT or DAVIT_CANCELLED when it was ended.
   * [call] */
  davit_status (*run_task)(davit_plugin* plugin, const davit_call* call, const davit_task* task,
                           int32_t* exit_code);
  /* Everything this runtime keeps for this home, as "OWNER_KIND/OWNER/REVISION/TYPE". For recovery and
   * doctor. [call] */
  davit_status (*list_owned)(davit_plugin* plugin, const davit_call* call, const davit_str_sink* sink);
  /* Facts for reports: isolation=bubblewrap|container|none, limits=cgroup1|cgroup2|none, ... And
   *   loopback  "machine" (the default): 127.0.0.1 inside is the machine's own
   *             "sockets": it is not; but what is mounted at DAVIT_SERVICES/PORT/ is a folder with the unix
   *             socket `socket`, to which the runtime passes on what connects to 127.0.0.1:PORT inside
   * [call] */
  davit_status (*describe)(davit_plugin* plugin, const davit_call* call, const davit_kv_sink* sink);
  /* Makes a stack of this name from Debian packages and nothing more than they need; if there is one, only
   * with `anew`. Without the function: argv and services run on what the machine has. [call] */
  davit_status (*make_stack)(davit_plugin* plugin, const davit_call* call, davit_str name,
                             davit_strs packages, uint32_t anew);
  /* What the last build of this app ran on, in the runtime's own words: kept with the release of its slug,
   * and handed back as the artifact's `stack` wherever that release runs. Empty, or no function: nothing.
   * [call] */
  davit_status (*build_stack)(davit_plugin* plugin, const davit_call* call, davit_str app,
                              const davit_sink* stack);
} davit_runtime;

#ifdef __cplusplus
}
#endif
#endif
