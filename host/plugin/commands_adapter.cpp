// Commands and doctor: what people ask a plugin directly.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "plugin/adapters.hpp"

namespace davit {
namespace {

davit_status collect_finding(void* data, std::uint32_t level, davit_str what, davit_str hint) {
  return no_throw([&] {
    const auto known =
        level <= DAVIT_FINDING_PROBLEM ? static_cast<Finding::Level>(level) : Finding::Level::kProblem;
    static_cast<std::vector<Finding>*>(data)->push_back(
        {known, clean_line(view(what)), clean_line(view(hint))});
    return DAVIT_OK;
  });
}

tl::unexpected<Error> bad_usage(const CommandSpec& spec, std::string message) {
  return fail(Code::kInvalid, std::move(message), fmt::format("Usage: davit {} {}", spec.name, spec.usage),
              "usage");
}

const FlagSpec* flag_of(const CommandSpec& spec, std::string_view name) {
  const auto found = std::find_if(spec.flags.begin(), spec.flags.end(),
                                  [&](const FlagSpec& flag) { return flag.name == name; });
  return found == spec.flags.end() ? nullptr : &*found;
}

tl::unexpected<Error> unknown_flag(const CommandSpec& spec, std::string_view flag) {
  std::vector<std::string> names;
  for (const FlagSpec& known : spec.flags)
    names.push_back((known.name.size() == 1 ? "-" : "--") + known.name);
  std::sort(names.begin(), names.end());
  return bad_usage(spec, names.empty()
                             ? fmt::format("Invalid flag passed: {}", flag)
                             : fmt::format("Invalid flag passed, valid flags: {}", join(names, ", ")));
}

}  // namespace

DoctorAdapter::DoctorAdapter(PluginInstance& instance, std::int64_t limit_ms)
    : table_(instance, DAVIT_DOCTOR_ID, offsetof(davit_doctor, examine) + sizeof(davit_doctor::examine)),
      limit_ms_(limit_ms) {}

Result<std::vector<Finding>> DoctorAdapter::examine(const CallContext& context) {
  std::vector<Finding> findings;
  const davit_finding_sink sink{&findings, collect_finding};
  DAVIT_TRY(table_.call("davit.doctor/1.examine", limit_ms_, context,
                        [&](const davit_doctor& table, auto* plugin, auto* call) {
                          return table.examine(plugin, call, &sink);
                        }));
  return findings;
}

CommandsAdapter::CommandsAdapter(PluginInstance& instance)
    : table_(instance, DAVIT_COMMANDS_ID, offsetof(davit_commands, run) + sizeof(davit_commands::run)) {}

Result<int> CommandsAdapter::run(const PluginCommandCall& command, const CallContext& context) {
  const AbiStrings args(command.args);
  const AbiPairs flags(command.flags);
  davit_command in{};
  in.struct_size = sizeof in;
  in.name = abi(command.name);
  in.args = args.get();
  in.flags = flags.get();
  for (std::size_t i = 0; i < command.fds.size(); ++i) in.fds[i] = command.fds[i];
  std::int32_t exit_code = 0;
  DAVIT_TRY(table_.call(command.name, 0, context, [&](const davit_commands& table, auto* plugin, auto* call) {
    return table.run(plugin, call, &in, &exit_code);
  }));
  return exit_code;
}

Result<PluginCommandCall> parse_command(const CommandSpec& spec, const PluginCommandCall& typed) {
  PluginCommandCall parsed = typed;
  parsed.args.clear();
  bool only_args = false;
  for (std::size_t i = 0; i < typed.args.size(); ++i) {
    const std::string& word = typed.args[i];
    if (!only_args && word == "--") {
      only_args = true;
      continue;
    }
    // "--memory 1g" in one word is an option of something else, quoted: no flag's name has a blank.
    const bool is_long = word.size() > 2 && word.starts_with("--") &&
                         word.substr(0, word.find('=')).find_first_of(" \t") == std::string::npos;
    const bool is_short = word.size() == 2 && word.front() == '-' && flag_of(spec, word.substr(1)) != nullptr;
    if (only_args || (!is_long && !is_short)) {
      parsed.args.push_back(word);
      continue;
    }
    const std::size_t equals = is_long ? word.find('=') : std::string::npos;
    const std::string name = word.substr(is_long ? 2 : 1, equals == std::string::npos ? equals : equals - 2);
    const FlagSpec* flag = flag_of(spec, name);
    if (flag == nullptr) return unknown_flag(spec, word);
    std::string value;
    if (equals != std::string::npos) {
      if (flag->is_switch()) return bad_usage(spec, fmt::format("--{} takes no value", name));
      value = word.substr(equals + 1);
    } else if (!flag->is_switch()) {
      if (i + 1 == typed.args.size())
        return bad_usage(spec, fmt::format("--{} needs a value: {}", name, flag->value));
      value = typed.args[++i];
    }
    parsed.flags.insert_or_assign(name, std::move(value));
  }
  if (parsed.args.size() < spec.minimum_args)
    return bad_usage(spec, spec.app && parsed.args.empty()
                               ? "Please specify an app to run the command on"
                               : fmt::format("{} needs more arguments", spec.name));
  if (spec.maximum_args >= 0 && parsed.args.size() > static_cast<std::size_t>(spec.maximum_args))
    return bad_usage(spec, fmt::format("{} takes at most {} arguments", spec.name, spec.maximum_args));
  return parsed;
}

}  // namespace davit
