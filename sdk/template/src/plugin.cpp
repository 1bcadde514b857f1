// @NAME@: a davit plugin with one command and one hook. What it offers is declared in plugin.toml.
#include <davit/plugin.hpp>

#include <string>

namespace sdk = davit::sdk;

namespace {

class ThisPlugin : public sdk::Plugin, public sdk::Commands, public sdk::Hooks {
 public:
  // `davit @NAME@:hello [NAME]`. The return value is the exit code.
  int32_t run_command(const sdk::Call& call, const sdk::Command& command) override {
    call.result_line("Hello, " + (command.args.empty() ? std::string("world") : command.arg(0)) + "!");
    return 0;
  }

  // After every deploy, good or bad. A notice: whatever happens here changes nothing for the deploy.
  void on_event(const sdk::Call& call, const sdk::Event& event) override {
    if (event.which() != sdk::EventId::kDeployFinished) return;
    const sdk::DeployEvent deploy = event.deploy();
    call.log_info("deploy of " + std::string(deploy.app) + ": " + std::string(deploy.state));
  }
};

}  // namespace

DAVIT_PLUGIN(ThisPlugin, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
