/* Written by sdk/abi/record; do not edit. A probe library, so that abidiff sees every struct. */
#include "davit/abi.h"
#include "davit/types.h"
#include "davit/call.h"
#include "davit/plugin.h"
#include "davit/note.h"
#include "davit/commands.h"
#include "davit/hooks.h"
#include "davit/builder.h"
#include "davit/runtime.h"
#include "davit/runtime_images.h"
#include "davit/proxy.h"
#include "davit/service.h"
#include "davit/host.h"
void probe_davit_str(const struct davit_str* value);
void probe_davit_str(const struct davit_str* value) { (void)value; }
void probe_davit_strs(const struct davit_strs* value);
void probe_davit_strs(const struct davit_strs* value) { (void)value; }
void probe_davit_kv(const struct davit_kv* value);
void probe_davit_kv(const struct davit_kv* value) { (void)value; }
void probe_davit_kvs(const struct davit_kvs* value);
void probe_davit_kvs(const struct davit_kvs* value) { (void)value; }
void probe_davit_list(const struct davit_list* value);
void probe_davit_list(const struct davit_list* value) { (void)value; }
void probe_davit_sink(const struct davit_sink* value);
void probe_davit_sink(const struct davit_sink* value) { (void)value; }
void probe_davit_str_sink(const struct davit_str_sink* value);
void probe_davit_str_sink(const struct davit_str_sink* value) { (void)value; }
void probe_davit_kv_sink(const struct davit_kv_sink* value);
void probe_davit_kv_sink(const struct davit_kv_sink* value) { (void)value; }
void probe_davit_lease(const struct davit_lease* value);
void probe_davit_lease(const struct davit_lease* value) { (void)value; }
void probe_davit_map(const struct davit_map* value);
void probe_davit_map(const struct davit_map* value) { (void)value; }
void probe_davit_artifact(const struct davit_artifact* value);
void probe_davit_artifact(const struct davit_artifact* value) { (void)value; }
void probe_davit_mount(const struct davit_mount* value);
void probe_davit_mount(const struct davit_mount* value) { (void)value; }
void probe_davit_limits(const struct davit_limits* value);
void probe_davit_limits(const struct davit_limits* value) { (void)value; }
void probe_davit_endpoint(const struct davit_endpoint* value);
void probe_davit_endpoint(const struct davit_endpoint* value) { (void)value; }
void probe_davit_task(const struct davit_task* value);
void probe_davit_task(const struct davit_task* value) { (void)value; }
void probe_davit_call(const struct davit_call* value);
void probe_davit_call(const struct davit_call* value) { (void)value; }
void probe_davit_host(const struct davit_host* value);
void probe_davit_host(const struct davit_host* value) { (void)value; }
void probe_davit_plugin_descriptor(const struct davit_plugin_descriptor* value);
void probe_davit_plugin_descriptor(const struct davit_plugin_descriptor* value) { (void)value; }
void probe_davit_command(const struct davit_command* value);
void probe_davit_command(const struct davit_command* value) { (void)value; }
void probe_davit_commands(const struct davit_commands* value);
void probe_davit_commands(const struct davit_commands* value) { (void)value; }
void probe_davit_finding_sink(const struct davit_finding_sink* value);
void probe_davit_finding_sink(const struct davit_finding_sink* value) { (void)value; }
void probe_davit_doctor(const struct davit_doctor* value);
void probe_davit_doctor(const struct davit_doctor* value) { (void)value; }
void probe_davit_event(const struct davit_event* value);
void probe_davit_event(const struct davit_event* value) { (void)value; }
void probe_davit_ev_auth(const struct davit_ev_auth* value);
void probe_davit_ev_auth(const struct davit_ev_auth* value) { (void)value; }
void probe_davit_ev_app(const struct davit_ev_app* value);
void probe_davit_ev_app(const struct davit_ev_app* value) { (void)value; }
void probe_davit_ev_config(const struct davit_ev_config* value);
void probe_davit_ev_config(const struct davit_ev_config* value) { (void)value; }
void probe_davit_ev_property(const struct davit_ev_property* value);
void probe_davit_ev_property(const struct davit_ev_property* value) { (void)value; }
void probe_davit_ev_env(const struct davit_ev_env* value);
void probe_davit_ev_env(const struct davit_ev_env* value) { (void)value; }
void probe_davit_ev_source(const struct davit_ev_source* value);
void probe_davit_ev_source(const struct davit_ev_source* value) { (void)value; }
void probe_davit_ev_build(const struct davit_ev_build* value);
void probe_davit_ev_build(const struct davit_ev_build* value) { (void)value; }
void probe_davit_ev_release(const struct davit_ev_release* value);
void probe_davit_ev_release(const struct davit_ev_release* value) { (void)value; }
void probe_davit_ev_deploy(const struct davit_ev_deploy* value);
void probe_davit_ev_deploy(const struct davit_ev_deploy* value) { (void)value; }
void probe_davit_ev_process(const struct davit_ev_process* value);
void probe_davit_ev_process(const struct davit_ev_process* value) { (void)value; }
void probe_davit_ev_route(const struct davit_ev_route* value);
void probe_davit_ev_route(const struct davit_ev_route* value) { (void)value; }
void probe_davit_ev_service(const struct davit_ev_service* value);
void probe_davit_ev_service(const struct davit_ev_service* value) { (void)value; }
void probe_davit_ev_collect(const struct davit_ev_collect* value);
void probe_davit_ev_collect(const struct davit_ev_collect* value) { (void)value; }
void probe_davit_hooks(const struct davit_hooks* value);
void probe_davit_hooks(const struct davit_hooks* value) { (void)value; }
void probe_davit_build(const struct davit_build* value);
void probe_davit_build(const struct davit_build* value) { (void)value; }
void probe_davit_build_result(const struct davit_build_result* value);
void probe_davit_build_result(const struct davit_build_result* value) { (void)value; }
void probe_davit_builder(const struct davit_builder* value);
void probe_davit_builder(const struct davit_builder* value) { (void)value; }
void probe_davit_group(const struct davit_group* value);
void probe_davit_group(const struct davit_group* value) { (void)value; }
void probe_davit_selector(const struct davit_selector* value);
void probe_davit_selector(const struct davit_selector* value) { (void)value; }
void probe_davit_instance(const struct davit_instance* value);
void probe_davit_instance(const struct davit_instance* value) { (void)value; }
void probe_davit_instance_sink(const struct davit_instance_sink* value);
void probe_davit_instance_sink(const struct davit_instance_sink* value) { (void)value; }
void probe_davit_log_line(const struct davit_log_line* value);
void probe_davit_log_line(const struct davit_log_line* value) { (void)value; }
void probe_davit_log_sink(const struct davit_log_sink* value);
void probe_davit_log_sink(const struct davit_log_sink* value) { (void)value; }
void probe_davit_log_query(const struct davit_log_query* value);
void probe_davit_log_query(const struct davit_log_query* value) { (void)value; }
void probe_davit_exec(const struct davit_exec* value);
void probe_davit_exec(const struct davit_exec* value) { (void)value; }
void probe_davit_runtime(const struct davit_runtime* value);
void probe_davit_runtime(const struct davit_runtime* value) { (void)value; }
void probe_davit_runtime_images(const struct davit_runtime_images* value);
void probe_davit_runtime_images(const struct davit_runtime_images* value) { (void)value; }
void probe_davit_route(const struct davit_route* value);
void probe_davit_route(const struct davit_route* value) { (void)value; }
void probe_davit_proxy(const struct davit_proxy* value);
void probe_davit_proxy(const struct davit_proxy* value) { (void)value; }
void probe_davit_service(const struct davit_service* value);
void probe_davit_service(const struct davit_service* value) { (void)value; }
void probe_davit_program(const struct davit_program* value);
void probe_davit_program(const struct davit_program* value) { (void)value; }
void probe_davit_service_kind(const struct davit_service_kind* value);
void probe_davit_service_kind(const struct davit_service_kind* value) { (void)value; }
void probe_davit_host_log(const struct davit_host_log* value);
void probe_davit_host_log(const struct davit_host_log* value) { (void)value; }
void probe_davit_host_settings(const struct davit_host_settings* value);
void probe_davit_host_settings(const struct davit_host_settings* value) { (void)value; }
void probe_davit_host_properties(const struct davit_host_properties* value);
void probe_davit_host_properties(const struct davit_host_properties* value) { (void)value; }
void probe_davit_host_kv(const struct davit_host_kv* value);
void probe_davit_host_kv(const struct davit_host_kv* value) { (void)value; }
void probe_davit_host_clock(const struct davit_host_clock* value);
void probe_davit_host_clock(const struct davit_host_clock* value) { (void)value; }
void probe_davit_host_paths(const struct davit_host_paths* value);
void probe_davit_host_paths(const struct davit_host_paths* value) { (void)value; }
void probe_davit_process(const struct davit_process* value);
void probe_davit_process(const struct davit_process* value) { (void)value; }
void probe_davit_host_process(const struct davit_host_process* value);
void probe_davit_host_process(const struct davit_host_process* value) { (void)value; }
void probe_davit_host_task(const struct davit_host_task* value);
void probe_davit_host_task(const struct davit_host_task* value) { (void)value; }
void probe_davit_unit(const struct davit_unit* value);
void probe_davit_unit(const struct davit_unit* value) { (void)value; }
void probe_davit_unit_status(const struct davit_unit_status* value);
void probe_davit_unit_status(const struct davit_unit_status* value) { (void)value; }
void probe_davit_host_supervise(const struct davit_host_supervise* value);
void probe_davit_host_supervise(const struct davit_host_supervise* value) { (void)value; }
void probe_davit_host_ports(const struct davit_host_ports* value);
void probe_davit_host_ports(const struct davit_host_ports* value) { (void)value; }
void probe_davit_host_secrets(const struct davit_host_secrets* value);
void probe_davit_host_secrets(const struct davit_host_secrets* value) { (void)value; }
void probe_davit_host_apps(const struct davit_host_apps* value);
void probe_davit_host_apps(const struct davit_host_apps* value) { (void)value; }
void probe_davit_host_events(const struct davit_host_events* value);
void probe_davit_host_events(const struct davit_host_events* value) { (void)value; }
void probe_davit_host_registry(const struct davit_host_registry* value);
void probe_davit_host_registry(const struct davit_host_registry* value) { (void)value; }
