// The plugin as davit sees it: settings and properties in, davit.proxy/1, commands, hooks and findings out.
// Everything that matters is in engine.cpp; this file translates.
#include "davit/plugin.hpp"

#include <memory>

#include "certificate_facts.hpp"
#include "certificates.hpp"
#include "engine.hpp"
#include "host_machine.hpp"
#include "log_files.hpp"
#include "log_reader.hpp"
#include "properties.hpp"
#include "report/report_text.hpp"
#include "settings.hpp"
#include "workers_folders.hpp"

namespace davit::nginx {
namespace {

constexpr const char* kGroup = "nginx";
constexpr std::size_t kDefaultLines = 100;
constexpr std::int64_t kSoonS = 14 * 24 * 3600;  // a certificate that expires so soon is a finding

class NginxPlugin : public sdk::Plugin,
                    public sdk::Proxy,
                    public sdk::Commands,
                    public sdk::Hooks,
                    public sdk::Doctor {
 public:
  // davit.proxy/1
  void ensure(const sdk::Call& call) override {
    Session session(*this, call);
    session.engine.ensure();
    sweep_certificates(session.settings.engine);
    bound_logs(session.settings.engine);
    for (const auto& home : sweep_workers_folders())
      call.log_info("removed the folder of nginx's workers of " + home + ", which is gone");
  }
  std::string prepare(const sdk::Call& call, const sdk::Route& route) override {
    for (const auto& app : {std::string(), std::string(route.app)}) {
      for (const auto& [what, cure] : unused_values(host(), call, app)) call.warning(what + ": " + cure);
    }
    return Session(*this, call).engine.prepare(route_from(route));
  }
  void apply(const sdk::Call& call, const sdk::Route& route, std::string_view) override {
    Session(*this, call).engine.apply(route_from(route));
  }
  void undo(const sdk::Call& call, std::string_view app, std::string_view token) override {
    Session(*this, call).engine.undo(std::string(app), std::string(token));
  }
  bool drain(const sdk::Call& call, const sdk::Route& route, uint64_t timeout_ms) override {
    return Session(*this, call).engine.drain(route.app, route_from(route).peers, timeout_ms);
  }
  void remove(const sdk::Call& call, std::string_view app) override {
    Session(*this, call).engine.remove(std::string(app));
  }
  sdk::Strings list_owned(const sdk::Call& call) override { return Session(*this, call).engine.owned(); }
  sdk::Pairs describe(const sdk::Call& call) override {
    return describe_settings(Session(*this, call).engine.settings());
  }

  // davit.commands/1
  int32_t run_command(const sdk::Call& call, const sdk::Command& command) override;

  // davit.hooks/1
  void on_event(const sdk::Call& call, const sdk::Event& event) override;
  void apply_step(const sdk::Call& call, const sdk::Event& event, std::string_view token) override;
  void undo_step(const sdk::Call& call, const sdk::Event& event, std::string_view token) override;

  // davit.doctor/1
  void examine(const sdk::Call& call, const sdk::Findings& findings) override;

 private:
  // What one call works with: settings are read anew, since plugins.toml may have changed. `proposed` is a
  // property that counts as if it were set.
  struct Session {
    Session(const NginxPlugin& plugin, const sdk::Call& call, const sdk::PropertyEvent* proposed = nullptr)
        : settings(read_settings(plugin.host(), call)),
          machine(plugin.host(), call, settings),
          engine(with_global(settings.engine, proposed), machine,
                 [&plugin, call, proposed, this](const std::string& app) {
                   auto inputs = read_inputs(plugin.host(), call, engine.settings(), app);
                   if (proposed != nullptr && proposed->app == app)
                     inputs.properties[std::string(proposed->key)] = proposed->value;
                   return inputs;
                 }) {}
    static Settings with_global(Settings settings, const sdk::PropertyEvent* proposed) {
      if (proposed != nullptr && proposed->app.empty())
        settings.global[std::string(proposed->key)] = proposed->value;
      return settings;
    }
    PluginSettings settings;
    HostMachine machine;
    Engine engine;
  };

  void check_property(const sdk::Call& call, const sdk::PropertyEvent& event) const;
  void check_exists(const sdk::Call& call, const std::string& app) const;
  void property_changed(const sdk::Call& call, const sdk::PropertyEvent& event);
  void reroute(const sdk::Call& call, Engine& engine, const std::string& app) const;
  void add_certificate_of(const sdk::Call& call, Session& session, const sdk::Command& command) const;
  void examine_certificates(const sdk::Call& call, Session& session, const sdk::Findings& findings) const;
};

void NginxPlugin::reroute(const sdk::Call& call, Engine& engine, const std::string& app) const {
  if (engine.route_of(app)) host().apps(call).request_reroute(app);
}

int32_t NginxPlugin::run_command(const sdk::Call& call, const sdk::Command& command) {
  Session session(*this, call);
  auto& engine = session.engine;
  const auto app = command.arg(0);
  check_exists(call, app);
  if (command.name == "nginx:show-config") {
    call.result(engine.show(app));
  } else if (command.name == "nginx:validate-config") {
    engine.validate();
    call.step("nginx takes the configuration");
  } else if (command.name == "nginx:reload") {
    engine.reload();
    if (!app.empty()) reroute(call, engine, app);
    call.step("nginx runs with the configuration on disk");
  } else if (command.name == "nginx:access-logs" || command.name == "nginx:error-logs") {
    const bool access = command.name == "nginx:access-logs";
    const auto source = access ? access_log(engine, app) : error_log(engine, app);
    show_log(call, source, lines_wanted(command.flag("n"), kDefaultLines), command.has("t"));
  } else if (command.name == "certs:add") {
    add_certificate_of(call, session, command);
  } else if (command.name == "certs:remove") {
    const bool removed = remove_certificate(engine.settings(), app);
    reroute(call, engine, app);  // also for one that was killed before it came to that
    if (!removed) {
      call.warning("An app-specific SSL endpoint is not defined");
      return 1;
    }
    call.step("Removing SSL endpoint from " + app);
  } else if (command.name == "certs:report") {
    return reports::show_reports(host(), call, command, "ssl", [&](const std::string& one) {
      return report_of(session.machine, engine.settings(), one);
    });
  } else {
    call.fail(DAVIT_UNSUPPORTED, "no-such-command", "the nginx plugin has no command " + command.name);
  }
  return 0;
}

// What clients would refuse is kept all the same: its hosts may come later, or its clients know it.
void NginxPlugin::add_certificate_of(const sdk::Call& call, Session& session,
                                     const sdk::Command& command) const {
  const auto app = command.arg(0);
  const auto facts = add_certificate(call, session.engine, session.machine, command);
  reroute(call, session.engine, app);
  call.step("Certificate of " + app + ": " + description_of(facts));
  const auto route = session.engine.route_of(app);
  const auto hosts = route ? route->hosts : host().apps(call).domains(app);
  for (const auto& words : complaints(facts, app, hosts, host().now_unix_ms() / 1000)) call.warning(words);
}

void NginxPlugin::on_event(const sdk::Call& call, const sdk::Event& event) {
  if (event.which() == sdk::EventId::kPropertyChange) check_property(call, event.property());
  if (event.which() == sdk::EventId::kPropertyChanged) property_changed(call, event.property());
  // The host takes the routes away itself (davit.proxy/1 remove); here goes what only this plugin knows of.
  if (event.which() == sdk::EventId::kAppDestroy) {
    const Session session(*this, call);
    const auto app = std::string(event.app().app);
    remove_logs(session.settings.engine, app);
    forget_certificates(session.settings.engine, app);
  }
  if (event.which() == sdk::EventId::kDeployFinished) {
    const auto deploy = event.deploy();
    if (deploy.kind != "rename" || deploy.status != DAVIT_OK) return;
    const Session session(*this, call);
    const auto before = std::string(event.fact("renamed-from"));
    move_logs(session.settings.engine, before, std::string(deploy.app));
    forget_certificates(session.settings.engine, before);
  }
}

// The host looks after commands that must have an app; here it may have been left out.
void NginxPlugin::check_exists(const sdk::Call& call, const std::string& app) const {
  if (!app.empty()) (void)host().apps(call).domains(app);  // fails as every command does without the app
}

// What nginx would not take is refused before it is set: with it no route of the app could change any more.
// Unsetting is always allowed.
void NginxPlugin::check_property(const sdk::Call& call, const sdk::PropertyEvent& event) const {
  const Property* property = event.group == kGroup && event.is_set ? find_property(event.key) : nullptr;
  if (property == nullptr) return;
  if (const auto words = complaint(*property, event.value); !words.empty())
    throw sdk::Failure(DAVIT_DENIED, "value-invalid", words);
  Session session(*this, call, &event);
  auto& engine = session.engine;
  engine.check_sites(event.app.empty() ? engine.owned() : std::vector{std::string(event.app)});
}

void NginxPlugin::property_changed(const sdk::Call& call, const sdk::PropertyEvent& event) {
  if (event.group != kGroup) return;
  const auto app = std::string(event.app);
  Session session(*this, call);
  if (!session.engine.answers()) return;  // the next start or deploy renders it
  if (!app.empty()) {
    reroute(call, session.engine, app);
    return;
  }
  session.engine.ensure();
  // apps with blocks of their own inherit the new global value; apps that now differ from it get one
  for (const auto& name : session.engine.owned()) {
    if (session.engine.site_differs(name)) reroute(call, session.engine, name);
  }
}

void NginxPlugin::apply_step(const sdk::Call& call, const sdk::Event& event, std::string_view) {
  // A clone has other hosts: with the certificate it would redirect them to an https that nobody can trust.
  if (event.which() != sdk::EventId::kAppCopy || !event.app().is_rename) return;
  const Session session(*this, call);
  copy_certificate(session.settings.engine, std::string(event.app().source_app),
                   std::string(event.app().app));
}

void NginxPlugin::undo_step(const sdk::Call& call, const sdk::Event& event, std::string_view) {
  Session session(*this, call);
  if (event.which() == sdk::EventId::kSystemStart) {  // the system stops
    session.machine.leave_system_nginx(session.engine.answers());
    return;
  }
  if (event.which() == sdk::EventId::kAppCopy)
    forget_certificates(session.settings.engine, std::string(event.app().app));
}

void NginxPlugin::examine_certificates(const sdk::Call& call, Session& session,
                                       const sdk::Findings& findings) const {
  for (const auto& app : host().apps(call).names()) {
    const auto certificate = certificate_of(session.engine.settings(), app);
    if (!certificate) continue;
    try {
      const auto facts = facts_of(session.machine, certificate->certificate);
      const auto left_s = facts.expires_unix_s - host().now_unix_ms() / 1000;
      if (left_s > kSoonS) continue;
      findings.warning(
          "the certificate of " + app + (left_s > 0 ? " expires at " : " expired at ") + facts.expires_at,
          "davit certs:add " + app + " with a newer one");
    } catch (const std::exception& error) {
      findings.problem(error.what(),
                       "is openssl installed? Else: davit certs:add " + app + " with another one");
    }
  }
}

void NginxPlugin::examine(const sdk::Call& call, const sdk::Findings& findings) {
  Session session(*this, call);
  auto& engine = session.engine;
  const auto& settings = engine.settings();
  if (engine.answers()) {
    findings.ok("nginx answers on port " + std::to_string(settings.http_port));
  } else {
    findings.problem("nginx does not answer",
                     "davit system:start starts it; davit nginx:error-logs says why it stopped");
  }
  if (settings.switching == Switching::kReload) {
    findings.warning("nginx has no lua module: every deploy rewrites a file and reloads it",
                     "install libnginx-mod-http-lua and lua-cjson, then davit system:start");
  }
  try {
    engine.validate();
    findings.ok("nginx takes the configuration");
  } catch (const sdk::Failure& failure) {
    findings.problem(failure.message(), failure.hint());
  }
  auto scopes = engine.owned();
  scopes.emplace_back();
  for (const auto& app : scopes) {
    for (const auto& [what, cure] : unused_values(host(), call, app)) findings.warning(what, cure);
  }
  for (const auto& home : sweep_workers_folders())
    findings.ok("the folder of nginx's workers of " + home + ", which is gone, is removed");
  examine_certificates(call, session, findings);
}

}  // namespace
}  // namespace davit::nginx

DAVIT_PLUGIN(davit::nginx::NginxPlugin, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
