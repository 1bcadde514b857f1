/* davit-unit: the `run` and the `finish` of every unit of a home's s6 tree (both names are symlinks to it).
 *
 * run:    takes the unit's lock (an older copy may still be stopping), clears what a killed copy left, waits
 * out the backoff, starts the logger and the program, hands signals on, stops everything when told, and
 * leaves as the program did. finish: notes an end that run could not note itself, and tells s6 when not to
 * start it again. It is not a shell and knows no app: all it does is in the spec file beside it. */
#include <stdio.h>
#include <string.h>

#include "native/unit.h"

int main(int argc, char** argv) {
  const char* slash = strrchr(argv[0], '/');
  const char* name = slash != NULL ? slash + 1 : argv[0];
  if (strcmp(name, "finish") == 0) return unit_finish(argc > 1 ? argv[1] : "0", argc > 2 ? argv[2] : "0");
  if (strcmp(name, "run") == 0) return unit_run();
  fprintf(stderr, "davit-unit: s6-supervise runs it, by the names run and finish in a unit's folder\n");
  return 64;
}
