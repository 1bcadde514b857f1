// The engine's Machine, on the host's interfaces: programs by davit.host.process/1; a private nginx as a unit
// of the home's supervision; a system nginx through its own reload. Lives during one call.
#pragma once

#include "davit/host.hpp"
#include "machine.hpp"
#include "settings.hpp"

namespace davit::nginx {

class HostMachine : public Machine {
 public:
  HostMachine(const sdk::Host& host, const sdk::Call& call, const PluginSettings& settings)
      : host_(host), call_(call), settings_(settings) {}

  ProgramResult run(const std::vector<std::string>& argv) override;
  void start(const std::vector<std::string>& argv) override;
  void reload() override;

 private:
  void start_unit(const std::vector<std::string>& argv);
  void include_in_system_nginx();

  const sdk::Host& host_;
  sdk::Call call_;
  const PluginSettings& settings_;
};

}  // namespace davit::nginx
