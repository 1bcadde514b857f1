/* davit.hooks/1: what a plugin does on lifecycle events. Which events, and in which order, is declared in the
 * note.
 *
 * Kinds: a GATE may veto (return DAVIT_DENIED after call->fail with the reason); a FILTER edits a value (the
 * davit_map or the tree that its payload names); a STEP changes the world in three parts; a NOTICE tells what
 * has happened, and its failure is logged and changes nothing. An unknown event is answered DAVIT_OK.
 *
 * app.destroy comes when the app's instances and routes are gone for good and its name is not free yet: what
 * a plugin keeps of the app goes then. It comes again if davit dies before the app is gone.
 */
#ifndef DAVIT_HOOKS_H
#define DAVIT_HOOKS_H

#include "davit/plugin.h"
#include "davit/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DAVIT_HOOKS_ID "davit.hooks/1"

#define DAVIT_EVENT_GATE 1u
#define DAVIT_EVENT_FILTER 2u
#define DAVIT_EVENT_STEP 3u
#define DAVIT_EVENT_NOTICE 4u

/* OPEN. `payload` is the struct named beside the event's id below, or NULL. */
typedef struct davit_event {
  uint32_t struct_size;
  uint32_t kind; /* DAVIT_EVENT_* */
  davit_str id;
  const void* payload;
  davit_kvs facts; /* read-only extras for logs and scripts; keys may be added at any time */
} davit_event;

/* id                 kind    payload */
#define DAVIT_EV_AUTHORIZE "auth.authorize"          /* gate    davit_ev_auth */
#define DAVIT_EV_APP_CREATE "app.create"             /* step    davit_ev_app */
#define DAVIT_EV_APP_DESTROY "app.destroy"           /* notice  davit_ev_app, may come twice */
#define DAVIT_EV_APP_COPY "app.copy"                 /* step    davit_ev_app */
#define DAVIT_EV_CONFIG_CHANGE "config.change"       /* gate    davit_ev_config */
#define DAVIT_EV_CONFIG_CHANGED "config.changed"     /* notice  davit_ev_config */
#define DAVIT_EV_PROPERTY_CHANGE "property.change"   /* gate    davit_ev_property, before it is stored */
#define DAVIT_EV_PROPERTY_CHANGED "property.changed" /* notice davit_ev_property */
#define DAVIT_EV_ENV_RESOLVE "env.resolve"           /* filter  davit_ev_env */
#define DAVIT_EV_SOURCE_RECEIVE "source.receive"     /* gate    davit_ev_source */
#define DAVIT_EV_SOURCE_PREPARE "source.prepare"     /* filter  davit_ev_source */
#define DAVIT_EV_BUILD_PLAN "build.plan"             /* filter  davit_ev_build */
#define DAVIT_EV_BUILD_FINISHED "build.finished"     /* notice  davit_ev_build */
#define DAVIT_EV_RELEASE_ASSEMBLE "release.assemble" /* step   davit_ev_release */
#define DAVIT_EV_RELEASE_COMMAND "release.command"   /* step    davit_ev_release */
#define DAVIT_EV_DEPLOY_BEGIN "deploy.begin"         /* gate    davit_ev_deploy */
#define DAVIT_EV_PROCESS_PLAN "process.plan"         /* filter  davit_ev_process */
#define DAVIT_EV_PROCESS_START "process.start"       /* step    davit_ev_process */
#define DAVIT_EV_PROCESS_CHECK "process.check"       /* gate    davit_ev_process */
#define DAVIT_EV_ROUTE_PLAN "route.plan"             /* filter  davit_ev_route */
#define DAVIT_EV_ROUTE_VALIDATE "route.validate"     /* gate    davit_ev_route */
#define DAVIT_EV_ROUTE_SWITCH "route.switch"         /* step    davit_ev_route */
#define DAVIT_EV_PROCESS_DRAIN "process.drain"       /* notice  davit_ev_process */
#define DAVIT_EV_PROCESS_STOP "process.stop"         /* notice  davit_ev_process */
#define DAVIT_EV_DEPLOY_FINISHED "deploy.finished"   /* notice  davit_ev_deploy */
#define DAVIT_EV_SERVICE_CHANGE "service.change"     /* step    davit_ev_service */
#define DAVIT_EV_SYSTEM_START "system.start"         /* step    NULL */
#define DAVIT_EV_SYSTEM_COLLECT "system.collect"     /* filter  davit_ev_collect */

/* All payloads are OPEN. */
typedef struct davit_ev_auth {
  uint32_t struct_size;
  uint32_t reserved;
  davit_str actor;
  davit_str command; /* "config:set", "git-receive-pack", ... */
  davit_str app;     /* empty: the command names none. It is asked for once with each that it names */
} davit_ev_auth;

typedef struct davit_ev_app {
  uint32_t struct_size;
  uint32_t reserved;
  davit_str app;
  davit_str source_app; /* app.copy: where it comes from */
  uint32_t is_rename;   /* app.copy: the source goes away */
  uint32_t reserved2;
} davit_ev_app;

