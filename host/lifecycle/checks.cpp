// Waiting until new instances are healthy.
#include "lifecycle/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/defaults.hpp"
#include "base/text.hpp"
#include "lifecycle/question.hpp"
#include "process/listening.hpp"

namespace davit {
namespace {

constexpr std::uint64_t kPollMs = 20;  // between tries to reach a port that nobody opened yet
constexpr unsigned kExitsAllowed = 1;  // a second exit before it is ready: it will not come up
constexpr std::uint64_t kShownLogLines = 20;

// How far one instance has got with its checks.
struct Progress {
  std::size_t check = 0;     // the one that is asked now
  unsigned bad_answers = 0;  // to that one
  MonoMs not_before = 0;     // when to ask again
  bool not_there = true;     // nobody took the connection, when it was asked last
  std::string problem = "it never came up";
};

// What the checks themselves say must pass before they can be answered.
MonoMs delays_of(const std::vector<HealthCheck>& checks) {
  MonoMs sum = 0;
  for (const HealthCheck& check : checks)
    sum += static_cast<MonoMs>(check.initial_delay_ms +
                               (check.kind == HealthCheck::Kind::kUptime ? check.uptime_ms : 0));
  return sum;
}

// "; it listens on port 3000 and 127.0.0.1:9229", which is most often all that there is to know; else "".
std::string instead(const Instance& instance) {
  std::string text;
  for (const ListeningSocket& socket : listening_sockets(instance.pid)) {
    text += fmt::format("{}{}{}", text.empty() ? "; it listens on " : " and ",
                        socket.loopback ? "127.0.0.1:" : "port ", socket.port);
  }
  return text;
}

class Waiting {
 public:
  Waiting(DeploymentRun& run, const CheckTarget& target)
      : run_(run),
        target_(target),
        deadline_(now() + delays_of(target.checks) +
                  1000 * static_cast<MonoMs>(
                             run.number_property("checks", "start-timeout", defaults::kStartTimeoutS))) {}

  Result<std::vector<Instance>> wait() {
    for (;;) {
      if (run_.call.cancelled())
        return fail(Code::kCancelled, "The deployment was cancelled", {}, "cancelled");
      DAVIT_TRY_ASSIGN(const auto instances, look());
      DAVIT_TRY_ASSIGN(const bool ready, ask_all(instances));
      if (ready) {
        // Whoever answered may have ended since, or a relay before a container answered for it: are they the
        // same?
        DAVIT_TRY_ASSIGN(auto after, look());
        if (std::ranges::equal(instances, after, same_life)) return after;
        for (auto& [id, progress] : progress_) progress = {};
      }
      run_.call.out.progress("checking", ready_, wanted(), "instances");
      DAVIT_TRY(run_.runtime->wait_change(target_.selector, kPollMs, run_.call));
    }
  }

 private:
  [[nodiscard]] MonoMs now() const { return run_.services.clock.now_mono_ms(); }

  Result<std::vector<Instance>> look() {
    DAVIT_TRY_ASSIGN(auto instances, run_.runtime->inspect(target_.selector, run_.call));
    std::erase_if(instances, [&](const Instance& instance) {
      return instance.number < target_.from_number || instance.number > target_.to_number;
    });
    return instances;
  }

  // Up all the time between two looks, and what listened still does.
  static bool same_life(const Instance& before, const Instance& after) {
    return before.id == after.id && before.exits == after.exits && after.state == InstanceState::kUp &&
           (after.listening != Listening::kNo || before.listening == Listening::kNo);
  }

  Result<bool> ask_all(const std::vector<Instance>& instances) {
    ready_ = 0;
    for (const auto& [id, unused] : progress_) {
      if (std::ranges::find(instances, id, &Instance::id) == instances.end()) return taken_away(id);
    }
    for (const Instance& instance : instances) {
      if (instance.exits > kExitsAllowed || instance.state == InstanceState::kExited)
        return gave_up(instance);
      DAVIT_TRY_ASSIGN(const bool ready, ask(instance));
      if (ready) ++ready_;
    }
    if (ready_ == wanted()) return true;
    if (now() < deadline_ ||
        (instances.size() == wanted() &&
         std::ranges::none_of(instances, [&](const Instance& one) { return is_late(one); }))) {
      return false;
    }
    return out_of_time(instances);
  }

  [[nodiscard]] unsigned wanted() const { return target_.to_number - target_.from_number + 1; }

  // After the deadline. Whoever answers, however badly, has the attempts that its check says, and whoever is
  // not asked yet has the delay.
  bool is_late(const Instance& instance) {
    const Progress& progress = progress_[instance.id];
    if (instance.state != InstanceState::kUp) return true;
    if (progress.check >= target_.checks.size() || now() < progress.not_before) return false;
    return progress.not_there || progress.bad_answers == 0;
  }

