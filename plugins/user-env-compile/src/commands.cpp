// See commands.hpp. Texts of errors are those of config:*. Values are never shown when they are set: they may
// be secret.
#include "commands.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "davit/failure.hpp"

namespace davit::build_env {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostBytes = 512 * 1024;  // of a value: a row of the database has 1 MiB at most
constexpr std::size_t kLeastMaskedBytes = 6;    // what the host masks (masked_output.hpp)
constexpr const char* kGroup = "build-env-";
constexpr const char* kMask = "***";
constexpr std::size_t kLeastWidth = 31;

bool wants_json(const sdk::Command& command) {
  const std::string format = command.flag("format").value_or("text");
  if (format == "text" || format == "json") return format == "json";
  throw sdk::Failure(DAVIT_INVALID, "format-invalid", fmt::format("Invalid format specified: {}", format),
                     "Use --format text or --format json");
}

std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// All of standard input, without the newline that `echo` puts at its end.
std::string read_value(int fd) {
  std::string value;
  char buffer[16 * 1024];
  for (ssize_t got = 0; fd >= 0 && (got = read(fd, buffer, sizeof buffer)) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    value.append(buffer, static_cast<std::size_t>(got));
    if (value.size() > kMostBytes) break;
  }
  if (value.ends_with('\n')) value.pop_back();
  return value;
}

std::string joined(const sdk::Strings& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

sdk::Strings names_of(const Variables& variables) {
  sdk::Strings names;
  for (const auto& [name, variable] : variables) names.push_back(name);
  return names;
}

/// "build-env-curl-timeout" -> "Build env curl timeout:"
std::string label_of(std::string text) {
  std::ranges::replace(text, '-', ' ');
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text + ":";
}

std::string without_blanks_at_end(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

Json json_of(const sdk::Pairs& rows) {
  Json object = Json::object();
  for (const auto& [key, value] : rows) object[key.substr(std::string_view(kGroup).size())] = value;
  for (const auto& [key, value] : rows) object[key] = value;
  return object;
}

void check_value(const std::string& name, const std::string& value) {
  if (value.size() > kMostBytes) {
    throw sdk::Failure(DAVIT_INVALID, "value-too-large",
                       fmt::format("The value of {} has more than {} KiB", name, kMostBytes / 1024),
                       "Put it into a file of the app");
  }
  if (value.find('\0') != std::string::npos) {
    throw sdk::Failure(DAVIT_INVALID, "value-invalid", fmt::format("The value of {} has a NUL byte", name),
                       "Programs cannot take such a value");
  }
  const bool limit =
      std::ranges::any_of(kDownloadLimits, [&](const auto& one) { return name == one.variable; });
  const bool digits = !value.empty() && value.size() < 7 &&
                      std::ranges::all_of(value, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (limit && !digits) {
    throw sdk::Failure(DAVIT_INVALID, "value-invalid", fmt::format("{} must be a number of seconds", name),
                       fmt::format("For example {}=600", name));
  }
}

}  // namespace

std::string limit_of(const sdk::Host& host, const sdk::Call& call, const DownloadLimit& limit) {
  const std::uint64_t ms = host.settings(call).duration_ms(limit.setting, 0);
  return ms == 0 ? std::string() : std::to_string((ms + 999) / 1000);
}

NameRules name_rules(const sdk::Host& host, const sdk::Call& call) {
  const sdk::Settings settings = host.settings(call);
  return {settings.items("block"), settings.items("allow")};
}

int BuildEnvCommands::run(const sdk::Command& command) {
  if (command.name == "build-env:set") return set(command);
  if (command.name == "build-env:unset") return unset(command);
  if (command.name == "build-env:list") return list(command);
  if (command.name == "build-env:report") return report(command);
  throw sdk::Failure(DAVIT_NOT_FOUND, "command-unknown",
                     fmt::format("{} is not a command of user-env-compile", command.name));
}

sdk::Strings BuildEnvCommands::words_after_scope(const sdk::Command& command, std::string& scope) const {
  if (command.has("global")) return command.args;
  if (command.args.empty()) {
    throw sdk::Failure(DAVIT_INVALID, "app-missing", "Please specify an app to run the command on",
                       "Or --global for all apps");
  }
  scope = command.args.front();
  (void)host_.apps(call_).report(scope);  // it says when there is no such app
  return {command.args.begin() + 1, command.args.end()};
}

void BuildEnvCommands::check_name(const std::string& name) const {
  if (!is_variable(name)) {
    throw sdk::Failure(DAVIT_INVALID, "key-invalid", "Invalid key name: it is not a variable's name",
                       "A letter or _, then letters, digits and _");
  }
  if (name_rules(host_, call_).allows(name)) return;
  throw sdk::Failure(
      DAVIT_DENIED, "key-blocked", fmt::format("{} is kept out of builds", name),
      "The operator may allow it: `allow` in [plugins.user-env-compile.settings] of plugins.toml");
}

int BuildEnvCommands::set(const sdk::Command& command) {
  std::string scope;
  const sdk::Strings words = words_after_scope(command, scope);
  const bool from_stdin = command.has("stdin");
  if (words.empty())
    throw sdk::Failure(DAVIT_INVALID, "pairs-missing", "At least one env pair must be given");
  if (from_stdin && words.size() != 1)
    throw sdk::Failure(DAVIT_INVALID, "usage", "With --stdin one key is set", "Give its name alone");
  Variables wanted;  // all are checked before the first is written
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (!from_stdin && equals == std::string::npos) {  // not shown: it may be a value with a blank in it
      throw sdk::Failure(DAVIT_INVALID, "pair-invalid",
                         fmt::format("Invalid env pair: argument {} has no =", i + 1), "Give KEY=VALUE");
    }
    const std::string name = from_stdin ? words[i] : words[i].substr(0, equals);
    check_name(name);
    const std::string value = from_stdin ? read_value(command.fds[0]) : words[i].substr(equals + 1);
    check_value(name, value);
    wanted[name] = {value, command.has("secret")};
    if (command.has("secret") && !value.empty() && value.size() < kLeastMaskedBytes) {
      call_.warning(fmt::format(
          "The value of {} has less than {} bytes: it is hidden in lists, but not in the output of builds",
          name, kLeastMaskedBytes));
    }
  }
  if (!call_.quiet()) call_.step("Setting build variables");
  for (const auto& [name, variable] : wanted) {
    store_.set(scope, name, variable);
    if (!call_.quiet()) call_.detail(name + "\n");
  }
  return 0;
}

int BuildEnvCommands::unset(const sdk::Command& command) {
  std::string scope;
  const sdk::Strings words = words_after_scope(command, scope);
  if (words.empty()) throw sdk::Failure(DAVIT_INVALID, "keys-missing", "At least one key must be given");
  for (const std::string& name : words) {
    if (!call_.quiet()) call_.step(fmt::format("Unsetting {}", name));
    store_.unset(scope, name);
  }
  return 0;
}

int BuildEnvCommands::list(const sdk::Command& command) {
  std::string scope;
  if (!words_after_scope(command, scope).empty())
    throw sdk::Failure(DAVIT_INVALID, "usage", "build-env:list takes an app or --global, and no more");
  const Variables variables = store_.all(scope);
  const auto shown = [](const Variable& variable) { return variable.secret ? kMask : variable.value; };
  if (wants_json(command)) {
    Json object = Json::object();
    for (const auto& [name, variable] : variables) object[name] = shown(variable);
    call_.result_line(json_text(object));
    return 0;
  }
  std::size_t wide = 0;
  for (const auto& [name, variable] : variables) wide = std::max(wide, name.size());
  call_.header(fmt::format("{} build variables", scope.empty() ? "global" : scope));
  for (const auto& [name, variable] : variables)
    call_.result_line(
        without_blanks_at_end(fmt::format("{:<{}}  {}", name + ":", wide + 1, shown(variable))));
  return 0;
}

sdk::Pairs BuildEnvCommands::rows(const std::string& scope) const {
  const Variables global = store_.all("");
  Variables computed = scope.empty() ? Variables() : store_.all(scope);
  const std::string own = joined(names_of(computed));
  computed.insert(global.begin(), global.end());
  sdk::Pairs rows{{"build-env-blocked", joined(name_rules(host_, call_).blocked())}};
  if (!scope.empty()) rows.emplace_back("build-env-computed-variables", joined(names_of(computed)));
  for (const DownloadLimit& limit : kDownloadLimits) {
    const auto set = computed.find(limit.variable);
    rows.emplace_back(std::string(kGroup) + limit.setting,
                      set != computed.end() ? set->second.value : limit_of(host_, call_, limit));
  }
  rows.emplace_back("build-env-global-variables", joined(names_of(global)));
  if (!scope.empty()) rows.emplace_back("build-env-variables", own);
  std::ranges::sort(rows);
  return rows;
}

int BuildEnvCommands::report(const sdk::Command& command) {
  const bool json = wants_json(command);
  std::string wanted;
  for (const auto& [flag, value] : command.flags) {
    if (flag.starts_with(kGroup)) wanted = flag;
  }
  if (!wanted.empty() && command.has("format")) {
    throw sdk::Failure(DAVIT_INVALID, "flags-conflict",
                       "--format flag cannot be specified when specifying an info flag");
  }
  const bool single = command.has("global") || !command.arg(0).empty();
  const std::string named = command.has("global") ? "" : command.arg(0);
  if (!named.empty()) (void)host_.apps(call_).report(named);
  const sdk::Strings scopes = single ? sdk::Strings{named} : host_.apps(call_).names();
  if (scopes.empty() && !json) call_.warning("You haven't deployed any applications yet");
  Json all = Json::object();
  for (const std::string& scope : scopes) {
    const sdk::Pairs found = rows(scope);
    if (json) {
      all[scope] = json_of(found);
      continue;
    }
    if (wanted.empty())
      call_.header(fmt::format("{} build-env information", scope.empty() ? "Global" : scope));
    std::size_t wide = kLeastWidth;
    for (const auto& [key, value] : found) wide = std::max(wide, key.size() + 2);
    for (const auto& [key, value] : found) {
      if (key == wanted) call_.result_line(value);
      if (!wanted.empty()) continue;
      call_.result_line(without_blanks_at_end(fmt::format("       {:<{}}{}", label_of(key), wide, value)));
    }
  }
  if (json) call_.result_line(json_text(single ? all[named] : all));
  return 0;
}

}  // namespace davit::build_env
