/* The entry of a plugin: one exported symbol, davit_plugin_v1, and the descriptor it returns.
 *
 * Life of an instance: create -> start -> (get_interface, calls)* -> stop -> destroy. Calls into one instance
 * are serialised by the host unless DAVIT_PLUGIN_THREADSAFE is set. After stop() has returned, a plugin makes
 * no host call and has no thread left. Forbidden to plugins: signal handlers, chdir, umask, setlocale,
 * setenv, exit, fork without exec, and anything at load time (no work in constructors).
 *
 * Metadata (commands, hooks, settings, properties) is not here but in the ELF note; see davit/note.h.
 */
#ifndef DAVIT_PLUGIN_H
#define DAVIT_PLUGIN_H

#include "davit/abi.h"
#include "davit/call.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct davit_plugin davit_plugin; /* a plugin's own instance; the host only passes it back */

typedef struct davit_host davit_host;
/* OPEN. The host as an instance sees it; one per instance, valid from create() until destroy() returns. */
struct davit_host {
  uint32_t struct_size;
  uint32_t abi_minor; /* of the host; its major is the descriptor's */
  void* host_data;
  davit_str version; /* of davit, e.g. "0.1.0" */
  /* A table such as davit_host_kv for "davit.host.kv/1", or NULL if this host has none. The table lives as
   * long as the host object. Ids listed under `requires` of the note are never NULL. [any] */
  const void* (*get_interface)(const davit_host* host, davit_str id);
};

#define DAVIT_PLUGIN_THREADSAFE 1u /* the host may call this instance from several threads at once */

typedef struct davit_plugin_descriptor davit_plugin_descriptor;
/* OPEN. Constant; must agree with the note. */
struct davit_plugin_descriptor {
  uint32_t struct_size;
  uint32_t abi_major; /* DAVIT_ABI_MAJOR of the headers it was built with */
  uint32_t abi_minor;
  uint32_t flags; /* DAVIT_PLUGIN_* */
  davit_str id;
  davit_str version; /* semantic version */

  /* Makes an instance. No I/O, no threads. [call] */
  davit_status (*create)(const davit_host* host, const davit_call* call, davit_plugin** plugin);
  /* Reads settings, opens what it needs. On failure destroy() follows without stop(). [call] */
  davit_status (*start)(davit_plugin* plugin, const davit_call* call);
  void (*stop)(davit_plugin* plugin, const davit_call* call); /* [call] */
  void (*destroy)(davit_plugin* plugin);                      /* [call] */
  /* A table such as davit_builder for "davit.builder/1", or NULL. Lives as long as the instance. [any] */
  const void* (*get_interface)(davit_plugin* plugin, davit_str id);
};

/* The one exported symbol. No side effects. [pure] */
typedef const davit_plugin_descriptor* (*davit_plugin_entry)(void);
#define DAVIT_PLUGIN_ENTRY_NAME "davit_plugin_v1"

#if defined(__GNUC__)
#define DAVIT_EXPORT __attribute__((visibility("default")))
#else
#define DAVIT_EXPORT
#endif

DAVIT_EXPORT const davit_plugin_descriptor* davit_plugin_v1(void);

#ifdef __cplusplus
}
#endif
#endif
