// Paths inside: /app is HOME and APP_DIR and is not BUILD_DIR, as on Heroku; some buildpacks link one to the
// other.
#include "plan.hpp"

#include <fmt/core.h>

namespace davit::buildstep {

namespace {

void add_downloads(sdk::Task& task, const DownloadPlan& plan) {
  if (plan.wrappers.empty()) return;
  task.mounts.push_back({plan.wrappers.string(), "/davit/wrappers", DAVIT_MOUNT_READ_ONLY});
  const auto add = [&task](const char* name, std::uint64_t value) {
    task.env.emplace_back(name, std::to_string(value));
  };
  task.env.emplace_back("DAVIT_WRAPPERS", "/davit/wrappers");  // the driver puts them first on PATH
  add("DAVIT_DOWNLOAD_ATTEMPTS", plan.attempts);
  add("DAVIT_DOWNLOAD_DELAY_MS", plan.retry_delay_ms);
  add("DAVIT_DOWNLOAD_STALL_S", (plan.stall_time_ms + 999) / 1000);
  if (plan.cache.empty()) return;
  task.mounts.push_back({plan.cache.string(), "/davit/downloads", DAVIT_MOUNT_OWN});
  task.env.emplace_back("DAVIT_DOWNLOADS", "/davit/downloads");
  add("DAVIT_DOWNLOAD_BYTES", plan.most_bytes);
}

}  // namespace

std::filesystem::path pack_folder(const std::filesystem::path& work, std::size_t number) {
  return work / fmt::format("pack-{}", number);
}

sdk::Task task_of(const PlanInputs& inputs, const Choice& choice) {
  sdk::Task task;
  task.owner_kind = DAVIT_OWNER_APP;
  task.owner = inputs.app;
  task.name = "build";
  task.cwd = "/build";
  task.limits = inputs.limits;
  const std::string mode = choice.detected ? fmt::format("detect:{}", choice.rivals) : "list";
  task.argv = {"/bin/bash", "/davit/driver.sh", mode, "/build", "/cache", "/env", "/result"};
  task.mounts = {{inputs.driver.string(), "/davit/driver.sh", DAVIT_MOUNT_READ_ONLY},
                 {inputs.bin.string(), "/davit/bin", DAVIT_MOUNT_READ_ONLY},
                 {inputs.source.string(), "/build", DAVIT_MOUNT_OWN},
                 {inputs.cache.string(), "/cache", DAVIT_MOUNT_OWN},
                 {(inputs.work / "env").string(), "/env", DAVIT_MOUNT_OWN},
                 {(inputs.work / "result").string(), "/result", DAVIT_MOUNT_OWN},
                 {(inputs.work / "app").string(), "/app", DAVIT_MOUNT_OWN}};
  for (std::size_t n = 0; n < choice.packs.size(); ++n) {
    const std::string inside = fmt::format("/buildpacks/{}", n);
    task.argv.insert(task.argv.end(), {choice.packs[n].label(), inside});
    task.mounts.push_back({pack_folder(inputs.work, n).string(), inside, DAVIT_MOUNT_OWN});
  }
  task.env = {// Programs of /davit/bin stand before the image's own of the same name.
              {"PATH", "/davit/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
              {"HOME", "/app"},
              {"APP_DIR", "/app"},
              {"STACK", inputs.stack},
              {"SOURCE_VERSION", inputs.revision},
              {"REQUEST_ID", inputs.request_id},
              {"LANG", "C.UTF-8"}};
  for (const auto& variable : inputs.env) {
    if (variable.first == "CURL_TIMEOUT" || variable.first == "CURL_CONNECT_TIMEOUT")
      task.env.push_back(variable);
  }
  add_downloads(task, inputs.downloads);
  return task;
}

}  // namespace davit::buildstep
