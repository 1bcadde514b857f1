// Environments: config, links, then what plugins make of it.
#include "lifecycle/environment.hpp"

#include "lifecycle/link_variables.hpp"

namespace davit {
namespace {

TextMap reveal(const ConfigMap& config) {
  TextMap env;
  for (const auto& [key, value] : config) env[key] = value.reveal();
  return env;
}

// What links give is no part of the config, so that a change of an address or a password needs a launch only.
Result<TextMap> filtered(const LifecycleServices& services, TextMap env, const App& app,
                         const std::vector<NewLink>& linked, std::string_view phase,
                         std::string_view process_type, const CallContext& call, TextMap* masked = nullptr) {
  DAVIT_TRY_ASSIGN(const TextMap links, link_variables(services.store, linked));
  // The config of all apps and an older release may have such a name too; config:get shows the link's.
  for (const auto& [key, value] : links) env.insert_or_assign(key, value);
  EnvEvent payload{app.name, std::string(phase), std::string(process_type), env, masked};
  DAVIT_TRY(services.bus.filter(Event{event_id::kEnvResolve, &payload, {}}, call));
  return env;
}

}  // namespace

Result<TextMap> current_config(const LifecycleServices& services, AppId app) {
  DAVIT_TRY_ASSIGN(const ConfigMap config, services.store.config().merged(app));
  return reveal(config);
}

Result<TextMap> resolve_run_environment(const LifecycleServices& services, const App& app,
                                        const Release& release, std::string_view process_type,
                                        const CallContext& call) {
  DAVIT_TRY_ASSIGN(const auto links, links_now(services.store, app.id));
  return filtered(services, reveal(release.spec.config), app, links, "run", process_type, call);
}

Result<TextMap> resolve_environment(DeploymentRun& run, std::string_view phase,
                                    std::string_view process_type) {
  TextMap env;
  if (run.target) env = reveal(run.target->spec.config);
  DAVIT_TRY_ASSIGN(const auto links, run.links());
  return filtered(run.services, std::move(env), run.app, links, phase, process_type, run.call);
}

Result<TextMap> resolve_build_environment(DeploymentRun& run, TextMap& masked) {
  DAVIT_TRY_ASSIGN(TextMap env, current_config(run.services, run.app.id));
  for (const auto& [key, value] : run.settled_config) env.insert_or_assign(key, value.reveal());
  DAVIT_TRY_ASSIGN(const auto links, run.links());
  return filtered(run.services, std::move(env), run.app, links, "build", "", run.call, &masked);
}

}  // namespace davit
