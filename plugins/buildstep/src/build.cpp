// The order of a build. Buildpacks run in the sandbox only; what they leave is read here as somebody else's
// data.
#include "build.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "davit/failure.hpp"
#include "files.hpp"
#include "launcher.hpp"
#include "output.hpp"
#include "plan.hpp"
#include "release_yaml.hpp"
#include "source/procfile.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kLargestText = 256 * 1024;

std::string value_of(const sdk::Pairs& pairs, std::string_view name) {
  const auto found = std::ranges::find(pairs, name, &std::pair<std::string, std::string>::first);
  return found == pairs.end() ? std::string() : found->second;
}

std::string labels_of(const Choice& choice, const std::vector<std::size_t>& packs) {
  std::string text;
  for (const std::size_t pack : packs) text += (text.empty() ? "" : ", ") + choice.packs.at(pack).label();
  return text;
}

}  // namespace

BuildOutcome BuildRun::run(const sdk::Build& build) {
  const fs::path work = build.work_dir;
  const Choice choice = choose(build);
  BuildOutcome outcome;
  outcome.stack = build.stack.empty() ? config_.stack : build.stack;
  prepare(build, choice);
  run_driver(build, choice, outcome.stack);
  read_processes(build.source_dir, choice, report_, outcome);
  outcome.description = labels_of(choice, report_.chosen);

  screen_.step("Packing the slug");
  SlugPacker packer(programs_, config_.slug_limits);
  outcome.slug = packer.pack(build.source_dir, work / "slug.tar.zst", build.source_unix_ms / 1000);
  screen_.detail(
      fmt::format("{} from {}", human_bytes(outcome.slug.bytes), human_bytes(outcome.slug.tree_bytes)));
  outcome.launcher =
      launcher_argv(read_small_file(fs::canonical(config_.share / "launcher.sh"), kLargestText).value_or(""));
  return outcome;
}

Choice BuildRun::choose(const sdk::Build& build) const {
  ChoiceInputs inputs;
  inputs.listed = config_.listed;
  inputs.url_variable = value_of(build.env, "BUILDPACK_URL");
  inputs.file = read_small_file(fs::path(build.source_dir) / ".buildpacks", kLargestText, build.source_dir);
  inputs.detection_order = config_.detection_order;
  return choose_buildpacks(inputs);
}

void BuildRun::prepare(const sdk::Build& build, const Choice& choice) {
  const fs::path work = build.work_dir;
  fs::create_directories(build.cache_dir);
  fs::create_directory(work / "app");
  fs::create_directory(work / "result");
  write_env_dir(work / "env", build.env);
  if (!choice.detected) {
    std::string names;
    for (const BuildpackSpec& pack : choice.packs) names += (names.empty() ? "" : ", ") + pack.label();
    screen_.step(fmt::format("Using {} (from {})", names, choice.source));
  }
  for (std::size_t n = 0; n < choice.packs.size(); ++n) store_.place(choice.packs[n], pack_folder(work, n));
}

void BuildRun::run_driver(const sdk::Build& build, const Choice& choice, const std::string& stack) {
  PlanInputs inputs;
  inputs.app = build.app;
  inputs.stack = stack;
  inputs.revision = build.revision;
  inputs.request_id = build.request_id;
  inputs.source = build.source_dir;
  inputs.cache = build.cache_dir;
  inputs.driver = fs::canonical(config_.share / "driver.sh");
  inputs.bin = fs::canonical(config_.share / "bin");
  inputs.work = build.work_dir;
  inputs.env = build.env;
  inputs.limits = config_.limits;
  inputs.downloads = config_.downloads;
  sdk::Task task = task_of(inputs, choice);
  BuildOutput output(screen_);
  task.out = [&output](std::string_view chunk) { output.write(chunk); };
  int exit_code = 0;
  try {
    exit_code = sandbox_.run(task);
  } catch (const sdk::HostFailure& failure) {
    output.flush();
    if (failure.status() != DAVIT_TIMEOUT) throw;
    throw sdk::Failure(
        DAVIT_FAILED, "build-timeout",
        fmt::format("The build took longer than {} s and was stopped", config_.limits.time_ms / 1000),
        "Look at its last lines for what it was waiting for, or ask the operator to raise build-timeout");
  }
  output.flush();
  report_ = read_result(build.work_dir, choice, exit_code);
}

BuildReport BuildRun::read_result(const fs::path& work, const Choice& choice, int exit_code) const {
  BuildReport report = read_report(work / "result", choice.packs.size());
  if (exit_code == 0 && report.done) return report;
  const int code = report.failed.value_or(exit_code);
  if (choice.detected && report.chosen.empty() && report.failed) {
    throw sdk::Failure(
        DAVIT_FAILED, "no-buildpack", "No buildpack fits this app",
        "Add a file that tells what it is (package.json, requirements.txt, index.html, Procfile), or "
        "choose a buildpack with `buildpacks:set` or a `.buildpacks` file");
  }
  const std::string label = choice.packs.at(report.phase_pack).label();
  const std::string killed = code > 128 ? fmt::format(" (ended by signal {}{})", code - 128,
                                                      code == 137 ? ", perhaps for lack of memory" : "")
                                        : std::string();
  if (report.phase == "detect") {
    throw sdk::Failure(DAVIT_FAILED, "buildpack-detect-failed",
                       fmt::format("App not compatible with buildpack: {} (bin/detect gave exit code {}{})",
                                   label, code, killed),
                       "Choose another buildpack, or `buildpacks:clear` to let it be detected");
  }
  throw sdk::Failure(DAVIT_FAILED,
                     fmt::format("buildpack-{}-failed", report.phase.empty() ? "run" : report.phase),
                     fmt::format("Buildpack {} failed in bin/{} with exit code {}{}", label,
                                 report.phase.empty() ? "compile" : report.phase, code, killed),
                     "Its own output above says why");
}

void BuildRun::read_processes(const fs::path& tree, const Choice& choice, const BuildReport& report,
                              BuildOutcome& outcome) {
  ReleaseInfo release;
  if (!report.release.empty()) {
    release = parse_release(report.release, choice.packs.at(report.release_pack).label());
  }
  outcome.config_defaults = release.config;
  const auto procfile = read_small_file(tree / "Procfile", kLargestText, tree);
  if (procfile) outcome.process_types = parse_procfile(*procfile);
  std::string origin = "Procfile";
  if (!procfile) {
    outcome.process_types = release.process_types;
    origin = "no Procfile: the buildpack's defaults";
  }
  std::string names;
  for (const auto& [type, command] : outcome.process_types) names += (names.empty() ? "" : ", ") + type;
  screen_.step(fmt::format("Process types ({}): {}", origin, names.empty() ? "none" : names));
  if (outcome.process_types.empty())
    screen_.warning("The app has no process: add a Procfile with a line such as web: COMMAND");
}

}  // namespace davit::buildstep
