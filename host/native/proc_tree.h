/* Who descends from whom, read from /proc. */
#ifndef DAVIT_NATIVE_PROC_TREE_H
#define DAVIT_NATIVE_PROC_TREE_H

#include <stdint.h>
#include <sys/types.h>

/* Sends `number` to every descendant of this process but `spare` (0: none) and its descendants. Returns how
 * many there were (0: none left). `number` 0 only counts. */
int davit_signal_descendants(int number, pid_t spare);

/* The same for every process whose session is `session`. */
int davit_signal_session(int number, pid_t session);

/* Start time of a process in ticks since boot; 0 if there is none (or only a zombie). */
uint64_t davit_start_of(pid_t pid);

/* 1 if there is a process (or zombie) with this pid that began at another time. */
int davit_pid_is_anothers(pid_t pid, uint64_t start);

#endif
