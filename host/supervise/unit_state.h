/* The state file of a unit: written by davit-unit (C, host/native), read by the Supervisor (C++). One struct,
 * in one pwrite. Not s6's own status, which knows davit-unit but not the program under it. */
#ifndef DAVIT_SUPERVISE_UNIT_STATE_H
#define DAVIT_SUPERVISE_UNIT_STATE_H

#include <stdint.h>

#define DAVIT_UNIT_STATE_MAGIC 0xda517057u

enum { DAVIT_UNIT_DOWN = 0, DAVIT_UNIT_WAITING = 1, DAVIT_UNIT_UP = 2, DAVIT_UNIT_STOPPING = 3 };

/* seq_begin == seq_end, or it was read while being written. Times are Unix ms unless they say so. */
struct davit_unit_state {
  uint32_t magic;
  uint32_t bytes;
  uint64_t seq_begin;
  int32_t phase;
  int32_t pid;      /* of the program; in a sandbox: of its davit-init; 0: none */
  int32_t session;  /* pid of our direct child, which leads a session of its own */
  int32_t unit_pid; /* of davit-unit */
  uint64_t
      pid_start; /* start time of `session` in ticks since boot: a pid alone may be someone else's by now */
  uint64_t program_start; /* the same of `pid` */
  int64_t since_ms;
  int64_t started_mono_ms;
  uint64_t starts;
  uint64_t exits;
  uint32_t quick_failures;
  int32_t limited;
  int32_t has_exit;
  int32_t last_code; /* -1 with a signal */
  int32_t last_signal;
  int32_t ended_for_good;
  char boot_id[40];
  uint64_t seq_end;
};

#endif
