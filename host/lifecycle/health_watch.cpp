// Watching live instances.
#include "lifecycle/health_watch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/defaults.hpp"
#include "lifecycle/checks.hpp"
#include "lifecycle/identity.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/question.hpp"
#include "lifecycle/routes.hpp"

namespace davit {
namespace {

constexpr MonoMs kLeastWaitMs = 100;      // between two questions, whatever an app says
constexpr MonoMs kBusyWaitMs = 500;       // when the lock was taken
constexpr MonoMs kLongestWaitMs = 5'000;  // until instances are looked at again
constexpr MonoMs kStopSlackMs = 15'000;   // beyond the stop timeout, when the runtime kills
constexpr std::uint64_t kLookMs = 250;

// By its place in the list: names may repeat.
std::string key_of(const HealthCheck& check, std::size_t index) {
  return fmt::format("{} {}", name_of(check.purpose), index);
}

}  // namespace

Result<std::string> revision_to_watch(Store& store, AppId app) {
  DAVIT_TRY_ASSIGN(const auto groups, store.live_groups().live(app));
  DAVIT_TRY_ASSIGN(const auto release, store.releases().current(app));
  const bool wanted =
      !groups.empty() && release && has_watched_checks(checks_from_json(release->spec.checks_json));
  return wanted ? groups.front().revision : std::string();
}

void HealthWatch::say(const std::string& line) const {
  if (seams_.log) seams_.log(fmt::format("health app={} revision={} {}", app_->name, revision_, line));
}

// False: this revision does not live any more.
Result<bool> HealthWatch::load() {
  const bool first = !app_;
  AppId id{};
  if (first) {
    DAVIT_TRY_ASSIGN(const auto all, services_.store.live_groups().all());
    const auto ours = std::ranges::find(all, revision_, &LiveGroup::revision);
    if (ours == all.end()) return false;
    id = ours->app;
  } else {
    id = app_->id;
  }
  auto app = services_.store.apps().get(id);  // each time: it may have been renamed
  if (!app && app.error().code == Code::kNotFound) return false;
  if (!app) return fail(app.error());
  if (first) {
    DAVIT_TRY_ASSIGN(const auto release, services_.store.releases().current(id));
    if (!release) return false;
    checks_json_ = release->spec.checks_json;
    checks_ = checks_from_json(checks_json_);
    state_ = read_health(services_.store, id, revision_);
  }
  app_ = std::move(*app);  // the last: without it the next round loads all again
  DAVIT_TRY_ASSIGN(groups_, services_.store.live_groups().live(app_->id));
  std::erase_if(groups_, [&](const LiveGroup& group) { return group.revision != revision_; });
  return !groups_.empty();
}

Result<std::vector<HealthWatch::Found>> HealthWatch::look() {
  std::vector<Found> all;
  for (const LiveGroup& group : groups_) {
    const bool watched = !checks_of(checks_, group.process_type, CheckPurpose::kLiveness).empty() ||
                         !checks_of(checks_, group.process_type, CheckPurpose::kReadiness).empty();
    if (!watched) continue;
    DAVIT_TRY_ASSIGN(Runtime * runtime, services_.capabilities.runtime(group.runtime));
    DAVIT_TRY_ASSIGN(
        auto instances,
        runtime->inspect({OwnerKind::kApp, group.owner, revision_, group.process_type, 0}, call_));
    for (Instance& instance : instances) all.push_back({&group, std::move(instance)});
  }
  return all;
}

// An instance that is out without a readiness check of its own was started again: its startup checks say when
// it is back.
std::vector<HealthCheck> HealthWatch::readiness_of(const Found& found, bool ready) const {
  auto checks = checks_of(checks_, found.instance.process_type, CheckPurpose::kReadiness);
  if (!checks.empty() || ready) return checks;
  return startup_checks(checks_json_, found.instance.process_type, found.instance.process_type == kWebType);
}

/// Asks one check if it is due. True if it was.
bool HealthWatch::ask(const Found& found, Runtime& runtime, const HealthCheck& check,
                      const std::string& key) {
  const MonoMs now = services_.clock.now_mono_ms();
  Watched& watched = watched_[short_name(found.instance)];
  const auto [it, is_new] = watched.asked.try_emplace(key);
  Asked& asked = it->second;
  if (is_new) {
    const auto age_ms = services_.clock.now_unix_ms() - watched.since_ms;
    asked.next = now + std::max<MonoMs>(0, static_cast<MonoMs>(check.initial_delay_ms) - age_ms);
  }
  if (now < asked.next) return false;
  const auto answer = ask_instance(services_, runtime, found.instance, check, call_);
  asked.next = services_.clock.now_mono_ms() + std::max(kLeastWaitMs, static_cast<MonoMs>(check.wait_ms));
  asked.good = answer.has_value();
  if (answer) {
    asked.answered_well = true;
    asked.bad = 0;
    return true;
  }
  asked.problem = fmt::format("{}: {}", title_of(check), answer.error().text());
  // What is still starting is not dead.
  const auto start_ms = 1000 * services_.store.properties().number(app_->id, "checks", "start-timeout",
                                                                   defaults::kStartTimeoutS);
  const bool starting = !asked.answered_well &&
                        services_.clock.now_unix_ms() - watched.since_ms < static_cast<UnixMs>(start_ms);
  if (check.purpose == CheckPurpose::kLiveness && starting) return true;
  if (++asked.bad != check.attempts) return true;
  say(fmt::format("instance={} {} failed {} times: {}", short_name(found.instance), name_of(check.purpose),
                  asked.bad, asked.problem));
  report_failure(runtime, found.instance, check, call_);
  return true;
}

void HealthWatch::ask_all(const Found& found, Runtime& runtime) {
  const std::string name = short_name(found.instance);
  Watched& watched = watched_[name];
  watched.seen = true;
  if (watched.since_ms != found.instance.since_unix_ms) {
    watched.asked.clear();
    watched.since_ms = found.instance.since_unix_ms;
  }
  if (found.instance.state != InstanceState::kUp) return;  // the runtime starts it again, or gave it up
  const auto health = state_.instances.find(name);
  const bool ready = health == state_.instances.end() || health->second.ready;
  const auto live = checks_of(checks_, found.instance.process_type, CheckPurpose::kLiveness);
  const auto readiness = readiness_of(found, ready);
  for (std::size_t i = 0; i < live.size(); ++i) ask(found, runtime, live[i], key_of(live[i], i));
  for (std::size_t i = 0; i < readiness.size(); ++i)
    ask(found, runtime, readiness[i], key_of(readiness[i], i));
  judge(found);
}

// What the answers so far mean for this instance.
void HealthWatch::judge(const Found& found) {
  const std::string name = short_name(found.instance);
  Watched& watched = watched_[name];
  const auto health = state_.instances.find(name);
  const bool ready = health == state_.instances.end() || health->second.ready;
  const auto live = checks_of(checks_, found.instance.process_type, CheckPurpose::kLiveness);
  for (std::size_t i = 0; i < live.size(); ++i) {
    const Asked& asked = watched.asked[key_of(live[i], i)];
    if (!live[i].warn && asked.bad >= live[i].attempts) restart_.emplace(name, asked.problem);
  }
  const auto readiness = readiness_of(found, ready);
  bool all_good = true;
  for (std::size_t i = 0; i < readiness.size(); ++i) {
    const Asked& asked = watched.asked[key_of(readiness[i], i)];
    all_good = all_good && (asked.good || readiness[i].warn);
    if (!ready || readiness[i].warn || asked.bad < readiness[i].attempts) continue;
    InstanceHealth& now = state_.instances[name];
    now.ready = false;
    now.since_ms = services_.clock.now_unix_ms();
    now.problem = asked.problem;
    routes_stale_ = state_stale_ = true;
    return;
  }
  if (ready || !all_good || restart_.contains(name) || health->second.restarting) return;
  InstanceHealth& now = health->second;
  // Startup checks are over: asked no more, they would be due for ever.
  std::erase_if(watched.asked, [](const auto& item) { return item.first.starts_with("startup "); });
  now.ready = true;
  now.since_ms = services_.clock.now_unix_ms();
  routes_stale_ = state_stale_ = true;
}

// A deployment may have been left half done by a death: then whoever recovers it comes first.
Result<bool> HealthWatch::still_ours() {
  DAVIT_TRY_ASSIGN(const auto unfinished, services_.store.journal().unfinished(app_->id));
  for (const Deployment& deployment : unfinished) {
    const bool drains =
        deployment.state == DeploymentState::kDraining && deployment.owner && is_alive(*deployment.owner);
    if (!drains) return false;
  }
  return load();
}

Result<> HealthWatch::restart(const std::string& name, InstanceHealth& health) {
  for (const LiveGroup& group : groups_) {
    const auto dot = name.rfind('.');
    if (name.substr(0, dot) != group.process_type) continue;
    const auto number = static_cast<unsigned>(std::strtoul(name.c_str() + dot + 1, nullptr, 10));
    DAVIT_TRY_ASSIGN(Runtime * runtime, services_.capabilities.runtime(group.runtime));
    const Selector one{OwnerKind::kApp, group.owner, revision_, group.process_type, number};
    DAVIT_TRY(runtime->stop(one, call_));
    const auto limit_ms = 1000 * services_.store.properties().number(app_->id, "ps", "stop-timeout-seconds",
                                                                     defaults::kStopTimeoutS);
    const MonoMs until = services_.clock.now_mono_ms() + static_cast<MonoMs>(limit_ms) + kStopSlackMs;
    for (;;) {
      DAVIT_TRY_ASSIGN(const auto instances, runtime->inspect(one, call_));
      const bool ended = std::ranges::all_of(
          instances, [](const Instance& instance) { return instance.state == InstanceState::kExited; });
      if (ended || services_.clock.now_mono_ms() >= until) break;
      DAVIT_TRY(runtime->wait_change(one, kLookMs, call_));
    }
    DAVIT_TRY(runtime->start(one, call_));
  }
  health.restarting = false;
  watched_.erase(name);
  return {};
}

// Under the lock: the record first, then the routes, then the instances; each may be done twice.
Result<> HealthWatch::change() {
  for (auto& [name, why] : restart_) {
    InstanceHealth& health = state_.instances[name];
    health.problem = why;
    health.restarting = true;
    health.ready = false;
    health.since_ms = services_.clock.now_unix_ms();
    ++health.restarts;
    routes_stale_ = state_stale_ = true;
  }
  restart_.clear();
  if (state_stale_) DAVIT_TRY(write_health(services_.store, app_->id, state_));
  state_stale_ = false;
  services_.failpoint("health/host/state:written");
  if (routes_stale_) {
    DAVIT_TRY(reroute_app(services_, app_->name, call_));
    routes_stale_ = false;
    for (const auto& [name, health] : state_.instances) {
      say(fmt::format("instance={} {}{}", name, health.ready ? "gets requests" : "gets no requests: ",
                      health.ready ? std::string() : health.problem));
    }
  }
  services_.failpoint("health/host/routes:applied");
  for (auto& [name, health] : state_.instances) {
    if (!health.restarting) continue;
    say(fmt::format("instance={} is started again: {}", name, health.problem));
    DAVIT_TRY(restart(name, health));
    services_.failpoint("health/host/instance:restarted");
    DAVIT_TRY(write_health(services_.store, app_->id, state_));
  }
  return {};
}

MonoMs HealthWatch::next_round_ms() const {
  const MonoMs now = services_.clock.now_mono_ms();
  MonoMs wait = kLongestWaitMs;
  for (const auto& [name, watched] : watched_) {
    for (const auto& [key, asked] : watched.asked) wait = std::min(wait, asked.next - now);
  }
  return std::max(kLeastWaitMs, wait);
}

Result<std::optional<MonoMs>> HealthWatch::round() {
  DAVIT_TRY_ASSIGN(const bool lives, load());
  if (!lives) return std::optional<MonoMs>{};
  restart_.clear();  // judged anew: it may have come to itself while the lock was taken
  for (auto& [name, watched] : watched_) watched.seen = false;
  DAVIT_TRY_ASSIGN(const auto all, look());
  for (const Found& found : all) {
    if (call_.cancelled()) return std::optional<MonoMs>{0};
    DAVIT_TRY_ASSIGN(Runtime * runtime, services_.capabilities.runtime(found.group->runtime));
    ask_all(found, *runtime);
  }
  std::erase_if(watched_, [](const auto& item) { return !item.second.seen; });
  const bool restarting =
      std::ranges::any_of(state_.instances, [](const auto& item) { return item.second.restarting; });
  if (!routes_stale_ && !state_stale_ && !restarting && restart_.empty())
    return std::optional(next_round_ms());
  const auto lock = seams_.try_lock(*app_);
  if (!lock) return std::optional(std::min(kBusyWaitMs, next_round_ms()));
  DAVIT_TRY_ASSIGN(const bool ours, still_ours());
  if (!ours) return std::optional(kBusyWaitMs);
  DAVIT_TRY(change());
  return std::optional(next_round_ms());
}

}  // namespace davit
