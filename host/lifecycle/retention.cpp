// What a finished deployment lets go of.
#include "lifecycle/retention.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "lifecycle/slug_store.hpp"

namespace davit {
namespace {

// We run outside the app's lock: a deployment beside us may have stored a slug whose release has no row yet.
Result<bool> another_is_at_work(DeploymentRun& run) {
  DAVIT_TRY_ASSIGN(const auto unfinished, run.services.store.journal().unfinished(run.app.id));
  return std::any_of(unfinished.begin(), unfinished.end(), [&](const Deployment& deployment) {
    const bool before_switch =
        deployment.state == DeploymentState::kQueued || deployment.state == DeploymentState::kRunning;
    return deployment.id != run.deployment.id && before_switch;
  });
}

Result<> forget_old(DeploymentRun& run) {
  auto& store = run.services.store;
  DAVIT_TRY_ASSIGN(const bool busy, another_is_at_work(run));
  if (busy) return {};  // it clears up itself when it is done
  const RetentionRules rules = retention_rules(store, run.app.id);
  DAVIT_TRY_ASSIGN(const auto old, store.releases().expendable(run.app.id, rules.releases));
  if (!old.empty()) DAVIT_TRY(store.releases().forget(run.app.id, old));
  DAVIT_TRY_ASSIGN(const auto needed, store.releases().artifact_refs(run.app.id));
  DAVIT_TRY(sweep_slugs(run.services.home, run.app.name, needed));
  DAVIT_TRY_ASSIGN(const auto pruned, store.journal().prune(run.app.id, rules.deployments));
  for (const std::string& id : pruned) {
    std::error_code error;
    std::filesystem::remove(run.services.home.deploy_log(id), error);
    DAVIT_TRY(run.services.sources.forget(run.app.name, id));
  }
  return run.services.sources.tidy(run.app.name);
}

}  // namespace

RetentionRules retention_rules(Store& store, AppId app) {
  const auto number = [&](std::string_view key, std::uint64_t otherwise) {
    return store.properties().number(app, "retention", key, otherwise);
  };
  RetentionRules rules;
  rules.releases = number("releases", rules.releases);
  rules.deployments = number("deployments", rules.deployments);
  rules.cache_days = number("cache-days", rules.cache_days);
  rules.cache_mib = number("cache-mib", rules.cache_mib);
  rules.log_days = number("log-days", rules.log_days);
  return rules;
}

void apply_retention(DeploymentRun& run) {
  if (auto done = forget_old(run); !done) {
    run.call.out.warning(fmt::format("Old releases could not be cleared: {}", done.error().text()));
  }
}

}  // namespace davit