  // Asks the instance's next question, if it is time. True when all are answered well.
  Result<bool> ask(const Instance& instance) {
    Progress& progress = progress_[instance.id];
    while (progress.check < target_.checks.size()) {
      const HealthCheck& check = target_.checks[progress.check];
      if (progress.not_before == 0) progress.not_before = now() + static_cast<MonoMs>(check.initial_delay_ms);
      if (now() < progress.not_before || instance.state != InstanceState::kUp) return false;
      const auto answer = ask_instance(run_.services, *run_.runtime, instance, check, run_.call);
      if (answer) {
        progress = Progress{progress.check + 1, 0, 0, false, {}};
        continue;
      }
      if (answer.error().code == Code::kCancelled) return fail(answer.error());
      progress.problem = answer.error().message;
      progress.not_there = answer.error().code == Code::kUnavailable;  // refused: it is still starting
      if (progress.not_there) return false;
      progress.not_before = now() + static_cast<MonoMs>(check.wait_ms);
      if (++progress.bad_answers < check.attempts) return false;
      report_failure(*run_.runtime, instance, check, run_.call);
      if (!check.warn) return refused(instance, check, progress);
      run_.call.out.warning(fmt::format("{}.{}: the check {} fails: {}", instance.process_type,
                                        instance.number, title_of(check), progress.problem));
      progress = Progress{progress.check + 1, 0, 0, false, {}};
    }
    return instance.state == InstanceState::kUp;
  }

  tl::unexpected<Error> gave_up(const Instance& instance) {
    show_log(instance);
    return fail(Code::kFailed,
                fmt::format("{}.{} exited with {} before it was ready", instance.process_type,
                            instance.number, instance.exit_code),
                fmt::format("Its last output is above, and in: davit logs:failed {}", run_.app.name),
                "instance-exited");
  }

  [[nodiscard]] tl::unexpected<Error> taken_away(const std::string& id) const {
    return fail(Code::kFailed, fmt::format("{} was removed before it was ready, and not by davit", id),
                "Leave what carries davit's labels to davit, and deploy again", "instance-gone");
  }

  tl::unexpected<Error> refused(const Instance& instance, const HealthCheck& check,
                                const Progress& progress) {
    show_log(instance);
    return fail(
        Code::kFailed,
        fmt::format("{}.{} failed its check{} {} times: {}", instance.process_type, instance.number,
                    check.name.empty() ? "" : " " + check.name, progress.bad_answers, progress.problem),
        "Mend the app, or the check (app.json healthchecks, CHECKS)", "check-failed");
  }

  tl::unexpected<Error> out_of_time(const std::vector<Instance>& instances) {
    for (const Instance& instance : instances) {
      const Progress& progress = progress_[instance.id];
      if (!is_late(instance)) continue;
      show_log(instance);
      return fail(Code::kFailed,
                  fmt::format("{}.{} was not ready in time: {}{}", instance.process_type, instance.number,
                              progress.problem, progress.not_there ? instead(instance) : ""),
                  fmt::format("A web process must listen on 0.0.0.0:$PORT, not on a port of its own or on "
                              "127.0.0.1 alone; more time: davit checks:set {} start-timeout SECONDS",
                              run_.app.name),
                  "check-timeout");
    }
    return fail(Code::kFailed, "Some instances did not start in time",
                fmt::format("See: davit ps:inspect {}", run_.app.name), "check-timeout");
  }

  void show_log(const Instance& instance) {
    Selector one = target_.selector;
    one.number = instance.number;
    LogQuery query;
    query.lines = kShownLogLines;
    const auto shown = run_.runtime->logs(
        one, query, [&](const LogLine& line) { run_.call.out.detail(line.text + "\n"); }, run_.call);
    if (!shown) run_.call.out.warning("Its output cannot be shown: " + shown.error().text());
  }

  DeploymentRun& run_;
  const CheckTarget& target_;
  MonoMs deadline_ = 0;
  std::map<std::string, Progress> progress_;
  unsigned ready_ = 0;
};

}  // namespace

std::vector<HealthCheck> checks_for(DeploymentRun& run, std::string_view process_type, bool listens) {
  for (const char* list : {"disabled", "skipped"}) {
    if (!lists_type(run.property("checks", list, ""), process_type)) continue;
    // A proxy sends no requests to what does not listen yet: that much is waited for.
    return listens ? std::vector<HealthCheck>{HealthCheck{}} : std::vector<HealthCheck>{};
  }
  return startup_checks(run.target ? run.target->spec.checks_json : std::string(), process_type, listens);
}

bool lists_type(std::string_view list, std::string_view process_type) {
  for (const std::string& type : split(list, ',')) {
    if (type == process_type || type == kEveryType) return true;
  }
  return false;
}

std::vector<HealthCheck> startup_checks(std::string_view checks_json, std::string_view process_type,
                                        bool listens) {
  auto own = checks_of(checks_from_json(checks_json), process_type, CheckPurpose::kStartup);
  const auto asks_port = [](const HealthCheck& check) {
    return check.kind == HealthCheck::Kind::kListening || check.kind == HealthCheck::Kind::kHttp;
  };
  // A proxy sends its requests at once: it must be there for them, whatever else makes it healthy.
  if (!own.empty() && listens && std::ranges::none_of(own, asks_port)) own.push_back(HealthCheck{});
  if (!own.empty()) return own;
  HealthCheck check;
  if (!listens) {
    check.kind = HealthCheck::Kind::kUptime;
    check.uptime_ms = kDefaultUptimeMs;
  }
  return {check};
}

Result<std::vector<Instance>> wait_until_healthy(DeploymentRun& run, const CheckTarget& target) {
  return Waiting(run, target).wait();
}

}  // namespace davit
