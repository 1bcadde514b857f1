// BuildPlan: what a build's sandbox looks like: which folders of the host are where, the environment, the
// argv of the driver. Pure; share/driver.sh is the other end of this agreement.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "choice.hpp"
#include "davit/values.hpp"

namespace davit::buildstep {

/// What stands between the build's downloads and the network. `wrappers` empty: nothing.
struct DownloadPlan {
  std::filesystem::path wrappers;  ///< curl/curl and wget/wget
  std::filesystem::path cache;     ///< the app's; empty: none
  unsigned attempts = 0;
  std::uint64_t retry_delay_ms = 0;
  std::uint64_t stall_time_ms = 0;
  std::uint64_t most_bytes = 0;  ///< largest download that is kept
};

struct PlanInputs {
  std::string app;
  std::string stack;
  std::string revision;          ///< the commit; may be empty
  std::string request_id;        ///< the deployment's
  std::filesystem::path source;  ///< what is built, in place
  std::filesystem::path cache;
  std::filesystem::path driver;  ///< driver.sh itself: no link, whose target the sandbox would not have
  std::filesystem::path bin;     ///< the folder that is first on PATH, likewise
  std::filesystem::path work;    ///< has env/, app/, result/ and pack-N/
  std::size_t pack_count = 0;
  sdk::Pairs env;  ///< the app's; only a few of them pass on, see task_of()
  sdk::Limits limits;
  DownloadPlan downloads;
};

/// The task that runs the driver for `choice`. The app's variables are in ENV_DIR alone; of them only
/// CURL_TIMEOUT and CURL_CONNECT_TIMEOUT are in the environment, because curl's users look for them there.
sdk::Task task_of(const PlanInputs& inputs, const Choice& choice);

/// work/pack-N, where the copy of the N-th buildpack goes.
std::filesystem::path pack_folder(const std::filesystem::path& work, std::size_t number);

}  // namespace davit::buildstep
