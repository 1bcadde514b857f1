// What the C ABI costs: a no-op hook (the goal: below 100 ns), and loading the template plugin (below 1 ms).
// The plugin files are read by argument-free paths of the build; run it from scripts/bench or by hand, never
// from a test.
#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "davit/hooks.h"
#include "davit/host.h"
#include "davit/plugin.h"
#include "tests/temp_folder.hpp"

namespace {

namespace fs = std::filesystem;

davit_str text(std::string_view value) {
  return {value.data(), value.size()};
}

/// A host that has nothing: the template plugin asks for nothing.
struct BareHost {
  davit_host host{sizeof(davit_host), DAVIT_ABI_MINOR, nullptr, text("bench"),
                  [](const davit_host*, davit_str) -> const void* { return nullptr; }};
  davit_call call{};
  BareHost() {
    call.struct_size = sizeof(call);
    call.fail = [](const davit_call*, davit_str, davit_str, davit_str) {};
    call.log = [](const davit_call*, std::int32_t, davit_str) {};
    call.cancelled = [](const davit_call*) -> std::int32_t { return 0; };
  }
};

struct Loaded {
  const davit_plugin_descriptor* descriptor = nullptr;
  davit_plugin* plugin = nullptr;
};

/// dlopen as the loader does it, create, start. Exits with a message on failure: a bench of nothing is worse.
Loaded load(const fs::path& file, const BareHost& host) {
  Loaded loaded;
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* entry = library == nullptr ? nullptr : ::dlsym(library, DAVIT_PLUGIN_ENTRY_NAME);
  if (entry != nullptr) loaded.descriptor = reinterpret_cast<davit_plugin_entry>(entry)();
  if (loaded.descriptor == nullptr ||
      loaded.descriptor->create(&host.host, &host.call, &loaded.plugin) != DAVIT_OK ||
      loaded.descriptor->start(loaded.plugin, &host.call) != DAVIT_OK) {
    std::fprintf(stderr, "cannot load %s\n", file.c_str());
    ::exit(1);
  }
  return loaded;
}

void run_noop_hook(benchmark::State& state, const char* file, std::string_view event_id) {
  const BareHost host;
  const Loaded loaded = load(file, host);
  const auto* hooks =
      static_cast<const davit_hooks*>(loaded.descriptor->get_interface(loaded.plugin, text(DAVIT_HOOKS_ID)));
  const davit_event event{sizeof(event), DAVIT_EVENT_NOTICE, text(event_id), nullptr, {nullptr, 0}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(hooks->handle(loaded.plugin, &host.call, &event));
  }
  loaded.descriptor->stop(loaded.plugin, &host.call);
  loaded.descriptor->destroy(loaded.plugin);
}

void noop_hook_in_c(benchmark::State& state) {
  run_noop_hook(state, DAVIT_NOOP_C, "deploy.finished");
}
/// Through the wrapper's thunk and Event::which(), for an id that stands last in its table and for one that
/// is unknown.
void noop_hook_in_cpp(benchmark::State& state) {
  run_noop_hook(state, DAVIT_TEMPLATE, "system.collect");
}
void noop_hook_in_cpp_unknown_event(benchmark::State& state) {
  run_noop_hook(state, DAVIT_TEMPLATE, "x.bench.unknown");
}

/// Each iteration maps a file that this process has not seen: a plugin is never unloaded, and the dynamic
/// linker knows files by inode.
void load_template(benchmark::State& state) {
  const davit::test::TempFolder dir;
  const BareHost host;
  int number = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const fs::path file = dir / ("template-" + std::to_string(number++) + ".so");
    fs::copy_file(DAVIT_TEMPLATE, file);
    state.ResumeTiming();
    const Loaded loaded = load(file, host);
    state.PauseTiming();
    loaded.descriptor->stop(loaded.plugin, &host.call);
    loaded.descriptor->destroy(loaded.plugin);
    state.ResumeTiming();
  }
}

BENCHMARK(noop_hook_in_c);
BENCHMARK(noop_hook_in_cpp);
BENCHMARK(noop_hook_in_cpp_unknown_event);
BENCHMARK(load_template)->Iterations(300)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
