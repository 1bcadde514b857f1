// DeploymentRun: reading the request, and which kind has which phases.
#include "lifecycle/run.hpp"

#include <charconv>

namespace davit {

std::optional<Plan> plan_of(std::string_view kind) {
  Plan plan;
  if (kind == "push" || kind == "rebuild") {
    plan.builds = plan.makes_release = plan.runs_release_command = plan.launches = true;
  } else if (kind == "config") {
    plan.makes_release = plan.launches = true;
  } else if (kind == "rollback") {
    plan.makes_release = plan.launches = true;
  } else if (kind == "restart" || kind == "start") {
    plan.launches = true;
  } else if (kind == "rename") {
    plan.launches = plan.renames = true;
  } else if (kind == "scale") {
    plan.rescales = true;
  } else if (kind == "stop") {
    plan.stops = true;
  } else if (kind == "destroy") {
    plan.stops = plan.destroys = true;
  } else if (kind != "route") {
    return std::nullopt;
  }
  return plan;
}

DeploymentRun::DeploymentRun(const LifecycleServices& services_in, const CallContext& call_in,
                             Deployment deployment_in, App app_in)
    : services(services_in), call(call_in), deployment(std::move(deployment_in)), app(std::move(app_in)) {
  request = nlohmann::json::parse(deployment.request_json, nullptr, /*allow_exceptions=*/false);
  if (!request.is_object()) request = nlohmann::json::object();
  link_change = link_change_of(request, app.id);
  plan = plan_of(deployment.kind).value_or(Plan{});
  if (!plan.renames) return;
  renamed_from = text("from");
  app.name = text("to");
}

std::string DeploymentRun::text(const char* key, std::string_view otherwise) const {
  const auto it = request.find(key);
  if (it == request.end() || !it->is_string()) return std::string(otherwise);
  return it->get<std::string>();
}

Result<std::vector<NewLink>> DeploymentRun::links() const {
  return link_change ? link_change->links : links_now(services.store, app.id);
}

std::string DeploymentRun::work_dir() const {
  return services.home.work(deployment.id).string();
}

std::string DeploymentRun::property(std::string_view group, std::string_view key,
                                    std::string_view otherwise) const {
  const auto value = services.store.properties().effective(app.id, group, key);
  if (!value || !value->has_value() || (*value)->empty()) return std::string(otherwise);
  return **value;
}

std::uint64_t DeploymentRun::number_property(std::string_view group, std::string_view key,
                                             std::uint64_t otherwise) const {
  return services.store.properties().number(app.id, group, key, otherwise);
}

}  // namespace davit
