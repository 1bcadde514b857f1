// The entry of buildstep: what the host calls, turned into the classes beside this file.
#include "davit/plugin.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include <fmt/core.h>

#include "build.hpp"
#include "commands.hpp"
#include "download_commands.hpp"
#include "files.hpp"
#include "host_adapters.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

std::string value_of(const sdk::Pairs& pairs, std::string_view name) {
  const auto found = std::ranges::find(pairs, name, &std::pair<std::string, std::string>::first);
  return found == pairs.end() ? std::string() : found->second;
}

bool is_variable(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

/// A failed build has downloaded, too. What cannot be tidied up now is tidied up after the next build.
class SettleAtEnd {
 public:
  SettleAtEnd(const sdk::Call& call, const AppDownloads& downloads, const std::string& app)
      : call_(call), downloads_(downloads), app_(app) {}
  SettleAtEnd(const SettleAtEnd&) = delete;
  SettleAtEnd& operator=(const SettleAtEnd&) = delete;
  ~SettleAtEnd() {
    try {
      downloads_.settle(app_);
    } catch (const std::exception& error) {
      call_.log_warn(fmt::format("the download cache of {} is not tidied up: {}", app_, error.what()));
    }
  }

 private:
  const sdk::Call& call_;
  const AppDownloads& downloads_;
  const std::string& app_;
};

class Buildstep : public sdk::Plugin,
                  public sdk::Builder,
                  public sdk::Commands,
                  public sdk::Hooks,
                  public sdk::Doctor {
 public:
  sdk::Detection detect(const sdk::Call& call, const sdk::Build& build) override;
  void build(const sdk::Call& call, const sdk::Build& build, const sdk::BuildResult& result) override;
  std::int32_t run_command(const sdk::Call& call, const sdk::Command& command) override {
    if (command.name.starts_with("downloads:")) return DownloadCommands(host(), call).run(command);
    return BuildpackCommands(host(), call).run(command);
  }
  void apply_step(const sdk::Call& call, const sdk::Event& event, std::string_view token) override;
  void examine(const sdk::Call& call, const sdk::Findings& findings) override;

 private:
  BuildConfig build_config(const sdk::Call& call, const std::string& app) const;
  DownloadPlan download_plan(const sdk::Call& call, const AppDownloads& downloads,
                             const std::string& app) const;
  StoreConfig store_config(const sdk::Call& call, const std::string& app) const;
  void empty_cache_if_asked(const sdk::Call& call, const sdk::Build& build) const;
};

sdk::Detection Buildstep::detect(const sdk::Call& call, const sdk::Build& build) {
  const fs::path source = build.source_dir;
  if (!host().properties(call).list(build.app, kGroup, "list").empty())
    return {90, "buildpacks are set for the app"};
  if (!value_of(build.env, "BUILDPACK_URL").empty()) return {90, "BUILDPACK_URL is set"};
  if (fs::exists(fs::symlink_status(source / ".buildpacks"))) return {90, "the app has a .buildpacks file"};
  for (const char* name : {"package.json", "requirements.txt", "pyproject.toml", "Pipfile", "static.json",
                           "Procfile", "index.html", "public/index.html", "dist/index.html"}) {
    if (fs::exists(fs::symlink_status(source / name))) return {40, fmt::format("the app has {}", name)};
  }
  return {10, "any app may have a buildpack"};
}

BuildConfig Buildstep::build_config(const sdk::Call& call, const std::string& app) const {
  const sdk::Settings settings = host().settings(call);
  const sdk::Properties properties = host().properties(call);
  BuildConfig config;
  config.share = host().paths(call).share();
  config.stack = properties.get(app, kGroup, "stack").value_or("");
  if (config.stack.empty()) config.stack = settings.get_or("stack", "heroku-22");
  config.listed = properties.list(app, kGroup, "list");
  config.detection_order = settings.items("detect");
  config.limits.time_ms = settings.duration_ms("build-timeout", 0);
  config.limits.memory_bytes = settings.size_bytes("build-memory", 0);
  config.limits.pids = static_cast<std::uint32_t>(settings.integer("build-processes", 0));
  config.limits.file_bytes = settings.size_bytes("build-file-size", 0);
  config.slug_limits.tree_bytes = settings.size_bytes("max-app-size", 0);
  config.slug_limits.files = static_cast<std::uint64_t>(settings.integer("max-app-files", 0));
  config.slug_limits.slug_bytes = settings.size_bytes("max-slug-size", 0);
  return config;
}

DownloadPlan Buildstep::download_plan(const sdk::Call& call, const AppDownloads& downloads,
                                      const std::string& app) const {
  const sdk::Settings settings = host().settings(call);
  DownloadPlan plan;
  if (!downloads.is_on(app, "wrapper")) return plan;
  plan.wrappers = fs::path(host().paths(call).libexec()) / "downloads";
  plan.attempts =
      static_cast<unsigned>(std::clamp<std::int64_t>(settings.integer("download-attempts", 5), 1, 100));
  plan.retry_delay_ms = settings.duration_ms("download-retry-delay", 1000);
  plan.stall_time_ms = settings.duration_ms("download-stall-time", 30'000);
  plan.most_bytes = settings.size_bytes("download-cache-size", 0);
  if (plan.most_bytes != 0 && downloads.is_on(app, "cache"))
    plan.cache = downloads.store().folder(downloads.id(app));
  return plan;
}

StoreConfig Buildstep::store_config(const sdk::Call& call, const std::string& app) const {
  StoreConfig config;
  const sdk::Paths paths = host().paths(call);
  config.shipped = fs::path(paths.share()) / "buildpacks";
  config.state = paths.state();
  config.timeout_ms = host().settings(call).duration_ms("fetch-timeout", config.timeout_ms);
  config.use_of_path = [this, call, app](const std::string& named, const fs::path& real) {
    if (host().kv(call).get(app, std::string(kTrustedPrefix) + named)) return PathUse::kAsItIs;
    for (const std::string& folder : host().settings(call).items("local-buildpacks")) {
      if (is_below(real, fs::weakly_canonical(folder))) return PathUse::kAsItIs;
    }
    return is_below(real, fs::weakly_canonical(host().paths(call).home())) ? PathUse::kNever
                                                                           : PathUse::kIfPublic;
  };
  return config;
}

void Buildstep::empty_cache_if_asked(const sdk::Call& call, const sdk::Build& build) const {
  if (!host().kv(call).get(build.app, kPurgeKey)) return;
  for (const auto& entry : fs::directory_iterator(build.cache_dir)) fs::remove_all(entry.path());
  host().kv(call).erase(build.app, kPurgeKey);
  call.step("The build cache was emptied");
}

void Buildstep::build(const sdk::Call& call, const sdk::Build& build, const sdk::BuildResult& result) {
  empty_cache_if_asked(call, build);
  CallScreen screen(call);
  HostPrograms programs(host(), call);
  HostSandbox sandbox(host(), call);
  BuildpackStore store(programs, screen, store_config(call, build.app));
  const AppDownloads downloads(host(), call);
  BuildConfig config = build_config(call, build.app);
  config.downloads = download_plan(call, downloads, build.app);
  const SettleAtEnd settle(call, downloads, build.app);
  BuildRun run(std::move(config), store, sandbox, programs, screen);
  const BuildOutcome outcome = run.run(build);

  sdk::Artifact artifact;
  artifact.kind = DAVIT_ARTIFACT_SLUG;
  artifact.ref = outcome.slug.file.string();
  artifact.stack = outcome.stack;
  result.artifact(artifact);
  for (const auto& [type, command] : outcome.process_types) result.process_type(type, command);
  result.launcher(outcome.launcher);
  for (const auto& [key, value] : outcome.config_defaults) {
    // PATH comes from .profile.d; a buildpack's old-fashioned PATH would hide what is there.
    if (is_variable(key) && key != "PATH") result.config_default(key, value);
  }
  result.describe(outcome.description);
}

// A clone has got all rows of the app that it is made of; its first build makes it a cache of its own.
void Buildstep::apply_step(const sdk::Call& call, const sdk::Event& event, std::string_view) {
  if (event.which() != sdk::EventId::kAppCopy || event.app().is_rename) return;
  host().kv(call).erase(event.app().app, kDownloadsKey);
}

void Buildstep::examine(const sdk::Call& call, const sdk::Findings& findings) {
  constexpr std::array<std::string_view, 5> kFolders{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                                     "/usr/bin", "/bin"};
  constexpr std::array<std::string_view, 5> kNeeded{"bash", "git", "tar", "zstd", "curl"};
  constexpr std::array<std::string_view, 8> kUsual{"jq",   "xz",  "gzip", "python3",
                                                   "perl", "gcc", "make", "node"};
  const auto missing = [&kFolders](const auto& names) {
    std::string text;
    for (const std::string_view name : names) {
      const bool there = std::ranges::any_of(
          kFolders, [name](std::string_view f) { return fs::exists(fs::path(f) / name); });
      if (!there) text += (text.empty() ? "" : ", ") + std::string(name);
    }
    return text;
  };
  const std::string needed = missing(kNeeded);
  if (needed.empty()) {
    findings.ok("the programs that a build needs are installed");
  } else {
    findings.problem("builds cannot run without: " + needed,
                     "Install them: apt-get install bash git tar zstd curl coreutils");
  }
  const std::string usual = missing(kUsual);
  if (!usual.empty()) {
    findings.warning("published buildpacks often need what is not installed here: " + usual,
                     "Install what your apps' buildpacks ask for");
  }
  const fs::path share = host().paths(call).share();
  if (!fs::exists(share / "driver.sh") || !fs::exists(share / "buildpacks/procfile/bin/compile")) {
    findings.problem(fmt::format("{} is not complete", share.string()), "Install davit anew");
  }
}

}  // namespace
}  // namespace davit::buildstep

DAVIT_PLUGIN(davit::buildstep::Buildstep, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
