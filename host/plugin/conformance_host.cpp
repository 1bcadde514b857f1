// The recording host: calls, misuse, and the tables of what it keeps (settings, properties, key-values,
// paths, clock).
#include "plugin/conformance_host.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/text.hpp"

namespace davit {
namespace {

using Call = const davit_call*;
using Host = const davit_host*;

davit_status answer(const davit_sink* sink, std::string_view text) {
  return sink->write(sink->sink_data, conformance_str(text));
}

std::string key_of(std::initializer_list<davit_str> parts) {
  std::string key;
  for (const davit_str& part : parts) key.append(conformance_view(part)).push_back('\0');
  return key;
}

davit_status settings_get(Host host, Call call, davit_str key, const davit_sink* value) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "settings.get");
  const SettingSpec* spec = self.note.setting(conformance_view(key));
  if (spec == nullptr) {
    self.complain("asks for setting \"" + std::string(conformance_view(key)) +
                  "\", which its note does not declare");
    return self.refuse(DAVIT_NOT_FOUND, "no such setting");
  }
  if (!spec->default_value) return self.refuse(DAVIT_NOT_FOUND, "the setting has no value");
  return answer(value, *spec->default_value);
}

davit_status settings_each(Host host, Call call, davit_str key, const davit_str_sink* items) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "settings.each_item");
  const SettingSpec* spec = self.note.setting(conformance_view(key));
  if (spec == nullptr) return self.refuse(DAVIT_NOT_FOUND, "no such setting");
  for (const std::string& item : spec->default_items) {
    if (const davit_status status = items->put(items->sink_data, conformance_str(item))) return status;
  }
  return DAVIT_OK;
}

davit_status property_get(Host host, Call call, davit_str app, davit_str group, davit_str key,
                          const davit_sink* value) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "properties.get");
  const auto found = self.properties.find(key_of({app, group, key}));
  if (found != self.properties.end()) return answer(value, found->second);
  for (const PropertySpec& spec : self.note.properties) {
    if (spec.group == conformance_view(group) && spec.key == conformance_view(key) && spec.default_value) {
      return answer(value, *spec.default_value);
    }
  }
  return self.refuse(DAVIT_NOT_FOUND, "the property has no value");
}

davit_status property_get_own(Host host, Call call, davit_str app, davit_str group, davit_str key,
                              const davit_sink* value) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "properties.get_own");
  const auto found = self.properties.find(key_of({app, group, key}));
  if (found == self.properties.end()) return self.refuse(DAVIT_NOT_FOUND, "the property has no value");
  return answer(value, found->second);
}

davit_status property_set(Host host, Call call, davit_str app, davit_str group, davit_str key,
                          davit_str value) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "properties.set");
  self.properties[key_of({app, group, key})] = conformance_view(value);
  return DAVIT_OK;
}

davit_status property_unset(Host host, Call call, davit_str app, davit_str group, davit_str key) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "properties.unset");
  self.properties.erase(key_of({app, group, key}));
  return DAVIT_OK;
}

davit_status property_each(Host host, Call call, davit_str app, davit_str group, davit_str key,
                           const davit_str_sink* items) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "properties.each_in_list");
  for (const std::string& item : self.lists[key_of({app, group, key})]) {
    if (const davit_status status = items->put(items->sink_data, conformance_str(item))) return status;
  }
  return DAVIT_OK;
}

davit_status property_set_list(Host host, Call call, davit_str app, davit_str group, davit_str key,
                               davit_strs items) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "properties.set_list");
  std::vector<std::string>& list = self.lists[key_of({app, group, key})];
  list.clear();
  for (std::uint64_t i = 0; i < items.size; ++i) list.emplace_back(conformance_view(items.data[i]));
  return DAVIT_OK;
}

davit_status property_each_app(Host host, Call call, davit_str, const davit_str_sink*) {
  ConformanceHost::of(host).use(call, "properties.each_app_with");
  return DAVIT_OK;
}

std::pair<std::string, std::string> pair_of(davit_str scope, davit_str key) {
  return {std::string(conformance_view(scope)), std::string(conformance_view(key))};
}

