/* The state file, and what an end of the program means for it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "native/unit.h"

static int64_t clock_ms(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t unit_now_ms(void) {
  return clock_ms(CLOCK_REALTIME);
}
int64_t unit_now_mono_ms(void) {
  return clock_ms(CLOCK_MONOTONIC);
}

static void read_boot_id(char* target, size_t size) {
  memset(target, 0, size);
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t count = read(fd, target, size - 1);
  close(fd);
  if (count > 0 && target[count - 1] == '\n') target[count - 1] = '\0';
}

void unit_state_load(struct davit_unit_state* state) {
  int fd = open("state", O_RDONLY | O_CLOEXEC);
  ssize_t count = fd >= 0 ? pread(fd, state, sizeof *state, 0) : -1;
  if (fd >= 0) close(fd);
  if (count == (ssize_t)sizeof *state && state->magic == DAVIT_UNIT_STATE_MAGIC &&
      state->bytes == sizeof *state && state->seq_begin == state->seq_end) {
    return;
  }
  memset(state, 0, sizeof *state);
  state->magic = DAVIT_UNIT_STATE_MAGIC;
  state->bytes = sizeof *state;
  state->since_ms = unit_now_ms();
}

void unit_state_save(struct davit_unit_state* state) {
  ++state->seq_begin;
  state->seq_end = state->seq_begin;
  read_boot_id(state->boot_id, sizeof state->boot_id);
  int fd = open("state", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || pwrite(fd, state, sizeof *state, 0) != (ssize_t)sizeof *state) {
    fprintf(stderr, "davit-unit: cannot write the unit's state\n"); /* goes on: the program matters more than
                                                                       its record */
  }
  if (fd >= 0) close(fd);
}

int unit_state_is_of_this_boot(const struct davit_unit_state* state) {
  char now[sizeof state->boot_id];
  read_boot_id(now, sizeof now);
  return now[0] != '\0' && strncmp(now, state->boot_id, sizeof now) == 0;
}

void unit_state_ended(struct davit_unit_state* state, const struct unit_spec* spec, int code,
                      int signal_number, int asked) {
  int64_t ran_ms = unit_now_mono_ms() - state->started_mono_ms;
  ++state->exits;
  state->phase = DAVIT_UNIT_DOWN;
  state->pid = 0;
  state->session = 0;
  state->since_ms = unit_now_ms();
  state->has_exit = 1;
  state->last_signal = signal_number;
  state->last_code = signal_number != 0 ? -1 : code;
  state->quick_failures = asked || ran_ms < 0 || ran_ms >= spec->quick_ms ? 0 : state->quick_failures + 1;
  int last = 0;
  if (!asked && spec->restart == DAVIT_RESTART_NO) last = 1;
  if (!asked && spec->restart == DAVIT_RESTART_ON_FAILURE) {
    last = (signal_number == 0 && code == 0) ||
           (spec->max_failures != 0 && state->quick_failures >= spec->max_failures);
  }
  state->ended_for_good = last;
  if (last) { /* s6 must not start it again, neither now nor with the next tree */
    int fd = open("down", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
  }
}