typedef struct davit_ev_config {
  uint32_t struct_size;
  uint32_t is_global;
  davit_str app;
  davit_kvs set;    /* secret values */
  davit_strs unset; /* keys */
} davit_ev_config;

typedef struct davit_ev_property {
  uint32_t struct_size;
  uint32_t is_set; /* 0: unset */
  davit_str app;   /* empty: global */
  davit_str group;
  davit_str key;
  davit_str value; /* property.change: what it is to be; empty in property.changed and when it is unset */
} davit_ev_property;

typedef struct davit_ev_env {
  uint32_t struct_size;
  uint32_t reserved;
  davit_str app;
  davit_str phase;        /* "build", "release" or "run" */
  davit_str process_type; /* for run; else empty */
  davit_map env;          /* what the process will see; edit it */
  /* Values that the output of a build must not show: add them, under any keys. The host shows *** instead, in
   * every builder's output, also where a value is cut by writes; of a value of several lines each line
   * counts, and texts of less than 6 bytes are left alone. Functions are NULL in phases other than "build".
   */
  davit_map masked;
} davit_ev_env;

typedef struct davit_ev_source {
  uint32_t struct_size;
  uint32_t reserved;
  davit_str app;
  davit_str dir; /* the tree: read it in receive, edit it in prepare */
  davit_str revision;
  davit_str ref; /* "refs/heads/main"; empty for an archive */
} davit_ev_source;

typedef struct davit_ev_build {
  uint32_t struct_size;
  int32_t status; /* build.finished: a davit_status */
  davit_str app;
  davit_str dir;
  davit_str builder; /* plugin id */
  davit_map options; /* build.plan: builder, stack; editable */
} davit_ev_build;

typedef struct davit_ev_release {
  uint32_t struct_size;
  uint32_t version; /* the N of vN */
  davit_str app;
  const davit_artifact* artifact;
  davit_str description;
} davit_ev_release;

typedef struct davit_ev_deploy {
  uint32_t struct_size;
  int32_t status; /* deploy.finished: a davit_status */
  davit_str app;
  davit_str kind;    /* push, rebuild, restart, config, scale, rollback, ... */
  davit_str state;   /* deploy.finished: done, failed, undone, cancelled */
  davit_str message; /* deploy.finished: the error, if there was one */
  uint32_t version;  /* the release that it makes live; 0: none yet */
  uint32_t reserved;
} davit_ev_deploy;

typedef struct davit_ev_process {
  uint32_t struct_size;
  uint32_t count;
  davit_str app;
  davit_str revision;
  davit_str process_type;
  davit_map plan; /* process.plan: count, stop-timeout-ms, memory-bytes, cpu-millis, user, ...; editable */
} davit_ev_process;

typedef struct davit_ev_route {
  uint32_t struct_size;
  uint32_t reserved;
  davit_str app;
  davit_str revision;
  davit_strs hosts;
  davit_list endpoints; /* of davit_endpoint */
  davit_map plan;       /* route.plan: hosts, as one text separated by blanks; editable */
} davit_ev_route;

typedef struct davit_ev_service {
  uint32_t struct_size;
  uint32_t reserved;
  davit_str kind;
  davit_str service;
  davit_str change; /* create, destroy, link, unlink, promote, ... */
  davit_str app;    /* for links */
} davit_ev_service;

typedef struct davit_ev_collect {
  uint32_t struct_size;
  uint32_t dry_run;
  davit_map needed; /* key: "slug/APP/DIGEST" or "PLUGIN/ANYTHING", value: who needs it */
  /* What a plugin removes of its own, said by it: key "PLUGIN/WHAT", value "BYTES WHY". With dry_run it only
   * says so. */
  davit_map garbage;
  /* From when `needed` is. What was made since may be of an app that was made since: it is no garbage. */
  int64_t listed_unix_ms;
} davit_ev_collect;

/* OPEN table. Functions for kinds that a plugin has no hook of may be NULL. */
typedef struct davit_hooks {
  uint32_t struct_size;
  uint32_t reserved;
  /* Gates, filters and notices. [call] */
  davit_status (*handle)(davit_plugin* plugin, const davit_call* call, const davit_event* event);
  /* Steps. prepare has no effect and may leave a token of at most 64 KiB; apply acts; undo works on what
   * never, half or fully happened, in a fresh process, twice. [call] */
  davit_status (*prepare)(davit_plugin* plugin, const davit_call* call, const davit_event* event,
                          const davit_sink* token);
  davit_status (*apply)(davit_plugin* plugin, const davit_call* call, const davit_event* event,
                        davit_str token);
  davit_status (*undo)(davit_plugin* plugin, const davit_call* call, const davit_event* event,
                       davit_str token);
} davit_hooks;

#ifdef __cplusplus
}
#endif
#endif
