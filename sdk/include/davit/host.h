/* davit.host.* /1: what a plugin may ask of the host. Get a table once, in start(), with
 * host->get_interface(host, ID).
 *
 * Every function takes the davit_host it came from. Functions that can fail take the davit_call of the
 * invocation that they serve; on failure its error slot says why, so a plugin may just return the status. A
 * plugin may use only the ids that its note lists under `requires` or `uses`. Each table is OPEN: it begins
 * with struct_size and grows at its end.
 */
#ifndef DAVIT_HOST_H
#define DAVIT_HOST_H

#include "davit/hooks.h"
#include "davit/plugin.h"
#include "davit/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- davit.host.log/1: davit's own log, for threads that have no call ---- */
#define DAVIT_HOST_LOG_ID "davit.host.log/1"
typedef struct davit_host_log {
  uint32_t struct_size;
  uint32_t reserved;
  void (*log)(const davit_host* host, int32_t level, davit_str message); /* [any] never a secret */
} davit_host_log;

/* ---- davit.host.settings/1: [plugins.ID.settings] of plugins.toml, checked against the note's schema ----
 */
#define DAVIT_HOST_SETTINGS_ID "davit.host.settings/1"
typedef struct davit_host_settings {
  uint32_t struct_size;
  uint32_t reserved;
  /* The value as text (numbers in decimal, true or false; durations and sizes as written: "30s", "64MiB", a
   * bare number is seconds or bytes), the schema's default if it is not set; NOT_FOUND if there is neither.
   * [call] */
  davit_status (*get)(const davit_host* host, const davit_call* call, davit_str key, const davit_sink* value);
  /* The items of an array setting. [call] */
  davit_status (*each_item)(const davit_host* host, const davit_call* call, davit_str key,
                            const davit_str_sink* items);
} davit_host_settings;

/* ---- davit.host.properties/1: per-app and global properties (GROUP:set), declared in the note ---- */
#define DAVIT_HOST_PROPERTIES_ID "davit.host.properties/1"
typedef struct davit_host_properties {
  uint32_t struct_size;
  uint32_t reserved;
  /* Effective value: the app's, else the global one, else the declared default; NOT_FOUND if there is none.
   * An empty app asks for the global one. [call] */
  davit_status (*get)(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                      davit_str key, const davit_sink* value);
  /* The app's own value only (or the global one, for an empty app). [call] */
  davit_status (*get_own)(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                          davit_str key, const davit_sink* value);
  davit_status (*set)(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                      davit_str key, davit_str value); /* [call] */
  davit_status (*unset)(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                        davit_str key); /* [call] */
  /* Ordered lists, such as an app's buildpacks; set_list replaces the whole list at once. [call] */
  davit_status (*each_in_list)(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                               davit_str key, const davit_str_sink* items);
  davit_status (*set_list)(const davit_host* host, const davit_call* call, davit_str app, davit_str group,
                           davit_str key, davit_strs items);
  /* Names of apps that have an own value or list in this group. [call] */
  davit_status (*each_app_with)(const davit_host* host, const davit_call* call, davit_str group,
                                const davit_str_sink* apps);
} davit_host_properties;

/* ---- davit.host.kv/1: a plugin's own state, in davit's database ---- */
#define DAVIT_HOST_KV_ID "davit.host.kv/1"
typedef struct davit_host_kv {
  uint32_t struct_size;
  uint32_t reserved;
  /* Scope is an app's name (rows go and move with the app) or empty. Values are any bytes, at most 1 MiB.
   * [call] each. */
  davit_status (*get)(const davit_host* host, const davit_call* call, davit_str scope, davit_str key,
                      const davit_sink* value);
  davit_status (*set)(const davit_host* host, const davit_call* call, davit_str scope, davit_str key,
                      davit_str value);
  davit_status (*erase)(const davit_host* host, const davit_call* call, davit_str scope, davit_str key);
  davit_status (*each)(const davit_host* host, const davit_call* call, davit_str scope, davit_str prefix,
                       const davit_kv_sink* sink);
  /* Sets only if the present value equals `expected` (NULL: only if absent); else CONFLICT. */
  davit_status (*compare_and_set)(const davit_host* host, const davit_call* call, davit_str scope,
                                  davit_str key, const davit_str* expected, davit_str value);
} davit_host_kv;

/* ---- davit.host.clock/1 ---- */
#define DAVIT_HOST_CLOCK_ID "davit.host.clock/1"
typedef struct davit_host_clock {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t (*now_unix_ms)(const davit_host* host); /* [any] */
  int64_t (*now_mono_ms)(const davit_host* host); /* [any] */
} davit_host_clock;

/* ---- davit.host.paths/1 ---- */
#define DAVIT_HOST_PATHS_ID "davit.host.paths/1"
typedef struct davit_host_paths {
  uint32_t struct_size;
  uint32_t reserved;
  /* Absolute path, made if it is the plugin's own. `which`: "state" (kept; the plugin's own), "run" (scratch,
   * gone after a reboot; its own), "logs" (its own), "share" (read-only files installed with the plugin:
   * share/davit/ID), "libexec" (davit's small programs), "home" (DAVIT_HOME), "app-logs" (logs/apps). [call]
   */
  davit_status (*get)(const davit_host* host, const davit_call* call, davit_str which,
                      const davit_sink* path);
} davit_host_paths;

