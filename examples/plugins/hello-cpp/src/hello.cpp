// hello-cpp: a davit plugin in C++17. It remembers how each app's last deploy ended, shows it by a command,
// and puts HELLO into every app's environment.
#include <davit/plugin.hpp>

#include <optional>
#include <string>

namespace sdk = davit::sdk;

namespace {

class Hello : public sdk::Plugin, public sdk::Commands, public sdk::Hooks, public sdk::Doctor {
 public:
  void on_start(const sdk::Call& call) override {
    greeting_ = host().settings(call).get_or("greeting", "hello");
    if (greeting_.empty()) {
      throw sdk::Failure(DAVIT_INVALID, "greeting-empty", "the greeting is empty",
                         "set greeting under [plugins.hello-cpp.settings] in plugins.toml");
    }
  }

  int32_t run_command(const sdk::Call& call, const sdk::Command& command) override {
    const std::optional<std::string> last = host().kv(call).get(command.arg(0), "last");
    if (!last) call.fail(DAVIT_NOT_FOUND, "no-deploy", "no deploy of " + command.arg(0) + " was seen");
    call.result_line(*last);
    return 0;
  }

  void on_event(const sdk::Call& call, const sdk::Event& event) override {
    switch (event.which()) {
      case sdk::EventId::kEnvResolve:
        event.env().env.set("HELLO", greeting_);
        break;
      case sdk::EventId::kDeployFinished: {
        const sdk::DeployEvent deploy = event.deploy();
        host().kv(call).set(deploy.app, "last", std::string(deploy.kind) + ": " + std::string(deploy.state));
        break;
      }
      default:
        break;  // events that this plugin does not know are fine
    }
  }

  void examine(const sdk::Call&, const sdk::Findings& findings) override {
    findings.ok("HELLO is " + greeting_);
  }

 private:
  std::string greeting_;
};

}  // namespace

DAVIT_PLUGIN(Hello, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
