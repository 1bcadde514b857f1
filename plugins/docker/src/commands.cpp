// See commands.hpp; the names, flags and summaries are in plugin.toml.
#include "commands.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "files/files.hpp"

namespace davit::docker_plugin {
namespace {

constexpr const char* kStackGroup = "stack";
constexpr const char* kOptionsGroup = "docker-options";
constexpr Phase kPhases[] = {Phase::kBuild, Phase::kDeploy, Phase::kRun};

bool wants_json(const sdk::Command& command) {
  const std::string format = command.flag("format").value_or("text");
  if (format != "text" && format != "json")
    throw sdk::Failure(DAVIT_INVALID, "format-invalid", fmt::format("Invalid format specified: {}", format),
                       "Use --format text or --format json");
  return format == "json";
}

/// One word is options as somebody would write them; of several each is what a shell made it, except one such
/// as "-e A=1".
std::string words_from(const sdk::Command& command, std::size_t at) {
  const bool several = command.args.size() > at + 1;
  std::string text;
  for (; at < command.args.size(); ++at) {
    const std::string& word = command.args[at];
    const std::size_t mark = word.find_first_of("= \t\n");
    const bool options = word.starts_with('-') && mark != std::string::npos && word[mark] != '=';
    text += (text.empty() ? "" : " ") + (several && !options ? quoted_word(word) : word);
  }
  return text;
}

}  // namespace

std::int32_t DockerCommands::run(const sdk::Command& command) {
  using Handler = std::int32_t (DockerCommands::*)(const sdk::Command&);
  const std::pair<const char*, Handler> handlers[] = {
      {"stack:build", &DockerCommands::stack_build},
      {"stack:list", &DockerCommands::stack_list},
      {"stack:set", &DockerCommands::stack_set},
      {"stack:report", &DockerCommands::stack_report},
      {"docker-options:add", &DockerCommands::options_add},
      {"docker-options:remove", &DockerCommands::options_remove},
      {"docker-options:clear", &DockerCommands::options_clear},
      {"docker-options:list", &DockerCommands::options_list},
      {"docker-options:report", &DockerCommands::options_report}};
  for (const auto& [name, handler] : handlers) {
    if (command.name != name) continue;
    std::optional<files::FileLock> lists;  // read, changed and written by one at a time
    if (command.name.starts_with("docker-options:")) lists.emplace(base_.config.state + "/lists.lock");
    return (this->*handler)(command);
  }
  throw sdk::Failure(DAVIT_NOT_FOUND, "command-unknown",
                     fmt::format("{} is not a command of docker", command.name));
}

std::int32_t DockerCommands::stack_build(const sdk::Command& command) {
  const std::string name = command.args.empty() ? base_.config.default_stack : command.arg(0);
  std::vector<std::string> packages;
  const std::string more = command.flag("packages").value_or("");
  for (std::size_t at = 0; at < more.size();) {
    const std::size_t comma = std::min(more.find(',', at), more.size());
    const std::string package = more.substr(at, comma - at);
    if (package.empty() ||
        package.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.:") != std::string::npos)
      call_.fail(DAVIT_INVALID, "package", fmt::format("'{}' is no name of a Debian package", package),
                 "write --packages imagemagick,libvips42");
    packages.push_back(package);
    at = comma + 1;
  }
  const std::string suite = command.flag("suite").value_or("");
  if (suite.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
    call_.fail(DAVIT_INVALID, "suite", fmt::format("'{}' is no name of a Debian release", suite),
               "for example --suite bookworm");
  const std::string id = stacks_.build(call_, name, suite, packages_of_stack(packages));
  call_.result_line(id);
  return 0;
}

std::int32_t DockerCommands::stack_list(const sdk::Command& command) {
  const std::vector<StackInfo> stacks = stacks_.list(call_);
  if (wants_json(command)) {
    Json list = Json::array();
    for (const StackInfo& stack : stacks)
      list.push_back({{"name", stack.name},
                      {"id", stack.id},
                      {"bytes", stack.bytes},
                      {"created-at", fmt::format("{:%FT%TZ}", fmt::gmtime(stack.created_unix_s))}});
    call_.result_line(list.dump());
    return 0;
  }
  if (!call_.quiet()) call_.step("Stacks of this davit");
  for (const StackInfo& stack : stacks)
    call_.result_line(fmt::format("       {:<20} {:>6} MiB  {:%F %T}", stack.name, stack.bytes >> 20,
                                  fmt::gmtime(stack.created_unix_s)));
  return 0;
}

std::int32_t DockerCommands::stack_set(const sdk::Command& command) {
  const bool global = command.has("global");
  const std::string app = global ? "" : command.arg(0);
  const std::string wanted = command.arg(global ? 0 : 1);
  if (!global && app.empty())
    call_.fail(DAVIT_INVALID, "app-missing", "Must specify an app", "Or --global for all");
  const sdk::Properties properties = base_.host.properties(call_);
  if (wanted.empty()) {
    properties.unset(app, kStackGroup, "image");
    if (!call_.quiet()) call_.step(fmt::format("Unsetting the stack of {}", global ? "all apps" : app));
    return 0;
  }
  // It is there, or comes now, or that is the error.
  const std::string id = stacks_.image_of(call_, wanted, app);
  properties.set(app, kStackGroup, "image", wanted);
  if (!call_.quiet()) {
    call_.step(fmt::format("{} run on {} ({}) from the next deploy on", global ? "Apps" : app, wanted,
                           id.substr(0, 19)));
  }
  return 0;
}

void DockerCommands::show(const std::map<std::string, sdk::Pairs>& reports, const sdk::Command& command,
                          const std::string& title) const {
  if (wants_json(command)) {
    Json all = Json::object();
    for (const auto& [app, rows] : reports) {
      all[app] = Json::object();
      for (const auto& [key, value] : rows) all[app][key] = value;
    }
    call_.result_line(command.args.empty() ? all.dump() : all[command.arg(0)].dump());
    return;
  }
  for (const auto& [app, rows] : reports) {
    const auto wanted = std::ranges::find_if(rows, [&](const auto& row) { return command.has(row.first); });
    if (wanted != rows.end()) {
      call_.result_line(wanted->second);
      continue;
    }
    if (!call_.quiet()) call_.header(fmt::format("{} {} information", app, title));
    for (const auto& [key, value] : rows) {
      std::string label = key;
      std::ranges::replace(label, '-', ' ');
      label[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(label[0])));
      call_.result_line(fmt::format("       {:<30} {}", label + ":", value));
    }
  }
}

sdk::Strings DockerCommands::apps_of(const sdk::Command& command) const {
  return command.args.empty() ? base_.host.apps(call_).names() : sdk::Strings{command.arg(0)};
}

std::int32_t DockerCommands::stack_report(const sdk::Command& command) {
  if (!command.args.empty()) (void)base_.host.apps(call_).report(command.arg(0));  // fails if there is none
  const sdk::Properties properties = base_.host.properties(call_);
  std::map<std::string, sdk::Pairs> reports;
  for (const std::string& app : apps_of(command)) {
    reports[app] = {{"stack-image", properties.get_own(app, kStackGroup, "image").value_or("")},
                    {"stack-global-image", properties.get_own("", kStackGroup, "image").value_or("")},
                    {"stack-computed-image", stacks_.wanted(call_, app)}};
  }
  show(reports, command, "stack");
  return 0;
}

sdk::Strings DockerCommands::listed(const std::string& app, Phase phase) const {
  return base_.host.properties(call_).list(app, kOptionsGroup, name_of(phase));
}

std::vector<Phase> DockerCommands::phases_of(const sdk::Command& command, std::size_t at) const {
  if (command.args.size() <= at) return {std::begin(kPhases), std::end(kPhases)};
  return parse_phases(command.arg(at));
}

std::int32_t DockerCommands::options_add(const sdk::Command& command) {
  const std::string app = command.arg(0);
  const std::string text = words_from(command, 2);
  const std::vector<Phase> phases = parse_phases(command.arg(1));
  for (const Phase phase : phases) (void)parse_new_options(text, phase);  // all or none
  for (const Phase phase : phases) {
    sdk::Strings list = listed(app, phase);
    for (const Option& option : parse_new_options(text, phase)) {
      if (std::ranges::find(list, option.text()) == list.end()) list.push_back(option.text());
    }
    base_.host.properties(call_).set_list(app, kOptionsGroup, name_of(phase), list);
  }
  return 0;
}

std::int32_t DockerCommands::options_remove(const sdk::Command& command) {
  const std::string app = command.arg(0);
  const std::string text = words_from(command, 2);
  bool any = false;
  for (const Phase phase : parse_phases(command.arg(1))) {
    sdk::Strings list = listed(app, phase);
    const std::size_t before = list.size();
    // As it is listed: an older davit may have taken what this one cannot read.
    if (std::erase(list, text) == 0) {
      for (const Option& option : parse_options(text, phase)) std::erase(list, option.text());
    }
    any = any || list.size() != before;
    base_.host.properties(call_).set_list(app, kOptionsGroup, name_of(phase), list);
  }
  if (!any)
    call_.fail(DAVIT_NOT_FOUND, "option-missing", fmt::format("{} has no such option: {}", app, text),
               "see `davit docker-options:list`");
  return 0;
}

std::int32_t DockerCommands::options_clear(const sdk::Command& command) {
  for (const Phase phase : phases_of(command, 1))
    base_.host.properties(call_).set_list(command.arg(0), kOptionsGroup, name_of(phase), {});
  return 0;
}

std::int32_t DockerCommands::options_list(const sdk::Command& command) {
  const bool json = wants_json(command);
  const std::vector<Phase> phases = phases_of(command, 1);
  Json object = Json::object();
  for (const Phase phase : phases) {
    const sdk::Strings list = listed(command.arg(0), phase);
    object[name_of(phase)] = list;
    if (json) continue;
    if (phases.size() > 1 && !list.empty() && !call_.quiet())
      call_.step(fmt::format("{} {} options", command.arg(0), name_of(phase)));
    for (const std::string& option : list) call_.result_line(option);
  }
  if (json) call_.result_line(object.dump());
  return 0;
}

std::int32_t DockerCommands::options_report(const sdk::Command& command) {
  std::map<std::string, sdk::Pairs> reports;
  for (const std::string& app : apps_of(command)) {
    for (const Phase phase : kPhases) {
      std::string text;
      for (const std::string& option : listed(app, phase)) text += (text.empty() ? "" : " ") + option;
      reports[app].emplace_back(fmt::format("docker-options-{}", name_of(phase)), text);
    }
  }
  show(reports, command, "docker options");
  return 0;
}

}  // namespace davit::docker_plugin
