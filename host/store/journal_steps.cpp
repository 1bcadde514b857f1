// The journal's steps: one row per deployment, phase, plugin and hook.
#include <fmt/format.h>

#include "store/database.hpp"
#include "store/journal.hpp"
#include "store/journal_ids.hpp"
#include "store/names.hpp"

namespace davit {
namespace {

#define DAVIT_STEP_COLUMNS                                                                                 \
  "SELECT id, deployment, seq, phase, plugin, hook, version, state, token, undo_attempts, started_at_ms, " \
  "finished_at_ms, note FROM steps "

Step read_step(Row row) {
  return {StepId{row.integer(0)},
          deployment_id(row.integer(1)),
          static_cast<std::uint32_t>(row.integer(2)),
          row.text(3),
          row.text(4),
          row.text(5),
          row.text(6),
          from_name(row.text(7), StepState::kFinished),
          row.text(8),
          static_cast<std::uint32_t>(row.integer(9)),
          row.integer(10),
          row.optional_integer(11),
          row.text(12)};
}

Error step_not_found() {
  return {Code::kNotFound, "The deployment's step does not exist", {}, "step-not-found", {}};
}

bool ends(StepState state) {
  return state == StepState::kApplied || state == StepState::kUndone || state == StepState::kFailed ||
         state == StepState::kFinished;
}

}  // namespace

std::string_view name_of(StepState state) {
  switch (state) {
    case StepState::kPrepared:
      return "prepared";
    case StepState::kApplying:
      return "applying";
    case StepState::kApplied:
      return "applied";
    case StepState::kUndoing:
      return "undoing";
    case StepState::kUndone:
      return "undone";
    case StepState::kFailed:
      return "failed";
    case StepState::kFinished:
      return "finished";
  }
  return "failed";
}

Result<StepId> Journal::begin_step(std::string_view deployment_id, const NewStep& step) {
  if (step.token.size() > kMaxTokenBytes) {
    return fail(Code::kInvalid,
                fmt::format("Plugin {} returned a token of {} bytes for {}", step.plugin, step.token.size(),
                            step.hook),
                fmt::format("A step's token has at most {} bytes: keep the rest in a file that it names",
                            kMaxTokenBytes),
                "token-too-large");
  }
  return database_.transaction([&]() -> Result<StepId> {
    DAVIT_TRY_ASSIGN(const auto deployment, get(deployment_id));
    const auto number = deployment_number(deployment.id);
    auto inserted = database_.run(
        "INSERT INTO steps (deployment, seq, phase, plugin, hook, version, state, token, started_at_ms, "
        "note) "
        "VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM steps WHERE deployment = ?1), ?2, ?3, ?4, ?5, "
        "'prepared', "
        "?6, ?7, ?8)",
        number, step.phase, step.plugin, step.hook, step.version, Blob{step.token}, clock_.now_unix_ms(),
        step.note);
    if (!inserted && inserted.error().slug == kSlugUnique) {
      return fail(Code::kConflict,
                  fmt::format("Deployment {} has a step {} of {} in {} already", deployment_id, step.hook,
                              step.plugin, step.phase),
                  {}, "step-exists");
    }
    if (!inserted) return fail(std::move(inserted).error());
    return StepId{database_.last_insert_id()};
  });
}

Result<> Journal::set_step_state(StepId step, StepState state, std::string_view note) {
  const std::optional<UnixMs> finished_ms =
      ends(state) ? std::optional<UnixMs>(clock_.now_unix_ms()) : std::nullopt;
  DAVIT_TRY_ASSIGN(
      const auto changed,
      database_.run("UPDATE steps SET state = ?2, undo_attempts = undo_attempts + ?3, finished_at_ms = ?4, "
                    "note = CASE WHEN ?5 = '' THEN note ELSE ?5 END WHERE id = ?1",
                    step, name_of(state), state == StepState::kUndoing, finished_ms, note));
  if (changed == 0) return fail(step_not_found());
  return {};
}

Result<> Journal::put_off_undo(StepId step, std::string_view note) {
  DAVIT_TRY_ASSIGN(const auto changed,
                   database_.run("UPDATE steps SET undo_attempts = max(0, undo_attempts - 1), note = ?2 "
                                 "WHERE id = ?1",
                                 step, note));
  if (changed == 0) return fail(step_not_found());
  return {};
}

Result<Step> Journal::step(StepId step) {
  DAVIT_TRY_ASSIGN(auto found, database_.first(DAVIT_STEP_COLUMNS "WHERE id = ?1", read_step, step));
  if (!found) return fail(step_not_found());
  return std::move(*found);
}

Result<std::vector<Step>> Journal::read_steps(std::string_view deployment_id, bool reversed) {
  const auto number = deployment_number(deployment_id);
  if (!number) return fail(deployment_not_found(deployment_id));
  return reversed
             ? database_.collect(DAVIT_STEP_COLUMNS "WHERE deployment = ?1 ORDER BY seq DESC", read_step,
                                 *number)
             : database_.collect(DAVIT_STEP_COLUMNS "WHERE deployment = ?1 ORDER BY seq", read_step, *number);
}

Result<std::vector<Step>> Journal::steps(std::string_view deployment_id) {
  return read_steps(deployment_id, false);
}

Result<std::vector<Step>> Journal::steps_reversed(std::string_view deployment_id) {
  return read_steps(deployment_id, true);
}

}  // namespace davit
