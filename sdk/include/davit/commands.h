/* davit.commands/1: CLI commands of a plugin. Names, summaries, usage and flags are declared in the note;
 * help, parsing of davit's own flags and the exit code of errors are the host's. */
#ifndef DAVIT_COMMANDS_H
#define DAVIT_COMMANDS_H

#include "davit/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DAVIT_COMMANDS_ID "davit.commands/1"

/* OPEN. */
typedef struct davit_command {
  uint32_t struct_size;
  uint32_t reserved;
  davit_str name;  /* "nginx:show-config" */
  davit_strs args; /* positionals in order, without davit's own flags; --app was put first */
  davit_kvs flags; /* declared flags as given: "format" -> "json"; a switch has the value "" */
  int32_t fds[3];  /* stdin, stdout, stderr of the user, borrowed: for streams (dumps, terminals) only */
  uint32_t reserved2;
} davit_command;

/* OPEN table. */
typedef struct davit_commands {
  uint32_t struct_size;
  uint32_t reserved;
  davit_status (*run)(davit_plugin* plugin, const davit_call* call, const davit_command* command,
                      int32_t* exit_code); /* [call] */
} davit_commands;

/* davit.doctor/1: what a plugin knows about its own health, for `davit doctor` and `plugin:doctor`. */
#define DAVIT_DOCTOR_ID "davit.doctor/1"

#define DAVIT_FINDING_OK 0u
#define DAVIT_FINDING_WARNING 1u
#define DAVIT_FINDING_PROBLEM 2u

/* FROZEN. */
typedef struct davit_finding_sink {
  void* sink_data;
  /* what: "nginx answers on port 8080"; hint: what to do, for warnings and problems. [call] */
  davit_status (*put)(void* sink_data, uint32_t level, davit_str what, davit_str hint);
} davit_finding_sink;

/* OPEN table. */
typedef struct davit_doctor {
  uint32_t struct_size;
  uint32_t reserved;
  davit_status (*examine)(davit_plugin* plugin, const davit_call* call,
                          const davit_finding_sink* sink); /* [call] */
} davit_doctor;

#ifdef __cplusplus
}
#endif
#endif
