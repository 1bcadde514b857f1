// Completion scripts for bash and zsh, from the command table. Names of apps and services come from
// `apps:list` and `KIND:list` when they are needed.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/text.hpp"
#include "cli/help.hpp"

namespace davit {
namespace {

bool takes_app(const CliCommand& command) {
  return command.app != AppArgument::kNone && command.app != AppArgument::kNew;
}

/// The word of a usage that stands for its argument at `place` (0: the first): "app" of "[--all] <app>"; ""
/// if there is none.
std::string_view argument_at(std::string_view usage, std::size_t place) {
  int brackets = 0;
  for (std::size_t at = 0; at < usage.size(); ++at) {
    if (usage[at] == '[') ++brackets;
    if (usage[at] == ']') --brackets;
    if (usage[at] != '<' || brackets != 0) continue;
    const std::size_t end = std::min(usage.find('>', at), usage.size());
    if (place-- == 0) return usage.substr(at + 1, end - at - 1);
    at = end;
  }
  return {};
}

/// Names of commands, each between blanks, by what their arguments name.
struct Takers {
  std::string app, service, service_and_app;
};

Takers takers_of(const CommandTable& table) {
  Takers takers;
  for (const CliCommand& command : table.commands) {
    if (command.hidden) continue;
    const std::string_view first = argument_at(command.usage, 0);
    const bool is_new = command.app == AppArgument::kNew || command.name.ends_with(":create");
    if (takes_app(command) || (first == "app" && !is_new)) takers.app += fmt::format("{} ", command.name);
    if (first != "service" || is_new) continue;
    takers.service += fmt::format("{} ", command.name);
    if (argument_at(command.usage, 1) == "app") takers.service_and_app += fmt::format("{} ", command.name);
  }
  return takers;
}

std::string flags_of(const CliCommand& command) {
  std::string flags;
  for (const CliFlag& flag : command.flags)
    flags += fmt::format(" {}{}", flag.name.size() == 1 ? "-" : "--", flag.name);
  const bool is_report = command.unknown_flags == UnknownFlags::kReportKey;
  if (command.app == AppArgument::kOrGlobal || (command.app == AppArgument::kOptional && is_report))
    flags += " --global";
  if (command.app == AppArgument::kOrAll) flags += " --all";
  return flags;
}

std::string bash_script(const CommandTable& table) {
  const Takers takers = takers_of(table);
  std::string names;
  std::string cases;
  for (const CliCommand& command : table.commands) {
    if (command.hidden) continue;
    names += fmt::format("{} ", command.name);
    if (const std::string flags = flags_of(command); !flags.empty()) {
      cases += fmt::format("    {}) flags=\"$flags{}\" ;;\n", command.name, flags);
    }
  }
  return fmt::format(R"sh(# bash completion for {0}: eval "$({0} completion bash)"
_{0}_complete() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} line=${{COMP_LINE:0:COMP_POINT}} command= flags="--quiet --force --trace --safe-mode --app --help"
  # The words are taken from the line: readline breaks GROUP:VERB at the colon.
  local -a words
  read -ra words <<<"$line"
  [[ $line == *" " ]] && words+=("")
  word=${{words[${{#words[@]}}-1]}}
  local i given=0
  for ((i = 1; i < ${{#words[@]}} - 1; i++)); do
    [[ ${{words[i]}} == -* ]] && continue
    if [[ -z $command ]]; then command=${{words[i]}}; else given=$((given + 1)); fi
  done
  local apps=" {2}" services=" {4}" service_apps=" {5}"
  local names="{1}"
  case $command in
{3}  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "$names" -- "$word"))
  elif [[ $given$apps == 0*" $command "* || $given$service_apps == 1*" $command "* ]]; then
    COMPREPLY=($(compgen -W "$({0} --quiet apps:list 2>/dev/null)" -- "$word"))
  elif [[ $given$services == 0*" $command "* ]]; then
    COMPREPLY=($(compgen -W "$({0} --quiet "${{command%%:*}}:list" 2>/dev/null)" -- "$word"))
  else
    compopt -o filenames 2>/dev/null
    local IFS=$'\n'
    COMPREPLY=($(compgen -f -- "$word"))
  fi
  # What stands before the last colon is on the line already.
  if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
    local before=${{word%"${{word##*:}}"}}
    COMPREPLY=("${{COMPREPLY[@]#"$before"}}")
  fi
}}
complete -F _{0}_complete {0}
)sh",
                     table.program, names, takers.app, cases, takers.service, takers.service_and_app);
}

/// A summary inside zsh's 'name:summary' in single quotes.
std::string zsh_text(std::string_view text, bool is_name) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == ':' && is_name) {
      out += "\\:";
    } else {
      out += c;
    }
  }
  return out;
}

std::string zsh_script(const CommandTable& table) {
  const Takers takers = takers_of(table);
  std::string commands;
  std::string cases;
  for (const CliCommand& command : table.commands) {
    if (command.hidden) continue;
    commands += fmt::format("    '{}:{}'\n", zsh_text(command.name, true), zsh_text(command.summary, false));
    if (const std::string flags = flags_of(command); !flags.empty()) {
      cases += fmt::format("    {}) flags+=({}) ;;\n", command.name, trim(flags));
    }
  }
  return fmt::format(R"sh(#compdef {0}
# zsh completion for {0}: eval "$({0} completion zsh)"
_{0}() {{
  local -a commands flags
  local apps=" {2}" services=" {4}" service_apps=" {5}"
  local command= given=0 i
  flags=(--quiet --force --trace --safe-mode --app --help)
  commands=(
{1}  )
  for ((i = 2; i < CURRENT; i++)); do
    [[ ${{words[i]}} == -* ]] && continue
    if [[ -z $command ]]; then command=${{words[i]}}; else given=$((given + 1)); fi
  done
  case $command in
{3}  esac
  if [[ ${{words[CURRENT]}} == -* ]]; then
    compadd -- $flags
  elif [[ -z $command ]]; then
    _describe -t commands command commands
  elif [[ $given$apps == 0*" $command "* || $given$service_apps == 1*" $command "* ]]; then
    compadd -- ${{(f)"$({0} --quiet apps:list 2>/dev/null)"}}
  elif [[ $given$services == 0*" $command "* ]]; then
    compadd -- ${{(f)"$({0} --quiet "${{command%%:*}}:list" 2>/dev/null)"}}
  else
    _files
  fi
}}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _{0} "$@"; else compdef _{0} {0}; fi
)sh",
                     table.program, commands, takers.app, cases, takers.service, takers.service_and_app);
}

}  // namespace

std::string completion_script(const CommandTable& table, std::string_view shell) {
  if (shell == "bash") return bash_script(table);
  if (shell == "zsh") return zsh_script(table);
  return {};
}

}  // namespace davit
