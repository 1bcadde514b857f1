// system: start and stop a home as a whole, and the systemd unit that does it at boot.
#include <fmt/format.h>

#include "base/text.hpp"
#include "commands/session.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

Result<int> start(Session& session, const Arguments&) {
  return session.work({"system-start"});
}
Result<int> stop(Session& session, const Arguments&) {
  return session.work({"system-stop"});
}

/// A path in a unit file: % and blanks are special there.
std::string unit_path(const std::filesystem::path& path) {
  std::string text = "\"";
  for (const char c : path.string()) {
    if (c == '%') text += '%';
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

Result<int> unit(Session& session, const Arguments&) {
  const std::string davit = unit_path(session.where().installation.davit());
  const std::string environment =
      fmt::format("Environment={}\nEnvironment={}\n", unit_path("DAVIT_HOME=" + session.home().root.string()),
                  unit_path("DAVIT_ETC=" + session.home().plugins_toml.parent_path().string()));
  // What runs belongs to the home's own supervision tree: systemd only brings it up and down.
  session.out().result(fmt::format(R"([Unit]
Description=davit home {2}
After=network-online.target local-fs.target
Wants=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
Delegate=yes
User={3}
{1}ExecStart={0} system:start
ExecStop={0} system:stop
KillMode=none
TimeoutStopSec=120

[Install]
WantedBy=multi-user.target
)",
                                   davit, environment, session.home().root.string(), session.where().uid));
  return 0;
}

}  // namespace

std::span<const CoreCommand> system_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "system:start",
        .usage = "",
        .summary = "Bring up everything of this home",
        .over_ssh = false},
       start},
      {{.name = "system:stop",
        .usage = "",
        .summary = "Take down everything of this home",
        .over_ssh = false},
       stop},
      {{.name = "system:unit",
        .usage = "",
        .summary = "Print a systemd unit that does so at boot and shutdown",
        .over_ssh = false},
       unit},
  };
  return kCommands;
}

}  // namespace davit
