// The guard's sentences about a worker's end.
#include "guard/worker_end.hpp"

#include <fmt/format.h>

#include "process/process_runner.hpp"

namespace davit {
namespace {

std::string how(const WorkerResult& result) {
  if (result.signal != 0) return fmt::format("signal {}, {}", result.signal, signal_name(result.signal));
  return fmt::format("exit code {}", result.exit_code);
}

std::string where(const Crumb& crumb) {
  std::string text = crumb.event.empty() ? std::string("its code") : crumb.event;
  if (!crumb.deployment.empty()) text += " of deployment " + crumb.deployment;
  return text;
}

void describe_plugin(WorkerResult& result) {
  const auto& plugin = result.last.plugin;
  switch (result.end) {
    case WorkerEnd::kCrashed:
      result.message = fmt::format("plugin {} crashed in {} ({})", plugin, where(result.last), how(result));
      break;
    case WorkerEnd::kEarlyExit:
      result.message =
          fmt::format("plugin {} ended the process in {} ({})", plugin, where(result.last), how(result));
      break;
    case WorkerEnd::kDeadline:
      result.message = fmt::format("plugin {} did not return from {} within its time limit and was stopped",
                                   plugin, where(result.last));
      break;
    case WorkerEnd::kCancelled:
      result.message =
          fmt::format("stopped on request, while plugin {} was in {}", plugin, where(result.last));
      return;
    case WorkerEnd::kFinished:
      return;
  }
  result.hint =
      fmt::format("Disable it with `davit plugin:disable {0}` or DAVIT_PLUGINS_DISABLE={0}", plugin);
}

void describe_core(WorkerResult& result) {
  switch (result.end) {
    case WorkerEnd::kCrashed:
      result.message = fmt::format("davit-worker crashed outside any plugin ({})", how(result));
      result.hint = "This is a fault of davit or of the machine (memory?): run `davit doctor`";
      break;
    case WorkerEnd::kEarlyExit:
      result.message = fmt::format("davit-worker ended without finishing its work ({})", how(result));
      result.hint = "A thread that a plugin left behind may have done it: try again with --safe-mode";
      break;
    case WorkerEnd::kDeadline:
      result.message = "the command did not end within its time limit and was stopped";
      break;
    case WorkerEnd::kCancelled:
      result.message = "stopped on request";
      break;
    case WorkerEnd::kFinished:
      break;
  }
}

}  // namespace

void describe_end(WorkerResult& result) {
  result.message.clear();
  result.hint.clear();
  if (result.end == WorkerEnd::kFinished) return;
  if (result.last.plugin.empty()) {
    describe_core(result);
  } else {
    describe_plugin(result);
  }
}

}  // namespace davit
