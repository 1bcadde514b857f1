// Recovery: what to do with a deployment whose owner died. Before the switch it goes back, after it forward.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/text.hpp"
#include "lifecycle/engine.hpp"
#include "lifecycle/step.hpp"
#include "lifecycle/undo.hpp"

namespace davit {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Field 22 of /proc/PID/stat; the second field is in parentheses and may hold blanks. 0: no such process.
std::uint64_t start_time_ticks(std::int32_t pid) {
  const std::string line = first_line(fmt::format("/proc/{}/stat", pid));
  const auto close = line.rfind(')');
  if (close == std::string::npos) return 0;
  const auto words = split_words(line.substr(close + 1));
  constexpr std::size_t kStartTime = 19;  // field 22, counted from field 3
  if (words.size() <= kStartTime || words[0] == "Z" || words[0] == "X") return 0;
  return std::strtoull(words[kStartTime].c_str(), nullptr, 10);
}

std::string boot_id() {
  return first_line("/proc/sys/kernel/random/boot_id");
}

bool is_past_switch(DeploymentState state) {
  return state == DeploymentState::kCommitted || state == DeploymentState::kDraining;
}

}  // namespace

Result<ProcessIdentity> own_identity() {
  const auto pid = static_cast<std::int32_t>(getpid());
  return ProcessIdentity{boot_id(), pid, start_time_ticks(pid)};
}

bool is_alive(const ProcessIdentity& process) {
  if (process.boot_id != boot_id()) return false;
  const auto started = start_time_ticks(process.pid);
  return started != 0 && started == process.start_time_ticks;
}

Result<> Engine::recover(AppId app, const CallContext& call) {
  DAVIT_TRY_ASSIGN(const auto unfinished, services_.store.journal().unfinished(app));
  for (const Deployment& deployment : unfinished) {
    if (deployment.owner && is_alive(*deployment.owner)) continue;  // it drains, outside the app's lock
    DAVIT_TRY(recover(deployment.id, call));
  }
  return {};
}

Result<> Engine::recover(std::string_view deployment_id, const CallContext& call) {
  auto& journal = services_.store.journal();
  DAVIT_TRY_ASSIGN(Deployment deployment, journal.get(deployment_id));
  if (is_finished(deployment.state) || deployment.state == DeploymentState::kStuck) return {};
  auto found = services_.store.apps().get(deployment.app);
  if (!found) {  // destroyed: nothing is left that could be finished
    return journal.set_state(deployment.id, DeploymentState::kDone);
  }
  DAVIT_TRY_ASSIGN(const ProcessIdentity self, own_identity());
  if (!(deployment.owner && *deployment.owner == self)) {
    DAVIT_TRY(journal.claim(deployment.id, deployment.owner, self));
  }
  services_.mark(deployment.id, "recovery");
  DeploymentRun run(services_, call, std::move(deployment), std::move(*found));
  DAVIT_TRY_ASSIGN(run.live, services_.store.releases().current(run.app.id));
  DAVIT_TRY_ASSIGN(run.live_groups, services_.store.live_groups().of_app(run.app.id));
  if (is_past_switch(run.deployment.state)) {
    call.out.step(fmt::format("Finishing deployment {} of {}", run.deployment.id, run.app.name));
    if (run.deployment.to_version) {
      DAVIT_TRY_ASSIGN(run.target, services_.store.releases().get(run.app.id, *run.deployment.to_version));
    }
    return commit_and_finish(run);
  }
  call.out.step(fmt::format("Taking back deployment {} of {}, which was interrupted in {}", run.deployment.id,
                            run.app.name, run.deployment.phase.empty() ? "its beginning" : run.deployment.phase));
  return take_back(run, Error{Code::kFailed, "The deployment was interrupted", "Try it again", "interrupted", {}});
}

}  // namespace davit
