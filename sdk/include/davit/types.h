/* Structs that several interfaces share: artifacts, mounts, limits, endpoints, tasks. */
#ifndef DAVIT_TYPES_H
#define DAVIT_TYPES_H

#include "davit/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DAVIT_OWNER_APP 1u
#define DAVIT_OWNER_SERVICE 2u

#define DAVIT_ARTIFACT_NONE 0u
#define DAVIT_ARTIFACT_SLUG 1u  /* ref: absolute path of a .tar.zst; its tree belongs at /app */
#define DAVIT_ARTIFACT_IMAGE 2u /* ref: an image's id or digest, known to the runtime that made it */

/* OPEN. Immutable once made. */
typedef struct davit_artifact {
  uint32_t struct_size;
  uint32_t kind; /* DAVIT_ARTIFACT_* */
  davit_str ref;
  davit_str digest; /* hex SHA-256 of a slug's file, or the image's digest */
  davit_str stack;  /* e.g. "debian-12"; may be empty */
} davit_artifact;

#define DAVIT_MOUNT_READ_ONLY 1u
/* The runtime makes the source's tree belong to the user that the task runs as. */
#define DAVIT_MOUNT_OWN 2u

/* OPEN. */
typedef struct davit_mount {
  uint32_t struct_size;
  uint32_t flags;   /* DAVIT_MOUNT_* */
  davit_str source; /* absolute path on the host */
  davit_str target; /* absolute path inside */
} davit_mount;

/* OPEN. 0 means: no limit of this kind. */
typedef struct davit_limits {
  uint32_t struct_size;
  uint32_t pids;
  uint64_t memory_bytes;
  uint64_t memory_reserve_bytes;
  uint32_t cpu_millis; /* 1000 is one core */
  uint32_t cpu_reserve_millis;
  uint32_t open_files;
  uint32_t reserved;
  uint64_t time_ms;
  uint64_t file_bytes; /* largest file that may be written */
} davit_limits;

#define DAVIT_ENDPOINT_TCP 1u
#define DAVIT_ENDPOINT_UNIX 2u

/* OPEN. Where an instance answers. Looked up anew for each use: an address may change with a restart. */
typedef struct davit_endpoint {
  uint32_t struct_size;
  uint32_t kind;  /* DAVIT_ENDPOINT_* */
  davit_str host; /* name or address, for TCP */
  davit_str path; /* socket, for UNIX */
  uint32_t port;
  uint32_t reserved;
  davit_str instance; /* the id of the instance that answers there */
} davit_endpoint;

#define DAVIT_NETWORK_HOST 0u /* what the machine can reach */
#define DAVIT_NETWORK_NONE 1u

#define DAVIT_TASK_TTY 1u           /* fds[0..2] are one terminal; make it the controlling one */
#define DAVIT_TASK_READ_ONLY_APP 2u /* the artifact may be mounted read-only instead of copied */

/* OPEN. Something that runs once, to its end, inside an app's (or no app's) runtime. */
typedef struct davit_task {
  uint32_t struct_size;
  uint32_t flags; /* DAVIT_TASK_* */
  uint32_t owner_kind;
  uint32_t network;               /* DAVIT_NETWORK_* */
  davit_str owner;                /* app or service */
  davit_str name;                 /* what it is, for lists and logs: "build", "release", "run.4" */
  const davit_artifact* artifact; /* NULL: none; else a private writable copy of it is at /app */
  davit_strs argv;                /* argv[0] is looked up in PATH inside */
  davit_kvs env;                  /* complete: nothing else is inherited but PATH, HOME, TERM defaults */
  davit_str cwd;                  /* inside; empty: /app if there is one, else / */
  davit_list mounts;              /* of davit_mount */
  const davit_limits* limits;     /* NULL: the runtime's defaults */
  davit_str user;                 /* empty: the app user; "root" only where the runtime allows it */
  uint64_t stop_timeout_ms;       /* between SIGTERM and SIGKILL on cancel or deadline */
  int32_t fds[3]; /* the task's 0, 1, 2, borrowed; -1: /dev/null for 0, the sinks for 1 and 2 */
  uint32_t reserved;
  const davit_sink* out; /* may be NULL: discarded */
  const davit_sink* err; /* may be NULL: to out */
} davit_task;

#ifdef __cplusplus
}
#endif
#endif
