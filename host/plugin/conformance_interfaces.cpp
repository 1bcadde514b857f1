// What the suite asks of each interface: tables that are whole, answers to what does not exist, bytes of any
// kind, and sinks that refuse. Only calls that change nothing, and removals of what is not there.
#include <filesystem>
#include <vector>

#include "davit/builder.h"
#include "davit/commands.h"
#include "davit/hooks.h"
#include "davit/proxy.h"
#include "davit/runtime.h"
#include "davit/service.h"
#include "plugin/conformance_suite.hpp"

namespace davit {
namespace {

using namespace std::string_view_literals;
using Call = const davit_call*;

constexpr std::string_view kNobody = "conformance-nobody";
constexpr std::string_view kUnknownEvent = "x.conformance.unknown";
constexpr std::string_view kAnyBytes = "nul \0 and \xff\xc3 not UTF-8"sv;

/// A sink of any kind that counts, and refuses if told to.
struct CountingSink {
  davit_status answer = DAVIT_OK;
  int calls = 0;
  int calls_after_refusal = 0;

  static davit_status count(void* self) {
    auto& sink = *static_cast<CountingSink*>(self);
    if (sink.calls++ > 0 && sink.answer != DAVIT_OK) ++sink.calls_after_refusal;
    return sink.answer;
  }
  davit_sink bytes() {
    return {this, [](void* self, davit_str) { return count(self); }};
  }
  davit_str_sink items() {
    return {this, [](void* self, davit_str) { return count(self); }};
  }
  davit_kv_sink pairs() {
    return {this, [](void* self, davit_str, davit_str) { return count(self); }};
  }
  davit_finding_sink findings() {
    return {this, [](void* self, std::uint32_t, davit_str, davit_str) { return count(self); }};
  }
  davit_instance_sink instances() {
    return {this, [](void* self, const davit_instance*) { return count(self); }};
  }
};

/// Size of a table of `functions` pointers behind its two leading words.
constexpr std::size_t table_bytes(std::size_t functions) {
  return 8 + functions * sizeof(void*);
}

bool is_step(std::string_view event) {
  static constexpr std::string_view kSteps[] = {
      DAVIT_EV_APP_CREATE,    DAVIT_EV_APP_COPY,     DAVIT_EV_RELEASE_ASSEMBLE, DAVIT_EV_RELEASE_COMMAND,
      DAVIT_EV_PROCESS_START, DAVIT_EV_ROUTE_SWITCH, DAVIT_EV_SERVICE_CHANGE,   DAVIT_EV_SYSTEM_START};
  for (const std::string_view step : kSteps) {
    if (step == event) return true;
  }
  return false;
}

template <class Function>
Function function_at(const void* table, std::size_t index) {
  return reinterpret_cast<Function const*>(static_cast<const char*>(table) + 8)[index];
}

}  // namespace

void ConformanceSuite::check_table(std::string_view id, davit_plugin* plugin, const void* table) {
  if (id == DAVIT_HOOKS_ID) return check_hooks(plugin, table);
  if (id == DAVIT_BUILDER_ID) return check_builder(plugin, table);
  if (id == DAVIT_RUNTIME_ID) return check_runtime(plugin, table);
  if (id == DAVIT_PROXY_ID) return check_proxy(plugin, table);
  if (id == DAVIT_DOCTOR_ID) return check_doctor(plugin, table);
  if (id == DAVIT_SERVICE_ID) return check_service(plugin, table);
  if (id == DAVIT_COMMANDS_ID) return check_functions(id, table, 1);
  report_.warning("interfaces",
                  std::string(id) + " is not known to this davit: only its presence was checked");
}

void ConformanceSuite::check_functions(std::string_view id, const void* table, std::size_t functions) {
  const std::uint32_t size = *static_cast<const std::uint32_t*>(table);
  if (size < table_bytes(functions)) {
    report_.problem("interfaces", std::string(id) + ": struct_size is " + std::to_string(size) +
                                      ", less than the " + std::to_string(table_bytes(functions)) +
                                      " of the first release");
    return;
  }
  for (std::size_t i = 0; i < functions; ++i) {
    if (function_at<void (*)()>(table, i) == nullptr) {
      report_.problem("interfaces",
                      std::string(id) + ": function " + std::to_string(i + 1) + " of its table is NULL");
    }
  }
}

void ConformanceSuite::check_hooks(davit_plugin* plugin, const void* table) {
  const auto& hooks = *static_cast<const davit_hooks*>(table);
  if (hooks.struct_size < table_bytes(4)) {
    report_.problem("interfaces", "davit.hooks/1: struct_size is less than that of the first release");
    return;
  }
  bool steps = false;
  bool others = false;
  for (const HookSpec& hook : note_.hooks) (is_step(hook.event) ? steps : others) = true;
  if (others && hooks.handle == nullptr) report_.problem("interfaces", "davit.hooks/1: handle is NULL");
  if (steps && (hooks.prepare == nullptr || hooks.apply == nullptr || hooks.undo == nullptr)) {
    report_.problem("interfaces",
                    "davit.hooks/1: prepare, apply or undo is NULL, but the note has a hook on a step");
  }

  struct NewerEvent {
    davit_event event;
    std::uint64_t unknown[4];
  };
  const davit_kv fact{conformance_str(kAnyBytes), conformance_str(kAnyBytes)};
  const NewerEvent newer{
      {sizeof(NewerEvent), DAVIT_EVENT_NOTICE, conformance_str(kUnknownEvent), nullptr, {&fact, 1}},
      {~0ull, ~0ull, ~0ull, ~0ull}};
  const davit_event* event = &newer.event;
  if (hooks.handle != nullptr) {
    expect_ok("davit.hooks/1 handle() of an unknown event",
              [&](Call call) { return hooks.handle(plugin, call, event); });
  }
  CountingSink token;
  const davit_sink token_sink = token.bytes();
  if (hooks.prepare != nullptr) {
    expect_ok("davit.hooks/1 prepare() of an unknown event",
              [&](Call call) { return hooks.prepare(plugin, call, event, &token_sink); });
  }
  for (int i = 0; i < 2 && hooks.undo != nullptr; ++i) {  // what never happened, twice
    expect_ok("davit.hooks/1 undo() of an unknown event", [&](Call call) {
      return hooks.undo(plugin, call, event, davit_str{nullptr, 0});
    });
  }
}

void ConformanceSuite::check_builder(davit_plugin* plugin, const void* table) {
  check_functions(DAVIT_BUILDER_ID, table, 2);
  const auto& builder = *static_cast<const davit_builder*>(table);
  if (builder.struct_size < table_bytes(2) || builder.detect == nullptr) return;
  const std::string source = scratch_ + "/source";
  const std::string cache = scratch_ + "/cache";
  const std::string work = scratch_ + "/work";
  for (const std::string& dir : {source, cache, work}) std::filesystem::create_directories(dir);
  const davit_kv env{conformance_str("CONFORMANCE"), conformance_str(kAnyBytes)};
  davit_build build{};
  build.struct_size = sizeof(build);
  build.app = conformance_str(kNobody);
  build.source_dir = conformance_str(source);
  build.cache_dir = conformance_str(cache);
  build.work_dir = conformance_str(work);
  build.env = {&env, 1};
  std::int32_t score = -1;
  CountingSink why;
  const davit_sink why_sink = why.bytes();
  expect_ok("davit.builder/1 detect() of an empty tree",
            [&](Call call) { return builder.detect(plugin, call, &build, &score, &why_sink); });
  if (score < 0 || score > 100) {
    report_.problem("interfaces", "davit.builder/1 detect(): the score is " + std::to_string(score) +
                                      ", outside of 0 to 100");
  }
  if (!std::filesystem::is_empty(source)) {
    report_.problem("interfaces", "davit.builder/1 detect() wrote into the source tree; it only looks");
  }
}

void ConformanceSuite::check_runtime(davit_plugin* plugin, const void* table) {
  check_functions(DAVIT_RUNTIME_ID, table, 11);
  const auto& runtime = *static_cast<const davit_runtime*>(table);
  if (runtime.struct_size < table_bytes(11)) return;
  davit_selector nobody{};
  nobody.struct_size = sizeof(nobody);
  nobody.owner_kind = DAVIT_OWNER_APP;
  nobody.owner = conformance_str(kNobody);
  CountingSink counting;
  const davit_instance_sink instances = counting.instances();
  expect_ok("davit.runtime/1 inspect() of nobody",
            [&](Call call) { return runtime.inspect(plugin, call, &nobody, &instances); });
  if (counting.calls != 0)
    report_.problem("interfaces", "davit.runtime/1 inspect() found instances of nobody");
  const davit_str_sink owned = counting.items();
  expect_ok("davit.runtime/1 list_owned()",
            [&](Call call) { return runtime.list_owned(plugin, call, &owned); });
  for (int i = 0; i < 2; ++i) {
    expect_ok("davit.runtime/1 remove() of nobody",
              [&](Call call) { return runtime.remove(plugin, call, &nobody, 1); });
  }
  CountingSink refusing{DAVIT_CANCELLED};
  const davit_kv_sink refused = refusing.pairs();
  const davit_status status = invoke("davit.runtime/1 describe() into a sink that refuses", [&](Call call) {
    const davit_status answer = runtime.describe(plugin, call, &refused);
    if (answer == DAVIT_CANCELLED) host_.refuse(answer, "the sink refused");  // the sink's owner knows why
    return answer;
  });
  if (refusing.calls > 0 && (status == DAVIT_OK || refusing.calls_after_refusal > 0)) {
    report_.problem("sinks", "davit.runtime/1 describe() goes on after its sink refused");
  }
}

void ConformanceSuite::check_proxy(davit_plugin* plugin, const void* table) {
  check_functions(DAVIT_PROXY_ID, table, 8);
  const auto& proxy = *static_cast<const davit_proxy*>(table);
  if (proxy.struct_size < table_bytes(8)) return;
  CountingSink counting;
  const davit_str_sink owned = counting.items();
  expect_ok("davit.proxy/1 list_owned()", [&](Call call) { return proxy.list_owned(plugin, call, &owned); });
  for (int i = 0; i < 2; ++i) {
    expect_ok("davit.proxy/1 remove() of nobody",
              [&](Call call) { return proxy.remove(plugin, call, conformance_str(kNobody)); });
  }
  CountingSink refusing{DAVIT_CANCELLED};
  const davit_kv_sink refused = refusing.pairs();
  const davit_status status = invoke("davit.proxy/1 describe() into a sink that refuses", [&](Call call) {
    const davit_status answer = proxy.describe(plugin, call, &refused);
    if (answer == DAVIT_CANCELLED) host_.refuse(answer, "the sink refused");  // the sink's owner knows why
    return answer;
  });
  if (refusing.calls > 0 && (status == DAVIT_OK || refusing.calls_after_refusal > 0)) {
    report_.problem("sinks", "davit.proxy/1 describe() goes on after its sink refused");
  }
}

void ConformanceSuite::check_doctor(davit_plugin* plugin, const void* table) {
  check_functions(DAVIT_DOCTOR_ID, table, 1);
  const auto& doctor = *static_cast<const davit_doctor*>(table);
  if (doctor.struct_size < table_bytes(1) || doctor.examine == nullptr) return;
  CountingSink counting;
  const davit_finding_sink findings = counting.findings();
  expect_ok("davit.doctor/1 examine()", [&](Call call) { return doctor.examine(plugin, call, &findings); });
  CountingSink refusing{DAVIT_CANCELLED};
  const davit_finding_sink refused = refusing.findings();
  const davit_status status = invoke("davit.doctor/1 examine() into a sink that refuses", [&](Call call) {
    const davit_status answer = doctor.examine(plugin, call, &refused);
    if (answer == DAVIT_CANCELLED) host_.refuse(answer, "the sink refused");  // the sink's owner knows why
    return answer;
  });
  if (refusing.calls > 0 && (status == DAVIT_OK || refusing.calls_after_refusal > 0)) {
    report_.problem("sinks", "davit.doctor/1 examine() goes on after its sink refused");
  }
}

}  // namespace davit
