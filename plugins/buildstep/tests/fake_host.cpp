#include "fake_host.hpp"

#include "davit/task.hpp"

namespace davit::buildstep::testing_support {
namespace {

using sdk::copy;
using sdk::view;

FakeHost& of(const davit_host* host) {
  return *static_cast<FakeHost*>(host->host_data);
}
FakeHost& of(const davit_call* call) {
  return *static_cast<FakeHost*>(call->host_data);
}

template <class Map, class Key>
davit_status give(const Map& map, const Key& key, const davit_sink* sink) {
  const auto found = map.find(key);
  return found == map.end() ? DAVIT_NOT_FOUND : sink->write(sink->sink_data, sdk::str(found->second));
}

davit_status give_all(const sdk::Strings& items, const davit_str_sink* sink) {
  for (const std::string& item : items) sink->put(sink->sink_data, sdk::str(item));
  return DAVIT_OK;
}

davit_status setting_get(const davit_host* h, const davit_call*, davit_str key, const davit_sink* value) {
  return give(of(h).settings, copy(key), value);
}
davit_status setting_items(const davit_host* h, const davit_call*, davit_str key,
                           const davit_str_sink* items) {
  return give_all(of(h).setting_items[copy(key)], items);
}

davit_status property_get_own(const davit_host* h, const davit_call*, davit_str app, davit_str, davit_str key,
                              const davit_sink* value) {
  return give(of(h).properties, FakeHost::Key{copy(app), copy(key)}, value);
}
davit_status property_get(const davit_host* h, const davit_call* c, davit_str app, davit_str group,
                          davit_str key, const davit_sink* value) {
  const davit_status own = property_get_own(h, c, app, group, key, value);
  return own == DAVIT_OK ? own : property_get_own(h, c, davit_str{nullptr, 0}, group, key, value);
}
davit_status property_set(const davit_host* h, const davit_call*, davit_str app, davit_str, davit_str key,
                          davit_str value) {
  of(h).properties[{copy(app), copy(key)}] = copy(value);
  return DAVIT_OK;
}
davit_status property_unset(const davit_host* h, const davit_call*, davit_str app, davit_str, davit_str key) {
  of(h).properties.erase({copy(app), copy(key)});
  return DAVIT_OK;
}
davit_status list_each(const davit_host* h, const davit_call*, davit_str app, davit_str, davit_str key,
                       const davit_str_sink* items) {
  return give_all(of(h).lists[{copy(app), copy(key)}], items);
}
davit_status list_set(const davit_host* h, const davit_call*, davit_str app, davit_str, davit_str key,
                      davit_strs items) {
  of(h).lists[{copy(app), copy(key)}] = copy(items);
  return DAVIT_OK;
}

davit_status kv_get(const davit_host* h, const davit_call*, davit_str scope, davit_str key,
                    const davit_sink* value) {
  return give(of(h).kv, FakeHost::Key{copy(scope), copy(key)}, value);
}
davit_status kv_set(const davit_host* h, const davit_call*, davit_str scope, davit_str key, davit_str value) {
  of(h).kv[{copy(scope), copy(key)}] = copy(value);
  return DAVIT_OK;
}
davit_status kv_erase(const davit_host* h, const davit_call*, davit_str scope, davit_str key) {
  of(h).kv.erase({copy(scope), copy(key)});
  return DAVIT_OK;
}

davit_status secret_random(const davit_host*, const davit_call*, std::uint32_t characters,
                           const davit_sink* secret) {
  static int made = 0;
  const std::string text = std::string(characters - 1, 'r') + static_cast<char>('a' + made++);
  return secret->write(secret->sink_data, sdk::str(text));
}

davit_status path_get(const davit_host* h, const davit_call*, davit_str which, const davit_sink* path) {
  return give(of(h).paths, copy(which), path);
}

davit_status process_run(const davit_host* h, const davit_call*, const davit_process* process,
                         std::int32_t* code) {
  Program program;
  program.argv = copy(process->argv);
  program.env = copy(process->env);
  program.input = copy(process->input);
  program.out = sdk::detail::output_to(process->out);
  program.err = sdk::detail::output_to(process->err);
  *code = of(h).programs.run(program);
  return DAVIT_OK;
}
davit_status task_run(const davit_host* h, const davit_call*, const davit_task* task, std::int32_t* code) {
  *code = of(h).sandbox.run(copy(*task));
  return DAVIT_OK;
}

davit_status apps_each(const davit_host* h, const davit_call*, const davit_str_sink* names) {
  return give_all(of(h).apps, names);
}
davit_status apps_report(const davit_host* h, const davit_call* call, davit_str app, const davit_kv_sink*) {
  for (const std::string& known : of(h).apps) {
    if (known == view(app)) return DAVIT_OK;
  }
  const std::string message = "App " + copy(app) + " does not exist";
  call->fail(call, sdk::str("app-not-found"), sdk::str(message), davit_str{nullptr, 0});
  return DAVIT_NOT_FOUND;
}

const davit_host_settings kSettings{sizeof kSettings, 0, setting_get, setting_items};
const davit_host_properties kProperties{
    sizeof kProperties, 0,         property_get, property_get_own, property_set,
    property_unset,     list_each, list_set,     nullptr};
const davit_host_kv kKv{sizeof kKv, 0, kv_get, kv_set, kv_erase, nullptr, nullptr};
const davit_host_paths kPaths{sizeof kPaths, 0, path_get};
const davit_host_process kProcess{sizeof kProcess, 0, process_run};
const davit_host_task kTask{sizeof kTask, 0, task_run};
const davit_host_secrets kSecrets{sizeof kSecrets, 0, secret_random};
const davit_host_apps kApps{sizeof kApps, 0, apps_each, apps_report, nullptr, nullptr, nullptr};

const void* find_table(const davit_host*, davit_str id) {
  const std::map<std::string_view, const void*> tables{{DAVIT_HOST_SETTINGS_ID, &kSettings},
                                                       {DAVIT_HOST_PROPERTIES_ID, &kProperties},
                                                       {DAVIT_HOST_KV_ID, &kKv},
                                                       {DAVIT_HOST_PATHS_ID, &kPaths},
                                                       {DAVIT_HOST_PROCESS_ID, &kProcess},
                                                       {DAVIT_HOST_TASK_ID, &kTask},
                                                       {DAVIT_HOST_SECRETS_ID, &kSecrets},
                                                       {DAVIT_HOST_APPS_ID, &kApps}};
  const auto found = tables.find(view(id));
  return found == tables.end() ? nullptr : found->second;
}

void call_fail(const davit_call* call, davit_str slug, davit_str message, davit_str) {
  of(call).slug = copy(slug);
  of(call).message = copy(message);
}
void call_get_error(const davit_call* call, const davit_sink* message) {
  message->write(message->sink_data, sdk::str(of(call).message));
}
davit_status call_output(const davit_call* call, std::uint32_t stream, davit_str bytes) {
  FakeHost& host = of(call);
  if (stream == DAVIT_STREAM_RESULT) {
    host.result.append(view(bytes));
    return DAVIT_OK;
  }
  const char* arrow = stream == DAVIT_STREAM_STEP      ? "-----> "
                      : stream == DAVIT_STREAM_HEADER  ? "=====> "
                      : stream == DAVIT_STREAM_WARNING ? " !     "
                                                       : "       ";
  host.steps.append(arrow).append(view(bytes));
  if (!host.steps.ends_with('\n')) host.steps += '\n';
  return DAVIT_OK;
}

}  // namespace

FakeHost::FakeHost() {
  host_.struct_size = sizeof host_;
  host_.host_data = this;
  host_.version = sdk::str("0.1.0");
  host_.get_interface = find_table;
}

const davit_call* FakeHost::call(const std::string& actor) {
  actor_ = actor;
  result.clear();
  steps.clear();
  message.clear();
  slug.clear();
  call_ = {};
  call_.struct_size = sizeof call_;
  call_.host_data = this;
  call_.actor = sdk::str(actor_);
  call_.fail = call_fail;
  call_.get_error = call_get_error;
  call_.output = call_output;
  call_.progress = [](const davit_call*, davit_str, std::uint64_t, std::uint64_t, davit_str) {};
  call_.log = [](const davit_call*, std::int32_t, davit_str) {};
  call_.cancelled = [](const davit_call*) -> std::int32_t { return 0; };
  return &call_;
}

}  // namespace davit::buildstep::testing_support
