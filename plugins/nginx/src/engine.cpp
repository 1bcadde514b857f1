// See engine.hpp.
#include "engine.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/StreamSocket.h>
#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "davit/failure.hpp"
#include "files/files.hpp"
#include "log_files.hpp"
#include "properties.hpp"
#include "render.hpp"
#include "route_json.hpp"

namespace davit::nginx {
namespace {

constexpr auto kStartLimit = std::chrono::seconds(20);
constexpr auto kPollEvery = std::chrono::milliseconds(10);
constexpr int kProbeTimeoutMs = 2000;
constexpr std::size_t kLongestSocket = 107;  // sun_path without its NUL

// Why a start has failed for good, from what nginx has logged since; empty while there is hope. A port in use
// is tried again by nginx itself five times, because the master before this one may be leaving.
std::string reason_in(const std::string& log) {
  if (const auto at = log.find("init_by_lua error: "); at != std::string::npos) {
    return log.substr(at, log.find('\n', at) - at);
  }
  for (auto at = log.find("[emerg]"); at != std::string::npos; at = log.find("[emerg]", at + 1)) {
    const auto line = log.substr(at, log.find('\n', at) - at);
    if (line.find("still could not bind") != std::string::npos) {
      const auto bind = log.find("bind() to");
      return bind == std::string::npos ? line : log.substr(bind, log.find('\n', bind) - bind);
    }
    if (line.find("bind() to") == std::string::npos) return line.substr(line.find(": ") + 2);
  }
  return {};
}

struct Token {
  std::optional<Route> route;
  std::optional<std::string> site;
  std::optional<Route> replaced;  // of the app that goes away, whose site is the one below
  std::optional<std::string> replaced_site;
};

std::string to_text(const Token& token) {
  Poco::JSON::Object object;
  if (token.route) object.set("route", to_json(*token.route));
  if (token.site) object.set("site", *token.site);
  if (token.replaced) object.set("replaced", to_json(*token.replaced));
  if (token.replaced_site) object.set("replaced-site", *token.replaced_site);
  std::ostringstream text;
  object.stringify(text);
  return std::move(text).str();
}

Token token_from(const std::string& text) {
  try {
    Poco::JSON::Parser parser;
    const auto object = parser.parse(text).extract<Poco::JSON::Object::Ptr>();
    Token token;
    if (object->has("route")) token.route = route_from_json(object->getValue<std::string>("route"));
    if (object->has("site")) token.site = object->getValue<std::string>("site");
    if (object->has("replaced")) token.replaced = route_from_json(object->getValue<std::string>("replaced"));
    if (object->has("replaced-site")) token.replaced_site = object->getValue<std::string>("replaced-site");
    return token;
  } catch (const Poco::Exception& error) {
    throw sdk::Failure(DAVIT_INTERNAL, "bad-token",
                       "the token of the switch cannot be read: " + error.displayText());
  }
}

// One app's file in, and that of the app that it replaces out.
FileChanges site_changes(const Route& route, const std::optional<std::string>& site) {
  FileChanges changes{{LiveFiles::site_path(route.app), site}};
  if (!route.replaces.empty()) changes[LiveFiles::site_path(route.replaces)] = std::nullopt;
  return changes;
}

}  // namespace

Engine::Engine(Settings settings, Machine& machine, std::function<AppInputs(const std::string&)> inputs)
    : settings_(std::move(settings)),
      machine_(machine),
      inputs_(std::move(inputs)),
      control_(settings_),
      live_(settings_, machine_, control_),
      store_(settings_.root + "/apps") {
  if (settings_.control.size() > kLongestSocket) {
    throw sdk::Failure(
        DAVIT_INVALID, "path-too-long",
        "the path of nginx's control socket is longer than a socket's may be: " + settings_.control,
        "use a home with a shorter path");
  }
}

void Engine::make_directories() {
  for (const auto* name : {"/apps", "/sites", "/listen", "/conf.d"}) files::make_dirs(settings_.root + name);
  files::make_dirs(settings_.run);
  files::make_dirs(settings_.logs);
  if (settings_.control_name.empty())
    files::make_dirs(std::filesystem::path(settings_.control).parent_path(), 0700);
  for (const auto& path : {settings_.access_logs, settings_.worker_tmp, settings_.pages})
    files::make_dirs(path);
  for (const auto* name : {"/davit-error.html", "/davit-unknown.html"}) {
    const auto text = files::read_file(settings_.share + "/errors" + name);
    if (text && files::read_file(settings_.pages + name) != text)
      files::write_file(settings_.pages + name, *text);
  }
  if (settings_.worker_user.empty()) return;
  const auto* user = ::getpwnam(settings_.worker_user.c_str());
  if (user == nullptr || ::lchown(settings_.access_logs.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw sdk::Failure(DAVIT_FAILED, "not-allowed",
                       "cannot give " + settings_.access_logs + " to the user " + settings_.worker_user,
                       "set user in [plugins.nginx.settings] to one that exists");
  }
}

void Engine::ensure() {
  make_directories();
  if (!live_.difference({}).empty() || live_.is_stale()) {
    const files::FileLock lock(settings_.root + "/lock");
    const auto changes = live_.difference({});  // another process may have done it meanwhile
    if (!changes.empty()) live_.check({});
    if (!changes.empty() || live_.is_stale()) live_.install(changes);
  }
  start_and_wait();
}

void Engine::start_and_wait() {
  if (settings_.mode == Mode::kPrivate && settings_.switching == Switching::kReload)
    dismiss_orphans(settings_);
  if (live_.is_up()) return;
  const LogSince log(settings_);
  machine_.start(start_argv(settings_));
  // The supervisor says that nginx executes; that it serves, only nginx itself can say.
  const auto limit = std::chrono::steady_clock::now() + kStartLimit;
  while (!live_.is_up()) {
    const auto reason = reason_in(log.text());
    if (!reason.empty() || std::chrono::steady_clock::now() > limit) {
      throw sdk::Failure(
          DAVIT_UNAVAILABLE, "proxy-not-up", "nginx did not come up" + (reason.empty() ? "" : ": " + reason),
          "is the port taken? Set port in [plugins.nginx.settings], or see davit nginx:error-logs");
    }
    std::this_thread::sleep_for(kPollEvery);
  }
}

std::optional<std::string> Engine::wanted_site(const Route& route) const {
  const auto inputs = inputs_(route.app);
  const Site site{route, inputs.properties, inputs.certificate, inputs.extra_dir, inputs.extra_stamp};
  if (!needs_own_site(settings_, site)) return std::nullopt;
  return render_site(settings_, site);
}

void Engine::check_values(const Route& route) {
  if (const auto words = complaint(route); !words.empty()) {
    throw sdk::Failure(DAVIT_INVALID, "bad-route", words);
  }
  const auto inputs = inputs_(route.app);
  for (const auto& property : properties()) {
    const auto found = inputs.properties.find(std::string(property.key));
    if (found == inputs.properties.end()) continue;
    if (const auto words = complaint(property, found->second); !words.empty()) {
      throw sdk::Failure(DAVIT_INVALID, "bad-property", words + ", not \"" + found->second + "\"",
                         "davit nginx:set " + route.app + " " + std::string(property.key) +
                             " with a value that fits, or "
                             "without one for the default");
    }
  }
}

void Engine::check_sites(const std::vector<std::string>& apps) {
  make_directories();
  FileChanges changes;
  for (const auto& app : apps) {
    Route undeployed;
    undeployed.app = app;
    changes[LiveFiles::site_path(app)] = wanted_site(store_.get(app).value_or(undeployed));
  }
  if (!live_.difference(changes).empty()) live_.check(changes);
}

void Engine::check_certificate(const std::string& app, const Certificate& certificate) {
  make_directories();
  auto inputs = inputs_(app);
  Route route;
  route.app = app;
  route = store_.get(app).value_or(route);
  const Site site{route, inputs.properties, certificate, inputs.extra_dir, inputs.extra_stamp};
  live_.check({{LiveFiles::site_path(app), render_site(settings_, site)}});
}

std::string Engine::prepare(const Route& route) {
  check_values(route);
  if (settings_.switching == Switching::kSocket && control_.status()) {
    for (const auto& host : route.hosts) {
      const auto owner = control_.owner(host);
      if (owner && *owner != route.app && *owner != route.replaces) {
        throw sdk::Failure(DAVIT_CONFLICT, "host-taken", host + " belongs to the app " + *owner,
                           "remove the domain there first, or choose another");
      }
    }
  }
  make_directories();
  const FileChanges change = site_changes(route, wanted_site(route));
  if (!live_.difference(change).empty()) live_.check(change);
  Token token{store_.get(route.app), live_.read(LiveFiles::site_path(route.app)), {}, {}};
  if (!route.replaces.empty()) {
    token.replaced = store_.get(route.replaces);
    token.replaced_site = live_.read(LiveFiles::site_path(route.replaces));
  }
  return to_text(token);
}

void Engine::apply(const Route& route) {
  check_values(route);
  ensure();
  auto wanted = route;
  const auto site = wanted_site(route);
  wanted.shared = !site.has_value();
  const FileChanges change = site_changes(route, site);
  const auto before = store_.get(route.app);
  try {
    if (settings_.switching == Switching::kReload) {
      require_reachable(wanted);
      store_.put(wanted);
      switch_by_reload(change);
    } else {
      // The file goes first: an nginx that restarts in between knows the new routes, which are fit to serve.
      store_.put(wanted);
      switch_by_socket(wanted, change);
    }
    if (!route.replaces.empty()) store_.remove(route.replaces);
  } catch (...) {
    if (before) {
      store_.put(*before);
    } else {
      store_.remove(route.app);
    }
    throw;
  }
}

void Engine::switch_by_reload(const FileChanges& change) {
  const files::FileLock lock(settings_.root + "/lock");
  const auto changes = live_.difference(change);
  if (!changes.empty()) live_.install(changes);
}

void Engine::switch_by_socket(const Route& route, const FileChanges& change) {
  if (live_.difference(change).empty()) {
    tell([&] { control_.put(route, true); });
    return;
  }
  const files::FileLock lock(settings_.root + "/lock");
  const auto changes = live_.difference(change);
  if (route.shared) {  // the shared block must know the app before its own block goes
    tell([&] { control_.put(route, true); });
    live_.install(changes);
  } else {
    live_.install(changes);
    tell([&] { control_.put(route, true); });
  }
}

// When switching by reload nobody else asks the instances before requests go there.
void Engine::require_reachable(const Route& route) const {
  for (const auto& peer : route.peers) {
    try {
      const auto address = peer.path.empty()
                               ? Poco::Net::SocketAddress(peer.host, peer.port)
                               : Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, peer.path);
      Poco::Net::StreamSocket socket;
      socket.connect(address, Poco::Timespan(kProbeTimeoutMs * 1000LL));
    } catch (const Poco::Exception& error) {
      throw sdk::Failure(DAVIT_UNAVAILABLE, "instance-unreachable",
                         "instance " + peer.label() + " accepts no connection: " + error.displayText(),
                         "the instance may have exited: see its log");
    }
  }
}

void Engine::tell(const std::function<void()>& act) {
  try {
    act();
  } catch (const sdk::Failure& failure) {
    if (failure.slug() != "proxy-unreachable") throw;
    start_and_wait();  // it was killed just now, or is coming up: it may have read the files before we wrote
                       // them
    act();
  }
}

void Engine::restore(const std::string& app, const std::optional<Route>& route,
                     const std::optional<std::string>& site) {
  if (route) {
    store_.put(*route);
  } else {
    store_.remove(app);
  }
  bool up = true;
  try {
    start_and_wait();
  } catch (const sdk::Failure& failure) {
    if (failure.slug() != "proxy-not-up") throw;
    up = false;  // it reads the files when it starts
  }
  const bool by_socket = up && settings_.switching == Switching::kSocket;
  if (by_socket && route && route->shared) tell([&] { control_.put(*route, false); });
  {
    const files::FileLock lock(settings_.root + "/lock");
    const auto changes = live_.difference({{LiveFiles::site_path(app), site}});
    if (!changes.empty() || live_.is_stale()) live_.install(changes);
  }
  if (by_socket && route && !route->shared) tell([&] { control_.put(*route, false); });
  if (by_socket && !route) tell([&] { control_.remove(app); });
}

void Engine::undo(const std::string& app, const std::string& token) {
  make_directories();
  auto before = token_from(token);
  if (before.replaced) {  // its hosts come back before what took them goes
    before.replaced->replaces = app;
    restore(before.replaced->app, before.replaced, before.replaced_site);
  }
  restore(app, before.route, before.site);
}

void Engine::remove(const std::string& app) {
  make_directories();
  restore(app, std::nullopt, std::nullopt);
}

bool Engine::drain(const std::string& app, const std::vector<Peer>& peers, std::uint64_t timeout_ms) {
  if (settings_.switching == Switching::kReload) {
    // Workers of before the reload have the old instances; when none is left, nobody sends there any more.
    const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (live_.has_leaving_workers()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      std::this_thread::sleep_for(kPollEvery);
    }
    return true;
  }
  const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now());
    const auto wait_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, left.count()));
    // nginx holds the answer until there are none; a worker that leaves for a reload answers early.
    if (control_.in_flight(app, peers, wait_ms) == 0) return true;
    if (left.count() <= 0) return false;
  }
}

bool Engine::site_differs(const std::string& app) const {
  const auto route = store_.get(app);
  return route && !live_.difference({{LiveFiles::site_path(app), wanted_site(*route)}}).empty();
}

void Engine::reload() {
  make_directories();
  {
    const files::FileLock lock(settings_.root + "/lock");
    live_.check({});
    live_.install(live_.difference({}));
  }
  start_and_wait();
}

std::string Engine::show(const std::string& app) const {
  if (auto site = live_.read(LiveFiles::site_path(app))) return *site;
  return live_.read("http.conf").value_or("");
}

}  // namespace davit::nginx
