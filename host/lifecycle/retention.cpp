// What a finished deployment lets go of.
#include "lifecycle/retention.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "lifecycle/slug_store.hpp"

namespace davit {
namespace {

constexpr std::size_t kKeptReleases = 10;
constexpr std::size_t kKeptDeployments = 100;

Result<> forget_old(DeploymentRun& run) {
  auto& store = run.services.store;
  DAVIT_TRY_ASSIGN(const auto old, store.releases().expendable(run.app.id, kKeptReleases));
  if (!old.empty()) DAVIT_TRY(store.releases().forget(run.app.id, old));
  DAVIT_TRY_ASSIGN(const auto needed, store.releases().artifact_refs(run.app.id));
  DAVIT_TRY(sweep_slugs(run.services.home, run.app.name, needed));
  DAVIT_TRY_ASSIGN(const auto pruned, store.journal().prune(run.app.id, kKeptDeployments));
  for (const std::string& id : pruned) {
    std::error_code error;
    std::filesystem::remove(run.services.home.deploy_log(id), error);
    DAVIT_TRY(run.services.sources.forget(run.app.name, id));
  }
  return {};
}

}  // namespace

void apply_retention(DeploymentRun& run) {
  if (auto done = forget_old(run); !done) {
    run.call.out.warning(fmt::format("Old releases could not be cleared: {}", done.error().text()));
  }
}

}  // namespace davit
