// Paths inside: /app is HOME and APP_DIR and is not BUILD_DIR, as on Heroku; some buildpacks link one to the
// other.
#include "plan.hpp"

#include <fmt/core.h>

namespace davit::buildstep {

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
  return task;
}

}  // namespace davit::buildstep
