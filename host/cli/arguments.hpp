// Arguments: a command line taken apart, in two steps: first davit's own flags and the command's name (a
// plugin's commands are not known yet then), then the command's own flags and positionals by its spec. No
// I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "cli/cli_command.hpp"

namespace davit {

/// The flags that every command takes; they stand before or after the command's name.
struct GlobalFlags {
  bool quiet = false;
  bool force = false;
  bool trace = false;
  bool help = false;
  bool safe_mode = false;  ///< no plugin is loaded
  bool version = false;
  std::string app;  ///< --app
};

struct CommandLine {
  GlobalFlags global;             ///< those before the name
  std::string name;               ///< "" when there is none
  std::vector<std::string> rest;  ///< what follows the name, untouched
};

/// Takes the flags in front and the name. `words` is argv without argv[0].
Result<CommandLine> split_command_line(const std::vector<std::string>& words);

class Arguments {
 public:
  GlobalFlags global;
  std::string group;              ///< the word before the colon of the command's name
  std::string app;                ///< the app argument, "" if the spec has none or it was left out
  bool all = false;               ///< --all in place of the app
  bool global_scope = false;      ///< --global in place of the app
  bool marked = false;            ///< a `--` stands right behind the app
  std::vector<std::string> args;  ///< positionals besides the app
  std::string report_key;         ///< UnknownFlags::kReportKey: "--ps-restart-policy", or ""
  std::vector<std::string>
      typed;  ///< what follows the name as typed, without davit's own flags; the app first

  [[nodiscard]] bool has(std::string_view flag) const;
  /// The last value given; nullopt if none was.
  [[nodiscard]] std::optional<std::string_view> value(std::string_view flag) const;
  [[nodiscard]] std::vector<std::string_view> values(std::string_view flag) const;
  [[nodiscard]] bool json() const { return value("format") == "json"; }

  /// "--flag" to value ("" for switches), in the order given.
  std::vector<std::pair<std::string, std::string>> flags;
};

/// Errors: Invalid, with the usage in the hint. Whether the app exists is not checked here.
Result<Arguments> parse_arguments(const CommandLine& line, const CliCommand& spec);

/// `--format` of every list and report, and the flag that a set command has.
inline constexpr CliFlag kFormatFlag{"format", "text|json", "How to print it"};

}  // namespace davit
