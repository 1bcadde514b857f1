// The server of a generation: prepared, started, awaited, stopped. Programs that end: program_run.cpp.
#include "service/generation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <future>
#include <optional>

#include "base/text.hpp"
#include "lifecycle/link_variables.hpp"
#include "process/files.hpp"
#include "process/listening.hpp"
#include "process/sync_tree.hpp"

namespace davit {
namespace {

constexpr std::uint64_t kStopTimeoutMs = 60'000;  // a database writes what it has in memory
constexpr std::uint64_t kLookEveryMs = 25;        // between two looks at a server that is starting
constexpr std::uint64_t kConnectMs = 2'000;
constexpr unsigned kMostExits = 2;
constexpr std::uint64_t kLastWords = 12;
constexpr int kSignalled = 128;  // an exit code from here on is a signal's

int number_in(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string owner_of(const Service& service) {
  return service.kind + "." + service.name;
}

std::filesystem::path service_folder(const Home& home, const Service& service) {
  return home.services() / service.kind / std::to_string(static_cast<std::int64_t>(service.id));
}

Result<> Generation::prepare(const CallContext& context) const {
  DAVIT_TRY(make_dirs(folder(), 0711));
  DAVIT_TRY(make_dir(data(), 0700));
  auto certified = std::async(std::launch::async, [this] { return certificate(); });
  DAVIT_TRY(run_if_any(ServiceProgramKind::kPrepare, "Preparing the data", context));
  DAVIT_TRY(certified.get());
  return {};
}

Result<> Generation::serve(const CallContext& context, bool filling) const {
  DAVIT_TRY_ASSIGN(Ready ready, make_ready(ServiceProgramKind::kServe, {.filling = filling}, context));
  Group group;
  group.owner_kind = OwnerKind::kService;
  group.owner = owner_of(service_);
  group.revision = revision();
  group.process_type = kServerType;
  group.count = 1;
  group.listens = true;
  group.port = port_;
  group.artifact = std::move(ready.artifact);
  group.argv = std::move(ready.program.argv);
  group.env = std::move(ready.program.env);
  group.mounts = std::move(ready.mounts);
  group.user = std::move(ready.user);
  group.restart = Restart::kAlways;
  group.stop_timeout_ms = kStopTimeoutMs;
  DAVIT_TRY_ASSIGN(group.stop_signal, stop_signal(context));
  DAVIT_TRY_ASSIGN(const auto memory, world_.store.services().setting(service_.id, "memory"));
  if (memory) {
    DAVIT_TRY_ASSIGN(group.limits.memory_bytes, parse_size_bytes(*memory));
  }
  DAVIT_TRY_ASSIGN(Runtime * runtime, this->runtime());
  return runtime->apply(group, context);
}

Result<> Generation::await_ready(std::int64_t limit_ms, const CallContext& context) const {
  DAVIT_TRY_ASSIGN(Runtime * runtime, this->runtime());
  const MonoMs end = world_.clock.now_mono_ms() + limit_ms;
  std::optional<unsigned> exits_before;
  const Endpoint endpoint{Endpoint::Kind::kTcp, std::string(kServiceHost), port_, {}, {}};
  for (;;) {
    if (context.cancelled()) return fail(Code::kCancelled, "Cancelled", {}, "cancelled");
    DAVIT_TRY_ASSIGN(const auto instances, runtime->inspect(selector(), context));
    const auto up = std::ranges::find(instances, InstanceState::kUp, &Instance::state);
    const bool direct =
        up != instances.end() && (up->listening == Listening::kYes || is_in_our_network(up->pid));
    if (up != instances.end() && up->listening != Listening::kNo &&
        world_.probe.connect(endpoint, kConnectMs, direct ? Way::kDirect : Way::kPerhapsRelayed)) {
      DAVIT_TRY_ASSIGN(const int code, run(ServiceProgramKind::kProbe, {}, context));
      if (code == 0) return {};
    }
    if (!instances.empty() && !exits_before) exits_before = instances.front().exits;
    const bool ends = instances.empty() || instances.front().exits >= *exits_before + kMostExits;
    const bool late = world_.clock.now_mono_ms() >= end;
    if (ends || late) {
      DAVIT_TRY_ASSIGN(const std::string words, last_words(kLastWords, context));
      if (!words.empty()) context.out.detail(words);
      const std::string what = fmt::format("{} {}", service_.kind, service_.name);
      DAVIT_TRY(check_disk("Starting the server", words, context));
      const std::string hint = fmt::format("See: davit {}:logs {}", service_.kind, service_.name);
      if (instances.empty())
        return fail(Code::kUnavailable, fmt::format("{} does not run", what), hint, "service-down");
      if (ends) {
        DAVIT_TRY(check_memory(what, instances.front().exit_code));
        return fail(Code::kFailed,
                    fmt::format("The server of {} ended with {}", what, instances.front().exit_code), hint,
                    "service-crashes");
      }
      return fail(Code::kTimeout, fmt::format("{} did not answer within {} s", what, limit_ms / 1000), hint,
                  "service-silent");
    }
    context.out.progress("Waiting for the server", 0, 0, "");
    DAVIT_TRY(runtime->wait_change(selector(), kLookEveryMs, context));
  }
}

Result<> Generation::check_memory(std::string_view server, int exit_code) const {
  if (exit_code != kSignalled + SIGKILL) return {};
  DAVIT_TRY_ASSIGN(const auto memory, world_.store.services().setting(service_.id, "memory"));
  if (!memory) return {};
  return fail(
      Code::kFailed, fmt::format("The server of {} was killed; its memory is limited to {}", server, *memory),
      fmt::format("Give it more, for example: davit {}:set {} memory 512m", service_.kind, service_.name),
      "service-memory");
}

Result<std::string> Generation::last_words(std::uint64_t lines, const CallContext& context) const {
  DAVIT_TRY_ASSIGN(Runtime * runtime, this->runtime());
  std::string words;
  DAVIT_TRY(runtime->logs(
      selector(), {false, lines, 0}, [&](const LogLine& line) { words += line.text + "\n"; }, context));
  return words;
}

Result<unsigned> Generation::exits(const CallContext& context) const {
  DAVIT_TRY_ASSIGN(const auto instances, inspect(context));
  return instances.empty() ? 0 : instances.front().exits;
}

Result<> Generation::stop_filled(unsigned exits_before, const CallContext& context) const {
  DAVIT_TRY_ASSIGN(const int stop_signal, this->stop_signal(context));
  DAVIT_TRY_ASSIGN(const unsigned exits, this->exits(context));
  DAVIT_TRY(pause(context));
  DAVIT_TRY_ASSIGN(const auto instances, inspect(context));
  const int code = instances.empty() ? kSignalled : instances.front().exit_code;
  const bool killed = code >= kSignalled && code != kSignalled + stop_signal;
  if (exits == exits_before && !killed) return stop(context);
  DAVIT_TRY(check_memory(fmt::format("{} {}", service_.kind, service_.name), code));
  const std::string what = fmt::format("The server of {} {}", service_.kind, service_.name);
  return fail(Code::kFailed, what + " was killed or crashed while it was loaded",
              fmt::format("Is there enough memory? See: davit {}:logs {}", service_.kind, service_.name),
              "service-crashes");
}

Result<int> Generation::stop_signal(const CallContext& context) const {
  DAVIT_TRY_ASSIGN(ServiceKind * kind, world_.capabilities.service_kind(service_.kind));
  DAVIT_TRY_ASSIGN(const TextMap facts, kind->describe(context));
  const auto signal = facts.find("stop-signal");
  return signal == facts.end() ? SIGTERM : number_in(signal->second);
}

Result<> Generation::sync() const {
  DAVIT_TRY(sync_tree(folder()));
  const auto above = service_folder(world_.home, service_);
  DAVIT_TRY(sync_folder(above));
  return sync_folder(above.parent_path());
}

Result<> Generation::pause(const CallContext& context) const {
  DAVIT_TRY_ASSIGN(Runtime * runtime, this->runtime());
  return runtime->stop(selector(), context);
}

Result<> Generation::stop(const CallContext& context) const {
  DAVIT_TRY_ASSIGN(Runtime * runtime, this->runtime());
  return runtime->remove(selector(), false, context);
}

Result<std::vector<Instance>> Generation::inspect(const CallContext& context) const {
  DAVIT_TRY_ASSIGN(Runtime * runtime, this->runtime());
  return runtime->inspect(selector(), context);
}

}  // namespace davit
