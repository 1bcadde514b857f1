/* The call object: what every invocation of a plugin carries. The host makes it and owns it; it is valid
 * until the invoked function returns. A plugin never writes to fd 1 or 2 itself: its words go through output,
 * progress and log.
 */
#ifndef DAVIT_CALL_H
#define DAVIT_CALL_H

#include "davit/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Streams of davit_call.output. */
#define DAVIT_STREAM_RESULT 1u  /* what a command was asked for; stdout of the command, unchanged */
#define DAVIT_STREAM_DETAIL 2u  /* the output of tools at work; shown indented by 7 spaces, line by line */
#define DAVIT_STREAM_STEP 3u    /* "-----> text": one line, a step that begins */
#define DAVIT_STREAM_HEADER 4u  /* "=====> text": one line; vanishes with --quiet */
#define DAVIT_STREAM_WARNING 5u /* " !     text" on stderr: one line */

/* Levels of log. */
#define DAVIT_LOG_DEBUG 0
#define DAVIT_LOG_INFO 1
#define DAVIT_LOG_WARN 2
#define DAVIT_LOG_ERROR 3

/* Flags of davit_call.flags. Unknown flags are ignored. */
#define DAVIT_CALL_QUIET 1u /* the user asked for --quiet, or there is no terminal */
#define DAVIT_CALL_FORCE 2u /* the user gave --force: do not ask */
#define DAVIT_CALL_TRACE 4u /* the user gave --trace */
#define DAVIT_CALL_TTY 8u   /* the result stream ends on a terminal */

typedef struct davit_call davit_call;

/* OPEN. */
struct davit_call {
  uint32_t struct_size;
  uint32_t flags;
  void* host_data;          /* the host's own */
  davit_str actor;          /* who asked, e.g. "local:ada" or "ssh:ada-laptop" */
  davit_str app;            /* the app that this is about, or empty */
  davit_str deployment;     /* the deployment's id, e.g. "d17", or empty */
  int64_t deadline_mono_ms; /* 0: none. Past it, the host may end the process that the plugin runs in */

  /* The error slot. The last call before a failed return counts. slug is a stable word for programs
   * ("port-taken"), message one sentence, hint what to do about it (may be empty). [call] */
  void (*fail)(const davit_call* call, davit_str slug, davit_str message, davit_str hint);
  /* What the slot holds, as set by this plugin or by a host function that failed. [call] */
  void (*get_error)(const davit_call* call, const davit_sink* message);

  /* Bytes for the user; `stream` is a DAVIT_STREAM_*. [call] */
  davit_status (*output)(const davit_call* call, uint32_t stream, davit_str bytes);
  /* A live line: `done` of `total` (0: unknown) in `unit` ("bytes", "steps"). Cheap: the host thins it out.
   * [call] */
  void (*progress)(const davit_call* call, davit_str label, uint64_t done, uint64_t total, davit_str unit);
  /* One line in davit's own log; never a secret. `level` is a DAVIT_LOG_*. [call] */
  void (*log)(const davit_call* call, int32_t level, davit_str message);
  /* Nonzero once somebody wants this to stop; long work asks often. [any] */
  int32_t (*cancelled)(const davit_call* call);
};

#ifdef __cplusplus
}
#endif
#endif
