// davit: the front program, and its only composition root. It reads the environment, wires the session and
// hands the words of the command line to dispatch. It loads no plugin: what needs one runs in
// libexec/davit/davit-worker.
#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "cli/terminal_output.hpp"
#include "commands/dispatch.hpp"
#include "commands/session.hpp"
#include "commands/worker_client.hpp"
#include "commands/worker_protocol.hpp"

namespace {

namespace fs = std::filesystem;

constexpr const char* kSystemHome = "/var/lib/davit";
constexpr const char* kSystemEtc = "/etc/davit";
constexpr const char* kTomlName = "plugins.toml";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

fs::path absolute(const std::string& path) {
  std::error_code error;
  fs::path full = fs::absolute(path, error).lexically_normal();
  if (full.has_relative_path() && full.filename().empty())
    full = full.parent_path();  // "/home/x/" is "/home/x"
  return full;
}

/// The account that owns the system's home, or root, works on that; anybody else on a home of their own.
bool is_system_user(uid_t uid) {
  if (uid == 0) return true;
  struct stat info {};
  return ::stat(kSystemHome, &info) == 0 && info.st_uid == uid;
}

davit::Home find_home(uid_t uid) {
  davit::Home home;
  const std::string given = variable("DAVIT_HOME");
  const bool system_user = given.empty() && is_system_user(uid);
  if (!given.empty()) {
    home.root = absolute(given);
  } else if (system_user) {
    home.root = kSystemHome;
  } else if (const std::string data = variable("XDG_DATA_HOME"); !data.empty()) {
    home.root = absolute(data) / "davit";
  } else {
    home.root = absolute(variable("HOME")) / ".local" / "share" / "davit";
  }
  const std::string file = variable(davit::worker_protocol::kPluginsToml);  // set by hooks of repositories
  const std::string etc = variable("DAVIT_ETC");
  if (!file.empty()) {
    home.plugins_toml = absolute(file);
  } else if (!etc.empty()) {
    home.plugins_toml = absolute(etc) / kTomlName;
  } else {
    home.plugins_toml = (system_user ? fs::path(kSystemEtc) : home.root) / kTomlName;
  }
  return home;
}

std::string account_of(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : std::to_string(uid);
}

/// Why commands on the home cannot run.
std::optional<davit::Error> home_problem(const davit::Home& home, uid_t uid, const std::string& program) {
  struct stat info {};
  const std::string database = home.database().string();
  if (::stat(home.root.c_str(), &info) != 0 ||
      (info.st_uid == uid && ::access(database.c_str(), F_OK) != 0)) {
    return davit::Error{davit::Code::kNotFound,
                        fmt::format("There is no davit home at {}", home.root.string()),
                        fmt::format("Make one: {} init (DAVIT_HOME says where)", program),
                        "home-missing",
                        {}};
  }
  if (info.st_uid == uid) return {};
  return davit::Error{
      davit::Code::kDenied,
      fmt::format("The home {} belongs to {}, and davit runs as its owner only", home.root.string(),
                  account_of(info.st_uid)),
      fmt::format("Run it as {}, or set DAVIT_HOME to a home of your own", account_of(info.st_uid)),
      "home-not-yours",
      {}};
}

davit::Surroundings surroundings(const char* called_as) {
  davit::Surroundings where;
  if (fs::path(called_as).filename() == "dokku") where.program = "dokku";
  where.uid = ::geteuid();
  std::error_code error;
  where.installation = davit::Installation::of_executable(fs::read_symlink("/proc/self/exe", error));
  where.home = find_home(where.uid);
  where.home_problem = home_problem(where.home, where.uid, where.program);
  where.catalog.disable = davit::parse_disable_list(variable("DAVIT_PLUGINS_DISABLE"));
  where.in_terminal = ::isatty(0) == 1;
  return where;
}

davit::Result<std::string> read_input(std::size_t max_bytes) {
  std::string text;
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t got = ::read(0, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return davit::fail(davit::system_error("read stdin", errno));
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > max_bytes) {
      return davit::fail(davit::Code::kInvalid, fmt::format("The input is larger than {} bytes", max_bytes),
                         {}, "input-too-large");
    }
  }
}

/// A standard descriptor that the caller has closed must not become a file of ours: what we print would be
/// written into it.
void occupy_standard_descriptors() {
  int fd = 0;
  while (fd <= 2 && fd >= 0) fd = ::open("/dev/null", O_RDWR);
  if (fd > 2) ::close(fd);
}

/// A result that was lost on a full disk is a failure; a reader that went away had enough of it.
int with_output(int code, davit::TerminalOutput& out) {
  out.flush();
  if (out.gone() == 0 || out.gone() == EPIPE) return code;
  out.warning(davit::system_error("write the output", out.gone()).text());
  return code == 0 ? davit::kExitFailed : code;
}

std::string read_line() {
  std::string line;
  char c = 0;
  while (line.size() < 4096 && ::read(0, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

davit::WorkerParts worker_parts(davit::Session& session) {
  const davit::Surroundings& where = session.where();
  return {where.home,
          where.installation,
          session.clock(),
          [&session] { return session.writing(); },
          where.catalog.disable,
          where.catalog.safe_mode};
}

/// The deployer with the worker client that its recovery uses.
class WiredDeployer final : public davit::Deployer {
 public:
  explicit WiredDeployer(davit::Session& session)
      : workers_(davit::make_worker_client(worker_parts(session))),
        deployer_(davit::make_deployer(worker_parts(session), *workers_)) {}

  davit::Result<davit::FileLock> lock(std::string_view app, std::string_view command, bool no_wait,
                                      bool even_frozen, const davit::CallContext& context) override {
    return deployer_->lock(app, command, no_wait, even_frozen, context);
  }
  davit::Result<int> deploy(davit::FileLock lock, const davit::DeployRequest& request,
                            const davit::CallContext& context) override {
    return deployer_->deploy(std::move(lock), request, context);
  }
  davit::Result<int> follow(std::string_view deployment, bool wait,
                            const davit::CallContext& context) override {
    return deployer_->follow(deployment, wait, context);
  }

 private:
  std::unique_ptr<davit::WorkerClient> workers_;
  std::unique_ptr<davit::Deployer> deployer_;
};

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  // A reader that goes away makes writes fail, no more; a handler is not inherited by programs that we start.
  struct sigaction ignore {};
  ignore.sa_handler = [](int) {};
  ::sigaction(SIGPIPE, &ignore, nullptr);

  const davit::SystemClock clock;
  const bool terminal = ::isatty(1) == 1;
  davit::TerminalOutput out({.out_is_terminal = terminal, .quiet = !terminal}, clock);
  davit::SessionParts parts{
      .clock = clock,
      .out = out,
      .flush = [&out] { out.flush(); },
      .make_quiet = [&out] { out.set_quiet(true); },
      .actor =
          [] {
            const std::string given = variable(davit::worker_protocol::kActor);  // by git:ssh, for the hook
            return given.empty() ? "local:" + account_of(::geteuid()) : given;
          },
      .deployer = [](davit::Session& session) { return std::make_unique<WiredDeployer>(session); },
      .worker = [](davit::Session& session) { return davit::make_worker_client(worker_parts(session)); },
      .read_input = read_input,
      .ssh_command = variable("SSH_ORIGINAL_COMMAND"),
      .read_line = read_line};
  davit::Session session(surroundings(argv[0]), std::move(parts));
  session.context.tty = terminal;
  session.context.quiet = !terminal;
  const int code = davit::dispatch(session, std::vector<std::string>(argv + 1, argv + argc));
  return with_output(code, out);
}
