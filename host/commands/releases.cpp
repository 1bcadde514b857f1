// releases: list, info, rollback.
#include <fmt/format.h>

#include <charconv>

#include "cli/json.hpp"
#include "cli/layout.hpp"
#include "commands/change.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

Result<std::uint32_t> version_of(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('v')) digits.remove_prefix(1);
  std::uint32_t version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error != std::errc{} || end != digits.data() + digits.size() || version == 0) {
    return fail(Code::kInvalid, fmt::format("{} is not a release", text),
                "Releases are v1, v2, ...: see releases:list");
  }
  return version;
}

std::string json_of(const ReleaseSummary& release) {
  return JsonObject()
      .number("version", release.version)
      .text("state", name_of(release.state))
      .text("created-at", iso8601_utc(release.created_at_ms))
      .text("description", release.description)
      .text("actor", release.actor)
      .text("revision", release.revision)
      .text("builder", release.builder)
      .text("runtime", release.runtime)
      .str();
}

Result<int> list(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const auto releases, store->releases().list(app.id));
  if (args.json()) {
    std::vector<std::string> items;
    for (const ReleaseSummary& release : releases) items.push_back(json_of(release));
    session.out().result(json_array(items) + "\n");
    return 0;
  }
  session.out().header(fmt::format("{} releases", app.name));
  std::vector<std::vector<std::string>> rows;
  for (const ReleaseSummary& release : releases) {
    rows.push_back({fmt::format("v{}", release.version), std::string(name_of(release.state)),
                    iso8601_utc(release.created_at_ms), release.actor, release.description});
  }
  session.out().result(columns(rows));
  return 0;
}

void add_facts(Report& report, const Release& release) {
  const ReleaseSpec& spec = release.spec;
  report.add("release-version", fmt::format("v{}", release.version));
  report.add("release-state", std::string(name_of(release.state)));
  report.add("release-created-at", iso8601_utc(release.created_at_ms));
  report.add("release-description", spec.description);
  report.add("release-actor", spec.actor);
  report.add("release-revision", spec.revision);
  report.add("release-source", spec.source);
  report.add("release-builder", spec.builder);
  report.add("release-runtime", spec.runtime);
  report.add("release-stack", spec.stack);
  report.add("release-artifact", spec.artifact.digest);
  report.add("release-artifact-bytes", std::to_string(spec.artifact.size_bytes));
  for (const ReleaseProcess& process : spec.processes) report.add("process-" + process.type, process.command);
  std::string keys;  // the names only: values may be secrets
  for (const auto& [key, value] : spec.config) keys += (keys.empty() ? "" : " ") + key;
  report.add("release-config-keys", keys);
}

Result<int> info(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  std::optional<Release> release;
  if (args.args.empty()) {
    DAVIT_TRY_ASSIGN(release, store->releases().current(app.id));
    if (!release) return fail(session.not_deployed(app));
  } else {
    DAVIT_TRY_ASSIGN(const std::uint32_t version, version_of(args.args.front()));
    DAVIT_TRY_ASSIGN(release, store->releases().get(app.id, version));
  }
  Report report("release", app.name);
  add_facts(report, *release);
  if (args.json()) {
    session.out().result(report.json() + "\n");
  } else {
    session.out().header(report.header());
    session.out().result(report.text());
  }
  return 0;
}

Result<int> rollback(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  std::uint32_t version = 0;
  if (args.args.empty()) {
    DAVIT_TRY_ASSIGN(const auto previous, store->releases().previous_live(app.id));
    if (!previous)
      return fail(Code::kNotFound, fmt::format("No release of {} was live before this one", app.name));
    version = *previous;
  } else {
    DAVIT_TRY_ASSIGN(version, version_of(args.args.front()));
    DAVIT_TRY(store->releases().get(app.id, version));
  }
  session.out().step(fmt::format("Rolling {} back to v{}", app.name, version));
  const std::string request = JsonObject()
                                  .number("version", version)
                                  .boolean("with_scale", args.has("with-scale"))
                                  .boolean("with_domains", args.has("with-domains"))
                                  .str();
  return change_app(session, app, {"releases:rollback", "rollback", request, args.has("no-wait")});
}

constexpr CliFlag kFormat[] = {kFormatFlag};
constexpr CliFlag kRollbackFlags[] = {{"with-scale", "", "Also the quantities of that release"},
                                      {"with-domains", "", "Also the domains of that release"},
                                      kNoWaitFlag};

}  // namespace

std::span<const CoreCommand> release_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "releases:info",
        .usage = "[--format text|json] <app> [<version>]",
        .summary = "Show what a release is made of",
        .app = AppArgument::kExisting,
        .maximum_args = 1,
        .flags = kFormat},
       info},
      {{.name = "releases:list",
        .usage = "[--format text|json] <app>",
        .summary = "List the releases of an app, the newest first",
        .app = AppArgument::kExisting,
        .flags = kFormat},
       list},
      {{.name = "releases:rollback",
        .usage = "[--with-scale] [--with-domains] <app> [<version>]",
        .summary = "Make an older release live again, without a build",
        .app = AppArgument::kExisting,
        .maximum_args = 1,
        .flags = kRollbackFlags},
       rollback},
  };
  return kCommands;
}

}  // namespace davit
