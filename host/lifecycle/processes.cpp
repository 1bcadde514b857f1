// From releases to groups.
#include "lifecycle/processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/defaults.hpp"
#include "base/text.hpp"
#include "lifecycle/environment.hpp"
#include "lifecycle/release_extras.hpp"
#include "lifecycle/service_mounts.hpp"

namespace davit {
namespace {

std::uint64_t number_or(const TextMap& map, std::string_view key, std::uint64_t otherwise) {
  const auto it = map.find(key);
  if (it == map.end()) return otherwise;
  std::uint64_t number = 0;
  const auto& text = it->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : otherwise;
}

// What no program can be found for: a shell does it itself.
bool is_shell_builtin(std::string_view word) {
  constexpr std::string_view kBuiltins[] = {".",      ":",     "cd",   "eval",   "exec",  "export",
                                            "set",    "shift", "trap", "ulimit", "umask", "unset",
                                            "source", "wait",  "if",   "while",  "until", "for"};
  return std::ranges::find(kBuiltins, word) != std::end(kBuiltins);
}

// An image may have no shell at all. Nothing: the image's own command. Plain words are just those, also
// behind an `exec`, which is what happens anyway; what only a shell understands is given to the image's.
std::vector<std::string> argv_in_image(const std::string& command) {
  constexpr std::string_view kShellText = "\"'`\\$|&;<>(){}[]*?~#!\t\n";
  const bool assigns = command.substr(0, command.find(' ')).find('=') != std::string::npos;
  if (assigns || command.find_first_of(kShellText) != std::string::npos) return {"/bin/sh", "-c", command};
  std::vector<std::string> words;
  for (const std::string& word : split(command, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() > 1 && words[0] == "exec" && !words[1].starts_with('-')) words.erase(words.begin());
  if (!words.empty() && is_shell_builtin(words[0])) return {"/bin/sh", "-c", command};
  return words;
}

}  // namespace

bool is_detached_run(const Instance& instance) {
  const std::string& revision = instance.revision;
  return instance.process_type == kRunType && revision.size() > 1 && revision.front() == 'r' &&
         revision.find_first_not_of("0123456789", 1) == std::string::npos;
}

std::vector<std::string> argv_of(const Release& release, const ReleaseProcess& process) {
  if (release.spec.artifact.kind == ArtifactKind::kImage) return argv_in_image(process.command);
  std::vector<std::string> argv = process.launcher_argv;
  argv.insert(argv.end(), {"bash", "-c", process.command});
  return argv;
}

std::vector<std::string> argv_of(const Release& release, const std::vector<std::string>& words) {
  std::vector<std::string> argv;
  if (!release.spec.processes.empty()) argv = release.spec.processes.front().launcher_argv;
  // One word that names a process type runs that type's command, as on Heroku.
  for (const ReleaseProcess& process : release.spec.processes) {
    if (words.size() == 1 && words.front() == process.type) return argv_of(release, process);
  }
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

bool has_type(const ReleaseSpec& spec, std::string_view type) {
  return std::ranges::find(spec.processes, type, &ReleaseProcess::type) != spec.processes.end();
}

Quantities wanted_quantities(const Release& release, const Quantities& said) {
  Quantities wanted;
  for (const ReleaseProcess& process : release.spec.processes) {
    if (process.type == kReleaseType) continue;
    const auto it = said.find(process.type);
    wanted[process.type] = it != said.end() ? it->second : (process.type == kWebType ? 1U : 0U);
  }
  return wanted;
}

Result<Quantities> said_quantities(DeploymentRun& run, const ReleaseSpec& spec) {
  if (run.plan.builds) {
    if (const Quantities fixed = manifest_quantities(spec); !fixed.empty()) return fixed;
  }
  return run.services.store.formation().get(run.app.id);
}

ArtifactRef artifact_of(const LifecycleServices& services, const Release& release) {
  ArtifactRef ref;
  ref.digest = release.spec.artifact.digest;
  const ReleaseExtras extras = extras_of(release.spec);
  const bool was_here = !extras.built_stack.empty() && extras.built_runtime == release.spec.runtime;
  ref.stack = was_here ? extras.built_stack : release.spec.stack;
  switch (release.spec.artifact.kind) {
    case ArtifactKind::kNone:
      break;
    case ArtifactKind::kSlug:
      ref.kind = ArtifactRef::Kind::kSlug;
      ref.ref = (services.home.root / release.spec.artifact.ref).string();
      break;
    case ArtifactKind::kImage:
      ref.kind = ArtifactRef::Kind::kImage;
      ref.ref = release.spec.artifact.ref;
      break;
  }
  return ref;
}

Limits limits_of(Store& store, AppId app, std::string_view process_type) {
  Limits limits;
  const auto read = [&](std::string_view key) -> std::uint64_t {
    for (const std::string& name :
         {fmt::format("{}.{}", process_type, key), fmt::format("_default_.{}", key)}) {
      const auto value = store.properties().effective(app, "resource", name);
      if (value && *value) return number_or({{"value", **value}}, "value", 0);
    }
    return 0;
  };
  limits.memory_bytes = read("limit.memory");
  limits.memory_reserve_bytes = read("reserve.memory");
  limits.cpu_millis = static_cast<std::uint32_t>(read("limit.cpu"));
  limits.cpu_reserve_millis = static_cast<std::uint32_t>(read("reserve.cpu"));
  limits.pids = static_cast<std::uint32_t>(read("limit.pids"));
  return limits;
}

Result<std::vector<HostMount>> mounts_of(const DeploymentRun& run) {
  if (run.plan.rescales) {
    for (const LiveGroup& group : run.live_groups) {
      if (group.state == GroupState::kLive && group.revision == run.revision)
        return mounts_from_json(group.mounts_json);
    }
  }
  DAVIT_TRY_ASSIGN(const auto links, run.links());
  return all_mounts(run.services, run.app, links, run.target->spec.runtime, run.call);
}

Result<Group> group_of(DeploymentRun& run, const ReleaseProcess& process, unsigned count) {
  Group group;
  group.owner = run.app.name;
  group.revision = run.revision;
  group.process_type = process.type;
  group.count = count;
  group.listens = process.type == kWebType;
  group.keep = run.plan.rescales;  // limits, links and davit itself may have changed since it started
  group.artifact = artifact_of(run.services, *run.target);
  group.argv = argv_of(*run.target, process);
  DAVIT_TRY_ASSIGN(group.env, resolve_environment(run, "run", process.type));
  DAVIT_TRY_ASSIGN(const auto mounts, mounts_of(run));
  group.mounts = plain_mounts(mounts);
  group.limits = limits_of(run.services.store, run.app.id, process.type);
  TextMap plan{{"stop-timeout-ms", std::to_string(1000 * run.number_property("ps", "stop-timeout-seconds",
                                                                             defaults::kStopTimeoutS))},
               {"memory-bytes", std::to_string(group.limits.memory_bytes)},
               {"cpu-millis", std::to_string(group.limits.cpu_millis)}};
  ProcessEvent payload{run.app.name, run.revision, process.type, count, plan};
  DAVIT_TRY(run.services.bus.filter(Event{event_id::kProcessPlan, &payload, {}}, run.call));
  group.stop_timeout_ms = number_or(plan, "stop-timeout-ms", 1000 * defaults::kStopTimeoutS);
  group.limits.memory_bytes = number_or(plan, "memory-bytes", group.limits.memory_bytes);
  group.limits.cpu_millis =
      static_cast<std::uint32_t>(number_or(plan, "cpu-millis", group.limits.cpu_millis));
  const std::string restart = run.property("ps", "restart-policy", "on-failure:10");
  if (restart == "no") group.restart = Restart::kNever;
  if (restart.starts_with("on-failure")) {
    group.restart = Restart::kOnFailure;
    if (const auto colon = restart.find(':'); colon != std::string::npos) {
      group.max_retries = static_cast<unsigned>(number_or({{"n", restart.substr(colon + 1)}}, "n", 0));
    }
  }
  return group;
}

Result<std::string> runtime_of(Store& store, AppId app) {
  DAVIT_TRY_ASSIGN(const auto chosen, store.properties().effective(app, "ps", "runtime"));
  return chosen.value_or("");
}

}  // namespace davit
