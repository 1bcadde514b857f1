// The engine's Machine, on the host's interfaces: programs by davit.host.process/1; a private nginx as a unit
// of the home's supervision; a system nginx through its own reload. Lives during one call.
#pragma once

#include <optional>
#include <string>

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

  // mode = system: takes that file away, if it is as we write it, and reloads if nginx runs. Throws if nginx
  // cannot be reloaded; the file is gone then too.
  void leave_system_nginx(bool is_up);

 private:
  void start_unit(const std::vector<std::string>& argv);
  void include_in_system_nginx();
  void take_back_include(const std::optional<std::string>& before, bool refused);
  void check_system_nginx();
  std::string include_line() const;
  bool is_included() const;

  const sdk::Host& host_;
  sdk::Call call_;
  const PluginSettings& settings_;
};

}  // namespace davit::nginx
