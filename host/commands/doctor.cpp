// doctor: the whole installation at a glance: home, store, repositories, deployments that hang, plugins.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <tuple>

#include "base/defaults.hpp"
#include "commands/findings.hpp"
#include "commands/table.hpp"
#include "git/repository.hpp"
#include "git/source_rules.hpp"
#include "lifecycle/identity.hpp"

namespace davit {
namespace {

constexpr std::uint64_t kLowDiskBytes = 1024ULL * 1024 * 1024;

using Findings = std::vector<DoctorFinding>;

void ok(Findings& findings, std::string what) {
  findings.push_back({"host", "ok", std::move(what), {}});
}
void problem(Findings& findings, std::string what, std::string hint) {
  findings.push_back({"host", "problem", std::move(what), std::move(hint)});
}
void warning(Findings& findings, std::string what, std::string hint) {
  findings.push_back({"host", "warning", std::move(what), std::move(hint)});
}

void look_at_home(const Session& session, Findings& findings) {
  const std::string root = session.home().root.string();
  struct stat info {};
  if (::stat(root.c_str(), &info) != 0)
    return problem(findings, "The home cannot be read", "Run: davit init");
  if ((info.st_mode & 022) != 0) {
    problem(findings, fmt::format("{} can be written by others", root),
            fmt::format("Run: chmod go-w {}", root));
  }
  struct statvfs disk {};
  if (::statvfs(root.c_str(), &disk) == 0) {
    const std::uint64_t free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
    if (free_bytes < kLowDiskBytes) {
      warning(findings, fmt::format("Only {} MB are free on the home's disk", free_bytes / 1'000'000),
              "Builds need room; see what can go: davit system:collect --dry-run");
    }
    if ((disk.f_flag & ST_RDONLY) != 0)
      problem(findings, "The home's disk is read-only", "Mount it for writing");
  }
  ok(findings, fmt::format("The home is {}", root));
}

/// The hook names davit's path and the home's: it is made anew when one of them has moved.
void look_at_repository(Session& session, Store& store, const std::string& app, Findings& findings) {
  const Installation& installation = session.where().installation;
  const auto wrong = repository_problems(session.home(), installation, app);
  if (wrong.empty()) return;
  const auto record = store.apps().get(app);
  const auto limit = record ? SourceRules(store, record->id).max_push_bytes() : defaults::kMaxPushBytes;
  const auto mended = create_repository(session.home(), installation, session.processes(), app, limit);
  for (const std::string& what : wrong) {
    const std::string text = fmt::format("Repository of {}: {}", app, what);
    if (mended) {
      warning(findings, text, "It is mended now; push again if a push was not deployed");
    } else {
      problem(findings, text, fmt::format("It cannot be mended: {}", mended.error().text()));
    }
  }
}

Result<> look_at_store(Session& session, Findings& findings) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  if (auto good = store->check(); !good) {
    problem(findings, good.error().text(), good.error().hint);
  } else {
    ok(findings, fmt::format("The store is sound (schema {})", store->schema_version()));
  }
  DAVIT_TRY_ASSIGN(const auto stuck, store->journal().stuck());
  for (const Deployment& deployment : stuck) {
    const std::string why = deployment.error ? ": " + deployment.error->message : "";
    problem(findings, fmt::format("Deployment {} of {} is stuck{}", deployment.id, deployment.app_name, why),
            fmt::format("Look at it with deploys:info, then: davit deploys:cancel --force {}",
                        deployment.app_name));
  }
  DAVIT_TRY_ASSIGN(const auto unfinished, store->journal().unfinished());
  for (const Deployment& deployment : unfinished) {
    if (!deployment.error || (deployment.owner && is_alive(*deployment.owner))) continue;
    DAVIT_TRY_ASSIGN(const auto steps, store->journal().steps(deployment.id));
    const auto step = std::ranges::find(steps, StepState::kUndoing, &Step::state);
    const std::string why = step != steps.end() && !step->note.empty() ? ": " + step->note : "";
    problem(
        findings,
        fmt::format("Deployment {} of {} failed, and could not be taken back yet{}", deployment.id,
                    deployment.app_name, why),
        fmt::format("davit system:start takes it back, and so does the next command that changes the app; to "
                    "give it up: davit deploys:cancel --force {}",
                    deployment.app_name));
  }
  DAVIT_TRY_ASSIGN(const auto names, store->apps().names());
  for (const std::string& name : names) look_at_repository(session, *store, name, findings);
  ok(findings, fmt::format("{} app{}", names.size(), names.size() == 1 ? "" : "s"));
  return {};
}

/// What [host] chooses must be there: without it no app can be deployed or started again.
void look_at_choices(Session& session, Findings& findings) {
  const auto catalog = session.catalog();
  if (!catalog) return;  // plugin_findings says why
  const HostSettings& host = (*catalog)->host();
  for (const auto& [key, id, interface_id] : {std::tuple{"runtime", host.runtime, "davit.runtime/1"},
                                              std::tuple{"proxy", host.proxy, "davit.proxy/1"}}) {
    if (id.empty()) continue;
    const CatalogEntry* plugin = (*catalog)->find(id);
    if (plugin != nullptr && plugin->usable() && plugin->note.provides_interface(interface_id)) continue;
    problem(findings,
            fmt::format("{} = \"{}\" in [host] of plugins.toml, and no such plugin is enabled", key, id),
            fmt::format("Enable it, or name another: davit plugin:list shows what provides a {}", key));
  }
}

Result<int> doctor(Session& session, const Arguments& args) {
  Findings findings;
  look_at_home(session, findings);
  if (auto looked = look_at_store(session, findings); !looked) {
    problem(findings, looked.error().text(), looked.error().hint);
  }
  look_at_choices(session, findings);
  auto plugins = plugin_findings(session);
  if (plugins) {
    findings.insert(findings.end(), plugins->begin(), plugins->end());
  } else {
    problem(findings, plugins.error().text(), plugins.error().hint);
  }
  return show_findings(session, findings, args.json());
}

constexpr CliFlag kFormat[] = {kFormatFlag};

}  // namespace

std::span<const CoreCommand> doctor_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "doctor",
        .usage = "[--format text|json]",
        .summary = "Look for what is wrong with this home and its plugins",
        .flags = kFormat},
       doctor},
  };
  return kCommands;
}

}  // namespace davit