davit_status kv_get(Host host, Call call, davit_str scope, davit_str key, const davit_sink* value) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "kv.get");
  const auto found = self.key_values.find(pair_of(scope, key));
  if (found == self.key_values.end()) return self.refuse(DAVIT_NOT_FOUND, "no such key");
  return answer(value, found->second);
}

davit_status kv_set(Host host, Call call, davit_str scope, davit_str key, davit_str value) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "kv.set");
  self.key_values[pair_of(scope, key)] = conformance_view(value);
  return DAVIT_OK;
}

davit_status kv_erase(Host host, Call call, davit_str scope, davit_str key) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "kv.erase");
  self.key_values.erase(pair_of(scope, key));
  return DAVIT_OK;
}

davit_status kv_each(Host host, Call call, davit_str scope, davit_str prefix, const davit_kv_sink* sink) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "kv.each");
  for (const auto& [key, value] : self.key_values) {
    if (key.first != conformance_view(scope) || key.second.rfind(conformance_view(prefix), 0) != 0) continue;
    const davit_status status =
        sink->put(sink->sink_data, conformance_str(key.second), conformance_str(value));
    if (status != DAVIT_OK) return status;
  }
  return DAVIT_OK;
}

davit_status kv_compare_and_set(Host host, Call call, davit_str scope, davit_str key,
                                const davit_str* expected, davit_str value) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "kv.compare_and_set");
  const auto found = self.key_values.find(pair_of(scope, key));
  const bool present = found != self.key_values.end();
  if (present != (expected != nullptr) || (present && found->second != conformance_view(*expected))) {
    return self.refuse(DAVIT_CONFLICT, "the value is another one");
  }
  self.key_values[pair_of(scope, key)] = conformance_view(value);
  return DAVIT_OK;
}

template <class Clock>
std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
}

davit_status paths_get(Host host, Call call, davit_str which, const davit_sink* path) {
  ConformanceHost& self = ConformanceHost::of(host);
  self.use(call, "paths.get");
  static constexpr std::array kKnown = {"state", "run", "logs", "share", "libexec", "home", "app-logs"};
  const std::string_view name = conformance_view(which);
  if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
    return self.refuse(DAVIT_NOT_FOUND, "no such path: " + std::string(name));
  }
  const std::string full = self.scratch + "/" + std::string(name);
  ::mkdir(full.c_str(), 0700);  // present: fine
  return answer(path, full);
}

const davit_host_log kLog{sizeof(davit_host_log), 0, [](Host host, std::int32_t, davit_str) {
                            ConformanceHost::of(host).use_anywhere("log");
                          }};
const davit_host_settings kSettings{sizeof(davit_host_settings), 0, &settings_get, &settings_each};
const davit_host_properties kProperties{sizeof(davit_host_properties),
                                        0,
                                        &property_get,
                                        &property_get_own,
                                        &property_set,
                                        &property_unset,
                                        &property_each,
                                        &property_set_list,
                                        &property_each_app};
const davit_host_kv kKv{sizeof(davit_host_kv), 0, &kv_get, &kv_set, &kv_erase, &kv_each, &kv_compare_and_set};
const davit_host_clock kClock{sizeof(davit_host_clock), 0,
                              [](Host host) {
                                ConformanceHost::of(host).use_anywhere("clock");
                                return now_ms<std::chrono::system_clock>();
                              },
                              [](Host host) {
                                ConformanceHost::of(host).use_anywhere("clock");
                                return now_ms<std::chrono::steady_clock>();
                              }};
const davit_host_paths kPaths{sizeof(davit_host_paths), 0, &paths_get};

}  // namespace

const void* conformance_state_table(std::string_view id) {
  if (id == DAVIT_HOST_LOG_ID) return &kLog;
  if (id == DAVIT_HOST_SETTINGS_ID) return &kSettings;
  if (id == DAVIT_HOST_PROPERTIES_ID) return &kProperties;
  if (id == DAVIT_HOST_KV_ID) return &kKv;
  if (id == DAVIT_HOST_CLOCK_ID) return &kClock;
  if (id == DAVIT_HOST_PATHS_ID) return &kPaths;
  return nullptr;
}

