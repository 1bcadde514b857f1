/* davit.builder/1: turns a source tree into an artifact. Provided by plugins such as buildstep.
 * The source is a private copy that the builder may change. It runs others' code only through
 * davit.host.task/1. */
#ifndef DAVIT_BUILDER_H
#define DAVIT_BUILDER_H

#include "davit/plugin.h"
#include "davit/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DAVIT_BUILDER_ID "davit.builder/1"

/* OPEN. All paths are absolute, on the host. */
typedef struct davit_build {
  uint32_t struct_size;
  uint32_t reserved;
  davit_str app;
  davit_str source_dir;   /* the tree to build */
  davit_str cache_dir;    /* kept per app between builds, also after a failed one */
  davit_str work_dir;     /* empty scratch; an artifact file is left here; the host removes the rest */
  davit_str revision;     /* the commit, 40 hex digits; may be empty */
  int64_t source_unix_ms; /* of the newest commit that changed a file: what is packed carries it, so that
                             equal trees give equal slugs */
  davit_str stack;        /* chosen stack, or empty for the builder's default */
  davit_str request_id;   /* the deployment's id */
  davit_kvs env; /* what env.resolve gave for the build: the app's config and what filters added. Secret */
} davit_build;

/* OPEN. How a builder reports its result; functions may be called in any order. [call] each. */
typedef struct davit_build_result {
  uint32_t struct_size;
  uint32_t reserved;
  void* result_data;
  davit_status (*artifact)(void* result_data,
                           const davit_artifact* artifact); /* a slug: a file in work_dir, no digest */
  davit_status (*process_type)(void* result_data, davit_str type, davit_str command); /* Procfile order */
  /* What stands before the argv of every process of a slug: instance argv = launcher + argv. */
  davit_status (*launcher)(void* result_data, davit_strs argv_prefix);
  davit_status (*config_default)(void* result_data, davit_str key,
                                 davit_str value);             /* used where config has none */
  davit_status (*describe)(void* result_data, davit_str text); /* one line, e.g. "heroku/nodejs, procfile" */
} davit_build_result;

/* OPEN table. */
typedef struct davit_builder {
  uint32_t struct_size;
  uint32_t reserved;
  /* 0: not mine; 100: made for exactly this. `why` gets one line. Looks only, runs nothing. [call] */
  davit_status (*detect)(davit_plugin* plugin, const davit_call* call, const davit_build* build,
                         int32_t* score, const davit_sink* why);
  /* Builds; streams the tools' output to call->output(DAVIT_STREAM_DETAIL). A build that fails by the user's
   * fault is DAVIT_FAILED. On failure nothing remains but the cache. [call] */
  davit_status (*build)(davit_plugin* plugin, const davit_call* call, const davit_build* build,
                        const davit_build_result* result);
} davit_builder;

#ifdef __cplusplus
}
#endif
#endif
