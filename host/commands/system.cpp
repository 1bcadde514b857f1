// system: start and stop a home as a whole, and the systemd unit that does it at boot.
#include <fmt/format.h>

#include <cstdlib>

#include "base/text.hpp"
#include "cli/json.hpp"
#include "cli/layout.hpp"
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

std::string size_text(std::uint64_t bytes) {
  if (bytes == 0) return "-";
  if (bytes < 1024 * 1024) return fmt::format("{} KiB", (bytes + 1023) / 1024);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

Result<int> collect(Session& session, const Arguments& args) {
  const bool dry_run = args.has("dry-run");
  std::vector<std::string> operation{"collect"};
  if (dry_run) operation.emplace_back("--dry-run");
  DAVIT_TRY_ASSIGN(const std::string found, session.work_captured(operation));
  std::vector<std::string> items;
  std::vector<std::vector<std::string>> rows;
  std::uint64_t total = 0;
  int code = 0;
  for (const std::string& line : split_lines(found)) {
    if (line.empty()) continue;
    DAVIT_TRY_ASSIGN(auto item, read_json_object(line));
    if (item.contains("failed")) {
      session.out().warning(item["failed"]);
      code = 1;
      continue;
    }
    const std::uint64_t bytes = std::strtoull(item["bytes"].c_str(), nullptr, 10);
    total += bytes;
    items.push_back(line);
    rows.push_back(
        {item["kind"], item["app"].empty() ? "-" : item["app"], item["name"], size_text(bytes), item["why"]});
  }
  if (args.json()) {
    session.out().result(json_array(items) + "\n");
    return code;
  }
  if (rows.empty()) {
    if (code == 0) session.out().step("There is nothing that nobody needs");
    return code;
  }
  session.out().header(dry_run ? "Nothing was removed; this would go" : "Removed what nobody needs");
  session.out().result(columns(rows));
  session.out().step(fmt::format("{} thing{}, {}{}", rows.size(), rows.size() == 1 ? "" : "s",
                                 total == 0 ? "0 KiB" : size_text(total), dry_run ? "" : " freed"));
  return code;
}

constexpr CliFlag kCollectFlags[] = {{"dry-run", "", "Show what would go and why, and remove nothing"},
                                     kFormatFlag};

/// Text in a unit file: % is special there.
std::string unit_text(std::string_view plain) {
  std::string text;
  for (const char c : plain) text.append(c == '%' ? 2 : 1, c);
  return text;
}

/// A path in a unit file's command or environment, where blanks and quotes are special too.
std::string unit_path(const std::filesystem::path& path) {
  std::string text = "\"";
  for (const char c : unit_text(path.string())) {
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
  // What runs belongs to the home's own supervision tree: systemd only brings it up and down, and must not
  // take it away when a command of the unit fails. KillMode=process leaves alone what is not the unit's own
  // command.
  session.out().result(fmt::format(R"([Unit]
Description=davit home {2}
After=network-online.target local-fs.target docker.service
Wants=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
Delegate=yes
User={3}
{1}ExecStart={0} system:start
ExecStop={0} system:stop
KillMode=process
TimeoutStopSec=120

[Install]
WantedBy=multi-user.target
)",
                                   davit, environment, unit_text(session.home().root.string()),
                                   session.where().uid));
  return 0;
}

}  // namespace

std::span<const CoreCommand> system_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "system:collect",
        .usage = "[--dry-run] [--format text|json]",
        .summary = "Remove releases, slugs, caches, logs and images that nobody needs any more",
        .flags = kCollectFlags,
        .over_ssh = false},
       collect},
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
