// app.json's env.
#include "lifecycle/variables.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include "base/text.hpp"
#include "lifecycle/environment.hpp"
#include "lifecycle/link_variables.hpp"

namespace davit {
namespace {

constexpr std::size_t kSecretBytes = 32;

// A plugin may keep what is set out of the build, and may give what is not.
Result<> require_all(DeploymentRun& run, const ConfigMap& now, const TextMap& links) {
  WantedVariables unset = run.manifest.env;
  std::erase_if(unset, [&](const auto& wanted) {
    const auto& [key, variable] = wanted;
    return !variable.required || now.contains(key) || run.settled_config.contains(key) || links.contains(key);
  });
  if (unset.empty()) return {};
  TextMap masked;
  DAVIT_TRY_ASSIGN(const TextMap env, resolve_build_environment(run, masked));
  std::vector<std::string> missing;
  std::vector<std::string> words;
  for (const auto& [key, variable] : unset) {
    if (env.contains(key)) continue;
    missing.push_back("env." + key + (variable.description.empty() ? "" : " (" + variable.description + ")"));
    words.push_back(key + "=...");
  }
  if (missing.empty()) return {};
  return fail(Code::kInvalid, fmt::format("app.json requires what is not set: {}", join(missing, ", ")),
              fmt::format("Set it, then push again: davit config:set {} {}", run.app.name, join(words, " ")),
              "variable-missing");
}

}  // namespace

ConfigMap variables_to_set(const WantedVariables& wanted, const ConfigMap& now, bool first,
                           const std::function<std::string()>& secret) {
  ConfigMap set;
  for (const auto& [key, variable] : wanted) {
    if (now.contains(key) && !variable.sync) continue;
    if (!first && !variable.required && !variable.sync) continue;
    if (variable.value) {
      set.insert_or_assign(key, Secret(*variable.value));
    } else if (variable.generated) {
      set.insert_or_assign(key, Secret(secret()));
    }
  }
  return set;
}

Result<std::string> random_secret() {
  unsigned char bytes[kSecretBytes];
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    return fail(system_error("make a secret", errno));
  }
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

Result<> settle_variables(DeploymentRun& run) {
  if (run.manifest.env.empty()) return {};
  DAVIT_TRY_ASSIGN(const ConfigMap now, run.services.store.config().merged(run.app.id));
  Result<> trouble;
  run.settled_config = variables_to_set(run.manifest.env, now, !run.live, [&]() -> std::string {
    auto made = random_secret();
    if (!made) trouble = fail(made.error());
    return made.value_or("");
  });
  DAVIT_TRY(trouble);
  // As config:set: what a link gives is not set beside it.
  DAVIT_TRY_ASSIGN(const TextMap links, link_variables(run.services.store, run.app.id));
  std::erase_if(run.settled_config, [&links](const auto& set) { return links.contains(set.first); });
  for (const auto& [key, value] : run.settled_config) {
    run.call.out.step(fmt::format("Setting {} as app.json says", key));
  }
  return require_all(run, now, links);
}

}  // namespace davit