/* ---- davit.host.process/1: programs on the host, by argv; never a shell ---- */
#define DAVIT_HOST_PROCESS_ID "davit.host.process/1"
#define DAVIT_PROCESS_TTY 1u /* fds[0] becomes its controlling terminal, in a session of its own */
/* OPEN */
typedef struct davit_process {
  uint32_t struct_size;
  uint32_t reserved;
  davit_strs argv;     /* argv[0]: absolute, or looked up in the host's PATH */
  davit_kvs env;       /* complete; empty: PATH, HOME, LANG=C.UTF-8 only */
  davit_str cwd;       /* empty: / */
  davit_str input;     /* written to stdin; empty: /dev/null */
  uint64_t timeout_ms; /* 0: the call's deadline */
  davit_str user; /* empty: as the core; "app": the app user; else a user of the system (owner root only) */
  int32_t fds[3]; /* as in davit_task; -1, -1, -1 for none */
  uint32_t reserved2;
  const davit_sink* out; /* may be NULL */
  const davit_sink* err; /* may be NULL: to out */
  uint32_t flags;        /* DAVIT_PROCESS_* */
  uint32_t reserved3;
  uint64_t stop_timeout_ms; /* between SIGTERM and SIGKILL on cancel or deadline; 0: 5000 */
} davit_process;
typedef struct davit_host_process {
  uint32_t struct_size;
  uint32_t reserved;
  /* Runs to the end; exit code, or 128 + signal. OK whatever the code; DAVIT_TIMEOUT or DAVIT_CANCELLED when
   * it was ended. [call] */
  davit_status (*run)(const davit_host* host, const davit_call* call, const davit_process* process,
                      int32_t* exit_code);
} davit_host_process;

/* ---- davit.host.task/1: argv inside the app's runtime ---- */
#define DAVIT_HOST_TASK_ID "davit.host.task/1"
typedef struct davit_host_task {
  uint32_t struct_size;
  uint32_t reserved;
  /* Goes to the runtime that the app of the call has; see davit_runtime.run_task. [call] */
  davit_status (*run)(const davit_host* host, const davit_call* call, const davit_task* task,
                      int32_t* exit_code);
} davit_host_task;

/* ---- davit.host.supervise/1: units of the home's one supervision tree ---- */
#define DAVIT_HOST_SUPERVISE_ID "davit.host.supervise/1"
#define DAVIT_UNIT_SANDBOXED \
  1u /* argv starts bubblewrap with --as-pid-1 --info-fd 9: signals go to the process named there */
#define DAVIT_UNIT_STOP_FIRST                                                                           \
  2u /* the stop signal goes to the unit's first process only (a server that manages its own children); \
        else to every process of the unit */
/* OPEN. Names: those of instances, or "ID" and "ID.anything" for a plugin's own servers. */
typedef struct davit_unit {
  uint32_t struct_size;
  uint32_t flags; /* DAVIT_UNIT_* */
  davit_str name;
  davit_strs argv;
  davit_kvs env; /* complete; kept in a file of mode 0600, never on a command line */
  davit_str cwd;
  davit_str user;             /* as in davit_process */
  const davit_limits* limits; /* may be NULL */
  davit_str log_dir;          /* absolute; made and rotated; empty: output is discarded */
  uint64_t log_file_bytes;    /* 0: 10 MiB */
  uint32_t log_files;         /* 0: 5 */
  uint32_t restart;           /* DAVIT_RESTART_* of runtime.h */
  uint32_t max_retries;
  int32_t stop_signal;      /* 0: SIGTERM */
  uint64_t stop_timeout_ms; /* then SIGKILL */
  int32_t notify_fd;        /* 3 and up: the program writes a newline there when it is ready; 0: none */
  uint32_t reserved;
  davit_str log_user; /* owns the log pipe, so that it may open /dev/stdout; as `user`; empty: `user` */
} davit_unit;
/* OPEN; the caller sets struct_size. */
typedef struct davit_unit_status {
  uint32_t struct_size;
  uint32_t up; /* executing now */
  uint32_t wanted_up;
  int32_t pid; /* of the program itself (inside the sandbox's init), as the host sees it; 0: none */
  int64_t since_unix_ms;
  uint32_t exits;    /* times it ended by itself since ensure() */
  int32_t exit_code; /* of the last end; 128 + signal; -1: none */
  uint32_t ready;    /* with notify_fd: it said so; without: same as up */
  uint32_t limited;  /* the limits asked for are in force */
} davit_unit_status;
#define DAVIT_UNIT_WAIT_UP 1u
#define DAVIT_UNIT_WAIT_DOWN 2u
#define DAVIT_UNIT_WAIT_CHANGE 3u /* from what is so when the wait begins; may return early */
#define DAVIT_UNIT_WAIT_READY 4u
typedef struct davit_host_supervise {
  uint32_t struct_size;
  uint32_t reserved;
  /* Makes the unit exist as described and run; an unchanged unit is left alone, a changed one is replaced.
   * [call] */
  davit_status (*ensure)(const davit_host* host, const davit_call* call, const davit_unit* unit);
  davit_status (*status)(const davit_host* host, const davit_call* call, davit_str name,
                         davit_unit_status* status); /* NOT_FOUND [call] */
  davit_status (*signal)(const davit_host* host, const davit_call* call, davit_str name,
                         int32_t signal); /* [call] */
  davit_status (*stop)(const davit_host* host, const davit_call* call,
                       davit_str name); /* waits; stays down [call] */
  davit_status (*start)(const davit_host* host, const davit_call* call, davit_str name); /* [call] */
  davit_status (*remove)(const davit_host* host, const davit_call* call,
                         davit_str name); /* stop and forget; idempotent [call] */
  davit_status (*each)(const davit_host* host, const davit_call* call, davit_str prefix,
                       const davit_str_sink* names);
  /* Returns at the event for any of the units, or DAVIT_TIMEOUT; DAVIT_FAILED when one that is awaited up or
   * ready has ended for good. At most 64 names. [call] */
  davit_status (*wait)(const davit_host* host, const davit_call* call, davit_strs names, uint32_t what,
                       uint64_t timeout_ms);
  /* Sends the stop signal and returns; stays down. For many units at once: down() for each, then stop() or
   * remove(), which wait. [call] */
  davit_status (*down)(const davit_host* host, const davit_call* call, davit_str name);
} davit_host_supervise;

