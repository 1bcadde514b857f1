// The man page: davit.1 as roff, from the command table.
#include <fmt/format.h>

#include <string>

#include "cli/help.hpp"

namespace davit {
namespace {

/// Text for roff: backslashes and dashes as themselves, no line that begins with a request.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
      out += c;
    }
  }
  return out;
}

void append_command(std::string& page, const CliCommand& command) {
  page += fmt::format(".TP\n.B {}", roff(command.name));
  page += command.usage.empty() ? "\n" : fmt::format("\n.RI {}\n", "\"" + roff(command.usage) + "\"");
  if (!command.usage.empty()) page += ".br\n";
  page += roff(command.summary) + ".\n";
  for (const CliFlag& flag : command.flags) {
    const std::string letter = flag.letter != 0 ? fmt::format("\\-{}, ", flag.letter) : "";
    page += fmt::format(".RS\n.TP\n.B {}\\-\\-{}{}\n{}.\n.RE\n", letter, roff(flag.name),
                        flag.value.empty() ? "" : " " + roff(flag.value), roff(flag.summary));
  }
}

}  // namespace

std::string man_page(const CommandTable& table, std::string_view version) {
  std::string page = fmt::format(".TH DAVIT 1 \"\" \"davit {}\" \"User commands\"\n", roff(version));
  page += ".SH NAME\ndavit \\- push an app, and it runs\n";
  page +=
      ".SH SYNOPSIS\n.B davit\n[\\-\\-quiet] [\\-\\-force] [\\-\\-trace] [\\-\\-safe\\-mode] [\\-\\-app APP] "
      "COMMAND [FLAGS] APP "
      "[ARGUMENTS]\n";
  page +=
      ".SH DESCRIPTION\nA self\\-hosted platform: a git push is built with buildpacks, run, checked and "
      "routed. "
      "Flags may stand before or after the app. Without a terminal, headers of lists vanish, so that output "
      "can be "
      "piped.\n";
  for (const CliGroup& group : table.groups) {
    std::string commands;
    for (const CliCommand& command : table.commands) {
      if (!command.hidden && group_name(command.name) == group.name) append_command(commands, command);
    }
    if (commands.empty()) continue;
    page += fmt::format(".SH {}\n{}.\n{}", roff(group.name), roff(group.summary), commands);
  }
  page +=
      ".SH EXIT STATUS\n.TP\n.B 0\nIt was done.\n.TP\n.B 1\nIt failed, or the command was wrong.\n.TP\n.B "
      "20\nThe app does "
      "not exist.\n";
  page +=
      ".SH ENVIRONMENT\n.TP\n.B DAVIT_HOME\nThe home: state, repositories, slugs, logs.\n.TP\n.B "
      "DAVIT_ETC\nThe folder of "
      "plugins.toml.\n.TP\n.B DAVIT_PLUGINS_DISABLE\nIds of plugins to leave out, separated by commas.\n";
  return page;
}

}  // namespace davit
