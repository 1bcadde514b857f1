// The entry of user-env-compile: env.resolve of builds. Of release commands and of what runs, it changes
// nothing.
#include "davit/plugin.hpp"

#include <string>

#include "commands.hpp"
#include "names.hpp"
#include "secrets.hpp"
#include "variables.hpp"

namespace davit::build_env {
namespace {

class UserEnvCompile : public sdk::Plugin, public sdk::Commands, public sdk::Hooks {
 public:
  std::int32_t run_command(const sdk::Call& call, const sdk::Command& command) override {
    return BuildEnvCommands(host(), call).run(command);
  }
  void on_event(const sdk::Call& call, const sdk::Event& event) override;

 private:
  void keep_out(const sdk::Call& call, const sdk::Map& env) const;
  void add(const sdk::Call& call, const sdk::EnvEvent& event) const;
  void set_limits(const sdk::Call& call, const sdk::Map& env) const;
  void mask(const sdk::Call& call, const sdk::EnvEvent& event) const;
};

void UserEnvCompile::on_event(const sdk::Call& call, const sdk::Event& event) {
  if (event.which() != sdk::EventId::kEnvResolve) return;
  const sdk::EnvEvent resolved = event.env();
  if (resolved.phase != "build") return;
  add(call, resolved);
  keep_out(call, resolved.env);
  set_limits(call, resolved.env);
  mask(call, resolved);
}

/// What is nearer to the app wins: its build variables, then its config, then the global build variables.
void UserEnvCompile::add(const sdk::Call& call, const sdk::EnvEvent& event) const {
  const VariableStore store(host(), call);
  const auto put = [&event](const std::string& name, const Variable& variable) {
    event.env.set(name, variable.value);
    if (variable.secret && event.masked) event.masked.set(name, variable.value);
  };
  for (const auto& [name, variable] : store.all("")) {
    if (!event.env.get(name)) put(name, variable);
  }
  for (const auto& [name, variable] : store.all(event.app)) put(name, variable);
}

void UserEnvCompile::keep_out(const sdk::Call& call, const sdk::Map& env) const {
  const NameRules rules = name_rules(host(), call);
  for (const auto& [name, value] : env.all()) {
    if (!rules.allows(name)) env.unset(name);
  }
}

void UserEnvCompile::set_limits(const sdk::Call& call, const sdk::Map& env) const {
  for (const DownloadLimit& limit : kDownloadLimits) {
    const std::string seconds = limit_of(host(), call, limit);
    if (!seconds.empty() && !env.get(limit.variable)) env.set(limit.variable, seconds);
  }
}

void UserEnvCompile::mask(const sdk::Call& call, const sdk::EnvEvent& event) const {
  if (!event.masked) return;
  const sdk::Strings more = host().settings(call).items("secret-names");
  for (const auto& [name, value] : event.env.all()) {
    if (is_secret_name(name, more)) event.masked.set(name, value);
    const auto of_urls = secrets_of_urls(value);
    for (std::size_t i = 0; i < of_urls.size(); ++i)
      event.masked.set(name + " url " + std::to_string(i), of_urls[i]);
  }
}

}  // namespace
}  // namespace davit::build_env

DAVIT_PLUGIN(davit::build_env::UserEnvCompile, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
