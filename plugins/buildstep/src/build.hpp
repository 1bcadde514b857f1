// One build, from a source tree to a slug: choose, fetch, run, read what was left, pack. It tells the build
// in order; each step lives in a file of its own. It knows the SDK's values but not the plugin's entry
// (plugin.cpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "choice.hpp"
#include "davit/builder.hpp"
#include "plan.hpp"
#include "report.hpp"
#include "seams.hpp"
#include "slug.hpp"
#include "store.hpp"

namespace davit::buildstep {

struct BuildConfig {
  std::filesystem::path share;  ///< driver.sh, launcher.sh, bin/, buildpacks/
  std::string stack;            ///< used when the build names none
  sdk::Strings listed;          ///< the app's own list of buildpacks
  sdk::Strings detection_order;
  sdk::Limits limits;  ///< of the sandbox
  SlugLimits slug_limits;
  DownloadPlan downloads;
};

struct BuildOutcome {
  Slug slug;
  std::string stack;
  sdk::Pairs process_types;  ///< of the Procfile, else the last buildpack's defaults
  sdk::Pairs config_defaults;
  sdk::Strings launcher;
  std::string description;  ///< "heroku/nodejs, davit/static"
};

class BuildRun {
 public:
  BuildRun(BuildConfig config, BuildpackStore& store, Sandbox& sandbox, Programs& programs, Screen& screen)
      : config_(std::move(config)), store_(store), sandbox_(sandbox), programs_(programs), screen_(screen) {}

  /// @throws sdk::Failure (DAVIT_FAILED when it is the app's or the buildpack's fault); what is in work_dir
  /// is the caller's to remove.
  BuildOutcome run(const sdk::Build& build);

 private:
  Choice choose(const sdk::Build& build) const;
  void prepare(const sdk::Build& build, const Choice& choice);
  void run_driver(const sdk::Build& build, const Choice& choice, const std::string& stack);
  BuildReport read_result(const std::filesystem::path& work, const Choice& choice, int exit_code) const;
  void read_processes(const std::filesystem::path& tree, const Choice& choice, const BuildReport& report,
                      BuildOutcome& outcome);

  BuildConfig config_;
  BuildpackStore& store_;
  Sandbox& sandbox_;
  Programs& programs_;
  Screen& screen_;
  BuildReport report_;
};

}  // namespace davit::buildstep
