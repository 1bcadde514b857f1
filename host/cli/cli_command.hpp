// CliCommand: what the command line knows of a command before it runs: name, usage, flags, help. Data only;
// what a command does is host/commands' (or a plugin's).
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

namespace davit {

/// One flag of a command. Text lives as long as the table does.
struct CliFlag {
  std::string_view name;     ///< without dashes: "format"
  std::string_view value;    ///< "text|json", "N"; "": a switch
  std::string_view summary;  ///< for the long help and the man page
  char letter = 0;           ///< 't' for -t; 0: none
};

enum class HomeNeed {
  kNone,   ///< runs without a home: help, version, init
  kOwner,  ///< a home, and we are its owner
};

/// What a flag may be that the spec does not list.
enum class UnknownFlags {
  kRefuse,
  kReportKey,   ///< GROUP:report APP --some-key: one at most
  kValueAtEnd,  ///< GROUP:set APP KEY --value: a word after the key that is no known flag is a value
  kPassOn,      ///< a plugin's command: kept as typed
};

enum class AppArgument {
  kNone,      ///< no argument is an app
  kExisting,  ///< the first argument is an app that exists
  kNew,       ///< the first argument is the name of an app that may not exist
  kOptional,  ///< none, or an app: a report of all or of one
  kOrGlobal,  ///< an app, or --global in its place
  kOrAll,     ///< an app, or --all in its place
};

inline constexpr std::size_t kAnyCount = std::numeric_limits<std::size_t>::max();

struct CliCommand {
  std::string_view name;     ///< "apps:create"
  std::string_view usage;    ///< "<app>": arguments and flags, for people
  std::string_view summary;  ///< one sentence without a full stop
  AppArgument app = AppArgument::kNone;
  std::size_t minimum_args = 0;  ///< positionals besides the app
  std::size_t maximum_args = 0;  ///< besides the app; kAnyCount: any
  std::size_t more_app = 0;      ///< which of these, from 1, is an app's name, too; 0: none
  std::span<const CliFlag> flags = {};
  UnknownFlags unknown_flags = UnknownFlags::kRefuse;
  bool rest_is_raw = false;  ///< run: from the first word after the app on, nothing is a flag
  bool hidden = false;       ///< not in help, completion or man page
  bool over_ssh = true;      ///< may be asked for through git:ssh
  HomeNeed home = HomeNeed::kOwner;
};

/// A group of commands: the word before the colon, with the first line of its help.
struct CliGroup {
  std::string_view name;     ///< "apps"
  std::string_view summary;  ///< "Manage apps"
};

/// The word before the colon: "apps" of "apps:create", "run" of "run".
constexpr std::string_view group_name(std::string_view command) {
  return command.substr(0, command.find(':'));
}

}  // namespace davit