/* ---- davit.host.ports/1: TCP ports of loopback, leased without races ---- */
#define DAVIT_HOST_PORTS_ID "davit.host.ports/1"
typedef struct davit_host_ports {
  uint32_t struct_size;
  uint32_t reserved;
  /* One free port for `owner` (a unit's name); the same owner and purpose get the same port again. [call] */
  davit_status (*lease)(const davit_host* host, const davit_call* call, davit_str owner, davit_lease* lease);
  davit_status (*release)(const davit_host* host, const davit_call* call,
                          davit_str owner); /* idempotent [call] */
} davit_host_ports;

/* ---- davit.host.secrets/1 ---- */
#define DAVIT_HOST_SECRETS_ID "davit.host.secrets/1"
typedef struct davit_host_secrets {
  uint32_t struct_size;
  uint32_t reserved;
  /* `characters` random characters of [A-Za-z0-9], from the system's generator. [call] */
  davit_status (*random)(const davit_host* host, const davit_call* call, uint32_t characters,
                         const davit_sink* secret);
} davit_host_secrets;

/* ---- davit.host.apps/1: apps, read-only ---- */
#define DAVIT_HOST_APPS_ID "davit.host.apps/1"
typedef struct davit_host_apps {
  uint32_t struct_size;
  uint32_t reserved;
  davit_status (*each)(const davit_host* host, const davit_call* call,
                       const davit_str_sink* names); /* sorted [call] */
  /* Keys: created-at (ISO 8601), deployed (true, false), locked, release ("v3" or empty), revision, runtime.
   * NOT_FOUND. [call] */
  davit_status (*report)(const davit_host* host, const davit_call* call, davit_str app,
                         const davit_kv_sink* sink);
  davit_status (*each_domain)(const davit_host* host, const davit_call* call, davit_str app,
                              const davit_str_sink* domains); /* [call] */
  /* type -> command of the current release. [call] */
  davit_status (*each_process)(const davit_host* host, const davit_call* call, davit_str app,
                               const davit_kv_sink* sink);
  /* Asks for the app's routes to be computed and applied anew (after a change of a proxy's properties). Takes
   * effect before the command ends. [call] */
  davit_status (*request_reroute)(const davit_host* host, const davit_call* call, davit_str app);
} davit_host_apps;

/* ---- davit.host.events/1: notices between plugins ---- */
#define DAVIT_HOST_EVENTS_ID "davit.host.events/1"
typedef struct davit_host_events {
  uint32_t struct_size;
  uint32_t reserved;
  /* A notice named "ID.WORD", ID the publisher's; payload NULL, facts as given. [call] */
  davit_status (*publish)(const davit_host* host, const davit_call* call, davit_str id, davit_kvs facts);
} davit_host_events;

/* ---- davit.host.registry/1: the enabled plugins ---- */
#define DAVIT_HOST_REGISTRY_ID "davit.host.registry/1"
typedef struct davit_host_registry {
  uint32_t struct_size;
  uint32_t reserved;
  davit_status (*each)(const davit_host* host, const davit_call* call,
                       const davit_kv_sink* id_and_version); /* [call] */
  /* Plugins that provide an interface id, in the operator's order. [call] */
  davit_status (*each_provider)(const davit_host* host, const davit_call* call, davit_str interface_id,
                                const davit_str_sink* ids);
} davit_host_registry;

#ifdef __cplusplus
}
#endif
#endif
