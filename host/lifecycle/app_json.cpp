// Reading app.json: what dokku and Heroku say there, as far as davit does it.
#include "base/ids.hpp"
#include "lifecycle/app_manifest.hpp"
#include "lifecycle/json_member.hpp"

namespace davit {
namespace {

using nlohmann::json;

constexpr std::uint32_t kMaxQuantity = 1000;  // as ps:scale allows

Result<> read_healthchecks(const JsonMember& root, AppManifest& manifest) {
  const auto section = root.find("healthchecks");
  if (!section) return {};
  DAVIT_TRY(section->require_object(R"("healthchecks": {"web": [{"path": "/health"}]})"));
  for (const auto& [type, unused] : section->value().items()) {
    const JsonMember list = *section->find(type);
    if (auto good = check_process_type(type); !good) {
      return list.refused("is no process type", "Name it as the Procfile does, such as web");
    }
    DAVIT_TRY_ASSIGN(auto checks, read_checks(list, type, manifest.warnings));
    if (!checks.empty()) manifest.checks[type] = std::move(checks);
  }
  return {};
}

Result<> read_formation(const JsonMember& root, AppManifest& manifest) {
  const auto section = root.find("formation");
  if (!section) return {};
  DAVIT_TRY(section->require_object(R"("formation": {"web": {"quantity": 2}})"));
  for (const auto& [type, unused] : section->value().items()) {
    const JsonMember entry = *section->find(type);
    if (auto good = check_process_type(type); !good) {
      return entry.refused("is no process type", "Name it as the Procfile does, such as web");
    }
    DAVIT_TRY(entry.require_object(R"({"quantity": 2, "max_parallel": 1})"));
    DAVIT_TRY(entry.allow({"quantity", "max_parallel", "size", "autoscaling", "service"}));
    FormationEntry wanted;
    if (const auto quantity = entry.find("quantity")) {
      DAVIT_TRY_ASSIGN(wanted.quantity, quantity->count(0, kMaxQuantity, R"("quantity": 2)"));
    }
    if (const auto parallel = entry.find("max_parallel")) {
      DAVIT_TRY_ASSIGN(wanted.max_parallel, parallel->count(1, kMaxQuantity, R"("max_parallel": 1)"));
    }
    for (const char* name : {"size", "autoscaling", "service"}) {
      if (const auto other = entry.find(name)) {
        manifest.warnings.push_back(
            fmt::format("app.json: {} has no meaning here and is left alone", other->path()));
      }
    }
    manifest.formation[type] = wanted;
  }
  return {};
}

Result<> read_script(const JsonMember& section, const char* name, std::string& script) {
  const auto member = section.find(name);
  if (!member) return {};
  const std::string example = fmt::format("\"{}\": \"./bin/{}\"", name, name);
  DAVIT_TRY_ASSIGN(std::string text, member->text(example));
  if (trim(text).empty()) return member->must_be("a command", example);
  if (!script.empty() && script != text) {
    return member->refused("is said twice, differently", "Keep one of scripts.davit and scripts.dokku");
  }
  script = std::move(text);
  return {};
}

Result<> read_scripts(const JsonMember& root, AppManifest& manifest) {
  const auto section = root.find("scripts");
  if (!section) return {};
  DAVIT_TRY(section->require_object(R"("scripts": {"dokku": {"predeploy": "./bin/prepare"}})"));
  DAVIT_TRY(section->allow({"dokku", "davit", "postdeploy", "pr-predestroy", "test", "test-setup"}));
  for (const char* name : {"davit", "dokku"}) {
    const auto ours = section->find(name);
    if (!ours) continue;
    DAVIT_TRY(ours->require_object(R"({"predeploy": "./bin/prepare", "postdeploy": "./bin/announce"})"));
    DAVIT_TRY(ours->allow({"predeploy", "postdeploy"}));
    DAVIT_TRY(read_script(*ours, "predeploy", manifest.scripts.predeploy));
    DAVIT_TRY(read_script(*ours, "postdeploy", manifest.scripts.postdeploy));
  }
  return read_script(*section, "postdeploy", manifest.scripts.first_postdeploy);
}

Result<WantedVariable> read_variable(const JsonMember& entry) {
  WantedVariable variable;
  if (entry.value().is_string()) {
    DAVIT_TRY_ASSIGN(variable.value, entry.text("\"5\""));
    return variable;
  }
  constexpr std::string_view kExample = R"({"value": "5", "description": "...", "required": false})";
  if (!entry.value().is_object()) return entry.must_be("a text or an object", kExample);
  DAVIT_TRY(entry.allow({"value", "description", "required", "generator", "sync"}));
  if (const auto value = entry.find("value")) {
    DAVIT_TRY_ASSIGN(variable.value, value->text(R"("value": "5")"));
  }
  if (const auto description = entry.find("description")) {
    DAVIT_TRY_ASSIGN(variable.description, description->text(R"("description": "what it is for")"));
  }
  if (const auto required = entry.find("required")) {
    DAVIT_TRY_ASSIGN(variable.required, required->boolean(R"("required": false)"));
  }
  if (const auto sync = entry.find("sync")) {
    DAVIT_TRY_ASSIGN(variable.sync, sync->boolean(R"("sync": true)"));
    if (variable.sync && !variable.value) {
      return sync->refused("sets a value at every push, and there is none",
                           R"(Add "value": "...", or leave sync out)");
    }
  }
  if (const auto generator = entry.find("generator")) {
    if (generator->value() != "secret") return generator->must_be("secret", R"("generator": "secret")");
    if (variable.value) {
      return generator->refused("stands beside a value", "Keep one of value and generator");
    }
    variable.generated = true;
  }
  return variable;
}

Result<> read_env(const JsonMember& root, AppManifest& manifest) {
  const auto section = root.find("env");
  if (!section) return {};
  DAVIT_TRY(section->require_object(R"("env": {"GREETING": "hello"})"));
  for (const auto& [name, unused] : section->value().items()) {
    const JsonMember entry = *section->find(name);
    if (!is_identifier(name)) {
      return entry.refused("is no name of a variable", "Use letters, digits and _, such as GREETING_2");
    }
    DAVIT_TRY_ASSIGN(manifest.env[name], read_variable(entry));
  }
  return {};
}

}  // namespace

Result<AppManifest> manifest_of_app_json(std::string_view text) {
  const json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded() || !value.is_object()) {
    return fail(Code::kInvalid, "app.json is not a JSON object", "Check it with `jq . app.json`",
                "app-json-invalid");
  }
  const JsonMember root(value, "");
  AppManifest manifest;
  DAVIT_TRY(read_healthchecks(root, manifest));
  DAVIT_TRY(read_formation(root, manifest));
  DAVIT_TRY(read_scripts(root, manifest));
  DAVIT_TRY(read_env(root, manifest));
  return manifest;
}

}  // namespace davit