ConformanceHost::ConformanceHost(const PluginNote& plugin_note, std::string scratch_dir)
    : note(plugin_note), scratch(std::move(scratch_dir)) {
  host_.struct_size = sizeof(host_);
  host_.abi_minor = DAVIT_ABI_MINOR;
  host_.host_data = this;
  host_.version = conformance_str("0.0.0-conformance");
  host_.get_interface = &ConformanceHost::get_interface;

  call_.unknown.fill(0xA5);
  davit_call& call = call_.call;
  call.struct_size = sizeof(call_);
  call.flags = DAVIT_CALL_QUIET | 0x80000000u;
  call.host_data = this;
  call.actor = conformance_str("local:conformance");
  call.fail = &ConformanceHost::fail;
  call.get_error = [](Call c, const davit_sink* sink) {
    sink->write(sink->sink_data, conformance_str(static_cast<ConformanceHost*>(c->host_data)->message_));
  };
  call.output = [](Call c, std::uint32_t, davit_str) -> davit_status {
    static_cast<ConformanceHost*>(c->host_data)->use(c, "call.output");
    return DAVIT_OK;
  };
  call.progress = [](Call, davit_str, std::uint64_t, std::uint64_t, davit_str) {};
  call.log = [](Call c, std::int32_t, davit_str) {
    static_cast<ConformanceHost*>(c->host_data)->use(c, "call.log");
  };
  call.cancelled = [](Call) -> std::int32_t { return 0; };
}

const davit_call* ConformanceHost::begin(std::string what) {
  in_call_ = true;
  error_set_ = false;
  message_.clear();
  what_ = std::move(what);
  caller_ = ::gettid();
  return &call_.call;
}

bool ConformanceHost::end() {
  in_call_ = false;
  return error_set_;
}

std::vector<std::string> ConformanceHost::take_complaints() {
  const std::lock_guard lock(mutex_);
  return std::exchange(complaints_, {});
}

void ConformanceHost::complain(const std::string& complaint) {
  const std::string full = "in " + what_ + ": " + complaint;
  const std::lock_guard lock(mutex_);
  if (complaints_.size() < 50 &&
      std::find(complaints_.begin(), complaints_.end(), full) == complaints_.end()) {
    complaints_.push_back(full);
  }
}

void ConformanceHost::use_anywhere(const char* function) {
  if (stopped_) complain(std::string("calls ") + function + " of the host after stop()");
}

void ConformanceHost::use(const davit_call* call, const char* function) {
  use_anywhere(function);
  if (!in_call_ || call != &call_.call) {
    complain(std::string("calls ") + function + " with a call object that is not the current one");
  } else if (::gettid() != caller_) {
    complain(std::string("calls ") + function + " from another thread than the call's");
  }
}

davit_status ConformanceHost::refuse(davit_status status, std::string message) {
  error_set_ = true;
  message_ = std::move(message);
  return status;
}

void ConformanceHost::fail(const davit_call* call, davit_str slug, davit_str message, davit_str hint) {
  auto& self = *static_cast<ConformanceHost*>(call->host_data);
  self.use(call, "call.fail");
  self.error_set_ = true;
  self.message_ = conformance_view(message);
  if (conformance_view(slug).empty()) self.complain("fails without a slug");
  if (self.message_.empty()) self.complain("fails without a message");
  if (!is_valid_utf8(self.message_) || !is_valid_utf8(conformance_view(hint))) {
    self.complain("gives an error text that is not UTF-8");
  }
}

const void* ConformanceHost::get_interface(const davit_host* host, davit_str id) {
  ConformanceHost& self = of(host);
  const std::string_view wanted = conformance_view(id);
  if (!self.note.may_use(wanted)) {
    self.complain("asks the host for " + std::string(wanted) +
                  ", which its note lists neither in requires nor in uses");
    return nullptr;
  }
  const void* table = conformance_state_table(wanted);
  return table != nullptr ? table : conformance_run_table(wanted);
}

}  // namespace davit
