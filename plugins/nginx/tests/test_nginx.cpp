#include "test_nginx.hpp"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "files/files.hpp"
#include "properties.hpp"
#include "tests/port_block.hpp"

namespace davit::nginx::test {

using davit::test::PortBlock;

namespace {

// `own_group`: the process and its children can be killed together.
pid_t spawn(const std::vector<std::string>& argv, int output, bool own_group = false) {
  std::vector<char*> raw;
  for (const auto& word : argv) raw.push_back(const_cast<char*>(word.c_str()));
  raw.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (output >= 0) {
    ::posix_spawn_file_actions_adddup2(&actions, output, 1);
    ::posix_spawn_file_actions_adddup2(&actions, output, 2);
  }
  ::posix_spawn_file_actions_addclosefrom_np(&actions,
                                             3);  // else nginx holds the test apps' listening sockets
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  if (own_group) ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, raw[0], &actions, &attributes, raw.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + argv[0]);
  return pid;
}

}  // namespace

std::uint16_t free_port() {
  static PortBlock ports;  // of this program; no other test has its ports meanwhile
  return ports.next();
}

TestNginx::TestNginx(Switching switching) {
  ::chmod(directory_.path().c_str(), 0755);
  settings_.root = directory_ / "state";
  settings_.logs = directory_ / "logs";
  settings_.run = directory_ / "run";
  settings_.access_logs = directory_ / "logs/apps";
  settings_.worker_tmp = directory_ / "tmp";
  settings_.pages = directory_ / "pages";
  settings_.share = DAVIT_SOURCE_DIR "/plugins/nginx/share";
  settings_.control = directory_ / "run/control/socket";
  settings_.pid_file = directory_ / "run/nginx.pid";
  settings_.program = "/usr/sbin/nginx";
  settings_.switching = switching;
  if (switching == Switching::kSocket) {
    settings_.load_modules = {"/usr/lib/nginx/modules/ndk_http_module.so",
                              "/usr/lib/nginx/modules/ngx_http_lua_module.so"};
  }
  settings_.http_port = free_port();
  settings_.https_port = free_port();
  settings_.bind_ipv4 = "127.0.0.1";
  settings_.bind_ipv6.clear();
  settings_.workers = 2;
  settings_.table_mb = 2;
  settings_.global = default_properties();
  if (::geteuid() == 0) {
    settings_.worker_user = "www-data";
    settings_.worker_group = "www-data";
  }
}

TestNginx::~TestNginx() {
  if (pid_ > 0) kill_master(SIGTERM);
  // What a failed test leaves would keep our output open, and whoever reads that would wait for it.
  for (const pid_t group : groups_) ::kill(-group, SIGKILL);
}

ProgramResult TestNginx::run(const std::vector<std::string>& argv) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const pid_t pid = spawn(argv, ends[1]);
  ::close(ends[1]);
  ProgramResult result;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof(buffer))) > 0;)
    result.output.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

void TestNginx::start(const std::vector<std::string>& argv) {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0) return;  // still there
  pid_ = spawn(argv, -1, true);
  groups_.push_back(pid_);
}

void TestNginx::reload() {
  ++reloads_;
  ::kill(pid_, SIGHUP);
}

void TestNginx::kill_master(int signal) {
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
  // With lua the workers see to their end themselves. Without it that is the supervision's part, which ends
  // what a killed server leaves before it starts another.
  if (signal == SIGKILL && settings_.switching != Switching::kSocket) ::kill(-pid_, SIGKILL);
  pid_ = 0;
}

Engine TestNginx::engine() {
  return Engine(settings_, *this, [this](const std::string& app) { return inputs(app); });
}

AppInputs& TestNginx::inputs(const std::string& app) {
  const auto [at, is_new] = inputs_.try_emplace(app);
  if (is_new) at->second.properties = settings_.global;
  return at->second;
}

std::uint64_t TestNginx::generation() {
  const auto status = ControlClient(settings_.control).status();
  return status ? status->generation : 0;
}

namespace {

TestNginx::Answer ask(std::uint16_t port, Poco::Net::HTTPRequest& request, const std::string& body) {
  TestNginx::Answer answer;
  try {
    Poco::Net::HTTPClientSession session("127.0.0.1", port);
    session.setTimeout(Poco::Timespan(20, 0));
    request.setContentLength(static_cast<std::streamsize>(body.size()));
    session.sendRequest(request) << body;
    Poco::Net::HTTPResponse response;
    Poco::StreamCopier::copyToString(session.receiveResponse(response), answer.body);
    answer.status = response.getStatus();
    for (const auto& [key, value] : response) answer.headers[key] = value;
  } catch (const Poco::Exception&) {
    answer.status = 0;
  }
  return answer;
}

}  // namespace

TestNginx::Answer TestNginx::get(const std::string& host, const std::string& path,
                                 const std::map<std::string, std::string>& headers) {
  Poco::Net::HTTPRequest request("GET", path, Poco::Net::HTTPMessage::HTTP_1_1);
  for (const auto& [key, value] : headers) request.set(key, value);
  request.setHost(host);
  return ask(settings_.http_port, request, "");
}

TestNginx::Answer TestNginx::post(const std::string& host, const std::string& body) {
  Poco::Net::HTTPRequest request("POST", "/", Poco::Net::HTTPMessage::HTTP_1_1);
  request.setHost(host);
  return ask(settings_.http_port, request, body);
}

}  // namespace davit::nginx::test
