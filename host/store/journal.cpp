// The journal's deployments. Their steps: journal_steps.cpp.
#include "store/journal.hpp"

#include <fmt/format.h>

#include "store/database.hpp"
#include "store/journal_ids.hpp"
#include "store/names.hpp"

namespace davit {
namespace {

constexpr std::int64_t kNoLimit = -1;

#define DAVIT_DEPLOYMENT_COLUMNS                                                                         \
  "SELECT number, app, app_name, kind, state, phase, request_json, actor, from_version, to_version, "    \
  "owner_boot_id, "                                                                                      \
  "owner_pid, owner_start_time, cancel_requested, error_slug, error_message, error_hint, error_plugin, " \
  "created_at_ms, started_at_ms, committed_at_ms, finished_at_ms FROM deployments "

Deployment read_deployment(Row row) {
  Deployment deployment;
  deployment.id = deployment_id(row.integer(0));
  deployment.app = AppId{row.integer(1)};
  deployment.app_name = row.text(2);
  deployment.kind = row.text(3);
  deployment.state = from_name(row.text(4), DeploymentState::kStuck);
  deployment.phase = row.text(5);
  deployment.request_json = row.text(6);
  deployment.actor = row.text(7);
  deployment.from_version = row.optional_integer<std::uint32_t>(8);
  deployment.to_version = row.optional_integer<std::uint32_t>(9);
  if (!row.is_null(10)) {
    deployment.owner = ProcessIdentity{row.text(10), static_cast<std::int32_t>(row.integer(11)),
                                       static_cast<std::uint64_t>(row.integer(12))};
  }
  deployment.cancel_requested = row.integer(13) != 0;
  if (!row.is_null(15))
    deployment.error = DeploymentError{row.text(14), row.text(15), row.text(16), row.text(17)};
  deployment.created_at_ms = row.integer(18);
  deployment.started_at_ms = row.optional_integer(19);
  deployment.committed_at_ms = row.optional_integer(20);
  deployment.finished_at_ms = row.optional_integer(21);
  return deployment;
}

Result<std::int64_t> number_of(std::string_view id) {
  if (const auto number = deployment_number(id)) return *number;
  return fail(deployment_not_found(id));
}

Result<> require_one(Result<std::int64_t> changed, std::string_view id) {
  if (!changed) return fail(std::move(changed).error());
  if (*changed == 0) return fail(deployment_not_found(id));
  return {};
}

}  // namespace

std::string_view name_of(DeploymentState state) {
  switch (state) {
    case DeploymentState::kQueued:
      return "queued";
    case DeploymentState::kRunning:
      return "running";
    case DeploymentState::kCommitted:
      return "committed";
    case DeploymentState::kDraining:
      return "draining";
    case DeploymentState::kDone:
      return "done";
    case DeploymentState::kFailed:
      return "failed";
    case DeploymentState::kUndone:
      return "undone";
    case DeploymentState::kCancelled:
      return "cancelled";
    case DeploymentState::kStuck:
      return "stuck";
  }
  return "stuck";
}

bool is_finished(DeploymentState state) {
  return state == DeploymentState::kDone || state == DeploymentState::kFailed ||
         state == DeploymentState::kUndone || state == DeploymentState::kCancelled;
}

Result<Deployment> Journal::open(const NewDeployment& deployment) {
  // The name is read in the same statement, so that no row is made for an app that is gone.
  DAVIT_TRY_ASSIGN(const auto inserted,
                   database_.run("INSERT INTO deployments (app, app_name, kind, state, request_json, actor, "
                                 "from_version, created_at_ms) SELECT id, name, ?2, 'queued', ?3, ?4, ?5, ?6 "
                                 "FROM apps WHERE id = ?1 AND id > 0",
                                 deployment.app, deployment.kind, deployment.request_json, deployment.actor,
                                 deployment.from_version, clock_.now_unix_ms()));
  if (inserted == 0) return fail(Code::kNotFound, "The app does not exist (any more)", {}, "app-not-found");
  return get(deployment_id(database_.last_insert_id()));
}

Result<Deployment> Journal::get(std::string_view deployment_id) {
  DAVIT_TRY_ASSIGN(const auto number, number_of(deployment_id));
  DAVIT_TRY_ASSIGN(auto deployment,
                   database_.first(DAVIT_DEPLOYMENT_COLUMNS "WHERE number = ?1", read_deployment, number));
  if (!deployment) return fail(deployment_not_found(deployment_id));
  return std::move(*deployment);
}

Result<> Journal::claim(std::string_view deployment_id, const std::optional<ProcessIdentity>& seen,
                        const ProcessIdentity& owner) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const auto deployment, get(deployment_id));
    if (deployment.owner != seen) {
      return fail(Code::kConflict,
                  fmt::format("Deployment {} has been taken over by another process", deployment_id),
                  "Wait for it, or see: davit deploys:info", "deployment-owned");
    }
    DAVIT_TRY_ASSIGN(const auto number, number_of(deployment_id));
    return require_one(
        database_.run("UPDATE deployments SET owner_boot_id = ?2, owner_pid = ?3, owner_start_time = ?4 "
                      "WHERE number = ?1",
                      number, owner.boot_id, owner.pid, owner.start_time_ticks),
        deployment_id);
  });
}

