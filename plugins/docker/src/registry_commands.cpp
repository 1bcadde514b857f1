// See registry_commands.hpp; the names, flags and summaries are in plugin.toml.
#include "registry_commands.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/pull.hpp"
#include "files/files.hpp"

namespace davit::docker_plugin {
namespace {

constexpr std::size_t kLongestPassword = 16 * 1024;

bool wants_json(const sdk::Command& command) {
  return command.flag("format").value_or("text") == "json";
}

std::string servers_of(const std::vector<Login>& logins) {
  std::string text;
  for (const Login& login : logins) text += (text.empty() ? "" : " ") + login.server;
  return text;
}

}  // namespace

std::string read_password(int fd) {
  if (fd < 0 || isatty(fd) != 0)
    throw sdk::Failure(DAVIT_INVALID, "password-missing",
                       "The password is read from stdin, which is a terminal",
                       "pipe it: davit registry:login --global SERVER USER < password-file");
  std::string text;
  char buffer[1024];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > kLongestPassword)
      throw sdk::Failure(DAVIT_INVALID, "password-too-long",
                         "What stdin has is longer than a password can be", "pipe the password alone");
  }
  text = text.substr(0, text.find_first_of("\r\n"));
  if (text.empty())
    throw sdk::Failure(DAVIT_INVALID, "password-missing", "No password was given on stdin",
                       "pipe it: davit registry:login --global SERVER USER < password-file");
  return text;
}

std::int32_t RegistryCommands::run(const sdk::Command& command) {
  if (command.name == "registry:login") return login(command);
  if (command.name == "registry:logout") return logout(command);
  if (command.name == "registry:list") return list(command);
  if (command.name == "registry:report") return report(command);
  throw sdk::Failure(DAVIT_NOT_FOUND, "command-unknown",
                     fmt::format("{} is not a command of docker", command.name));
}

std::string RegistryCommands::scope_of(const sdk::Command& command, std::size_t words,
                                       sdk::Strings& left) const {
  left = command.args;
  std::string app;
  if (!command.has("global") && left.size() > words) {
    app = left.front();
    left.erase(left.begin());
  } else if (!command.has("global")) {
    call_.fail(DAVIT_INVALID, "app-missing", "Must specify an app", "Or --global for all");
  }
  if (left.size() != words)
    call_.fail(DAVIT_INVALID, "usage",
               fmt::format("{} takes an app or --global, and {} more", command.name, words),
               "A password is never an argument: it comes from stdin");
  if (!app.empty()) (void)base_.host.apps(call_).report(app);  // says so if there is none
  return app;
}

/// The engine asks the registry, as it will when it pulls.
void RegistryCommands::ask_registry(const Login& login) const {
  const std::string server = login.server == "docker.io" ? "https://index.docker.io/v1/" : login.server;
  try {
    (void)base_.engine.post(
        "/auth", {}, {{"username", login.user}, {"password", login.password}, {"serveraddress", server}},
        patience(call_));
  } catch (const EngineFailure& failure) {
    if (failure.http_status() == 0) throw;
    if (failure.http_status() == 401 || wants_login(failure.words()))
      throw sdk::Failure(DAVIT_DENIED, "registry-denied",
                         fmt::format("{} does not take this user and password", login.server),
                         "nothing was kept; check both, and that the server is the right one");
    throw sdk::Failure(DAVIT_UNAVAILABLE, "registry-unavailable",
                       fmt::format("{} does not answer as a registry: {}", login.server, failure.words()),
                       "nothing was kept; see whether it runs, and try again");
  }
}

std::int32_t RegistryCommands::login(const sdk::Command& command) {
  sdk::Strings left;
  const std::string app = scope_of(command, 2, left);
  const Login login{plain_server(left[0]), left[1], read_password(command.fds[0])};
  ask_registry(login);
  const files::FileLock one_at_a_time(base_.config.state + "/lists.lock");
  registries_.put(app, login);
  call_.step(fmt::format("Login Succeeded: {} at {}", login.user, login.server));
  return 0;
}

std::int32_t RegistryCommands::logout(const sdk::Command& command) {
  sdk::Strings left;
  const std::string app = scope_of(command, 1, left);
  const std::string server = plain_server(left[0]);
  const files::FileLock one_at_a_time(base_.config.state + "/lists.lock");
  if (!registries_.remove(app, server))
    call_.fail(DAVIT_NOT_FOUND, "not-logged-in", fmt::format("Not logged in to {}", server),
               app.empty() ? "See registry:list --global" : fmt::format("See registry:list {}", app));
  call_.step(fmt::format("Removed the login at {}", server));
  return 0;
}

std::int32_t RegistryCommands::list(const sdk::Command& command) {
  sdk::Strings left;
  const std::string app = scope_of(command, 0, left);
  const std::vector<Login> logins = app.empty() ? registries_.own("") : registries_.effective(app);
  const std::vector<Login> own = registries_.own(app);
  const auto is_global = [&](const Login& login) {
    return app.empty() || std::ranges::find(own, login.server, &Login::server) == own.end();
  };
  if (wants_json(command)) {
    Json rows = Json::array();
    for (const Login& login : logins)
      rows.push_back({{"server", login.server}, {"user", login.user}, {"global", is_global(login)}});
    call_.result_line(rows.dump());
    return 0;
  }
  if (!call_.quiet()) call_.header(app.empty() ? "Registries" : fmt::format("{} registries", app));
  for (const Login& login : logins)
    call_.result_line(fmt::format("{} {}{}", login.server, login.user,
                                  !app.empty() && is_global(login) ? " (global)" : ""));
  return 0;
}

std::int32_t RegistryCommands::report(const sdk::Command& command) {
  const sdk::Strings apps =
      command.args.empty() ? base_.host.apps(call_).names() : sdk::Strings{command.arg(0)};
  Json all = Json::object();
  for (const std::string& app : apps) {
    const sdk::Pairs rows{{"registry-computed-servers", servers_of(registries_.effective(app))},
                          {"registry-global-servers", servers_of(registries_.own(""))},
                          {"registry-servers", servers_of(registries_.own(app))}};
    Json object = Json::object();
    for (const auto& [key, value] : rows) object[key] = value;
    all[app] = object;
    if (wants_json(command)) continue;
    const auto wanted = std::ranges::find_if(rows, [&](const auto& row) { return command.has(row.first); });
    if (wanted != rows.end()) {
      call_.result_line(wanted->second);
      continue;
    }
    if (!call_.quiet()) call_.header(fmt::format("{} registry information", app));
    for (const auto& [key, value] : rows) {
      std::string label = key;
      std::ranges::replace(label, '-', ' ');
      label[0] = 'R';
      call_.result_line(fmt::format("       {:<30} {}", label + ":", value));
    }
  }
  if (wants_json(command)) call_.result_line(command.args.empty() ? all.dump() : all[command.arg(0)].dump());
  return 0;
}

}  // namespace davit::docker_plugin