Result<> Journal::set_state(std::string_view deployment_id, DeploymentState state) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const auto before, get(deployment_id));
    if (before.state == state) return {};
    if (is_finished(before.state)) {
      return fail(Code::kConflict,
                  fmt::format("Deployment {} is finished already: {}", deployment_id, name_of(before.state)),
                  {}, "deployment-finished");
    }
    DAVIT_TRY_ASSIGN(const auto number, number_of(deployment_id));
    const UnixMs now_ms = clock_.now_unix_ms();
    const auto when = [&](bool reached) { return reached ? std::optional<UnixMs>(now_ms) : std::nullopt; };
    return require_one(
        database_.run("UPDATE deployments SET state = ?2, started_at_ms = coalesce(started_at_ms, ?3), "
                      "committed_at_ms = coalesce(committed_at_ms, ?4), finished_at_ms = ?5 "
                      "WHERE number = ?1",
                      number, name_of(state), when(state == DeploymentState::kRunning),
                      when(state == DeploymentState::kCommitted), when(is_finished(state))),
        deployment_id);
  });
}

Result<> Journal::fail_with(std::string_view deployment_id, DeploymentState state,
                            const DeploymentError& error) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY(set_state(deployment_id, state));
    DAVIT_TRY_ASSIGN(const auto number, number_of(deployment_id));
    return require_one(
        database_.run("UPDATE deployments SET error_slug = ?2, error_message = ?3, error_hint = ?4, "
                      "error_plugin = ?5 WHERE number = ?1",
                      number, error.slug, error.message, error.hint, error.plugin),
        deployment_id);
  });
}

Result<> Journal::set_phase(std::string_view deployment_id, std::string_view phase) {
  DAVIT_TRY_ASSIGN(const auto number, number_of(deployment_id));
  return require_one(database_.run("UPDATE deployments SET phase = ?2 WHERE number = ?1", number, phase),
                     deployment_id);
}

Result<> Journal::set_to_version(std::string_view deployment_id, std::uint32_t version) {
  DAVIT_TRY_ASSIGN(const auto number, number_of(deployment_id));
  return require_one(
      database_.run("UPDATE deployments SET to_version = ?2 WHERE number = ?1", number, version),
      deployment_id);
}

Result<bool> Journal::request_cancel(std::string_view deployment_id) {
  return database_.transaction([&]() -> Result<bool> {
    DAVIT_TRY_ASSIGN(const auto number, number_of(deployment_id));
    DAVIT_TRY_ASSIGN(const auto changed, database_.run("UPDATE deployments SET cancel_requested = 1 "
                                                       "WHERE number = ?1 AND state IN ('queued', 'running')",
                                                       number));
    if (changed > 0) return true;
    DAVIT_TRY(get(deployment_id));
    return false;
  });
}

Result<bool> Journal::cancel_requested(std::string_view deployment_id) {
  DAVIT_TRY_ASSIGN(const auto number, number_of(deployment_id));
  DAVIT_TRY_ASSIGN(const auto requested, database_.first(
                                             "SELECT cancel_requested FROM deployments WHERE number = ?1",
                                             [](Row row) { return row.integer(0) != 0; }, number));
  if (!requested) return fail(deployment_not_found(deployment_id));
  return *requested;
}

Result<std::vector<Deployment>> Journal::unfinished(AppId app) {
  return database_.collect(DAVIT_DEPLOYMENT_COLUMNS
                           "WHERE app = ?1 AND finished_at_ms IS NULL AND state <> 'stuck' ORDER BY number",
                           read_deployment, app);
}

Result<std::vector<Deployment>> Journal::unfinished() {
  return database_.collect(DAVIT_DEPLOYMENT_COLUMNS
                           "WHERE finished_at_ms IS NULL AND state <> 'stuck' ORDER BY number",
                           read_deployment);
}

Result<std::vector<Deployment>> Journal::stuck() {
  return database_.collect(DAVIT_DEPLOYMENT_COLUMNS
                           "WHERE finished_at_ms IS NULL AND state = 'stuck' ORDER BY number",
                           read_deployment);
}

Result<std::vector<Deployment>> Journal::history(AppId app, std::size_t limit) {
  const std::int64_t rows = limit == 0 ? kNoLimit : static_cast<std::int64_t>(limit);
  if (app == AppId::kGlobal) {
    return database_.collect(DAVIT_DEPLOYMENT_COLUMNS "ORDER BY number DESC LIMIT ?1", read_deployment, rows);
  }
  return database_.collect(DAVIT_DEPLOYMENT_COLUMNS "WHERE app = ?1 ORDER BY number DESC LIMIT ?2",
                           read_deployment, app, rows);
}

Result<std::vector<std::string>> Journal::prune(AppId app, std::size_t keep) {
  // collect() runs the DELETE to its end: RETURNING gives the rows only after all of them are gone.
  return database_.collect(
      "DELETE FROM deployments WHERE number IN (SELECT number FROM deployments WHERE app = ?1 "
      "AND finished_at_ms IS NOT NULL ORDER BY number DESC LIMIT -1 OFFSET ?2) RETURNING number",
      [](Row row) { return deployment_id(row.integer(0)); }, app, keep);
}

}  // namespace davit
