// What the tests of the suite share; see suite.hpp.
#include "suite.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace davit::test {
namespace {

constexpr char kServer[] = R"(#!/usr/bin/python3
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("hello from " + os.environ["DAVIT_INSTANCE"] + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
def stop(*args):
    print("server stops", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
server = http.server.HTTPServer((os.environ["LISTEN"], int(os.environ["PORT"])), Handler)
print("listening", flush=True)
server.serve_forever()
)";

}  // namespace

bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (std::chrono::steady_clock::now() < end) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return holds();
}

std::string http_get(std::uint32_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET / HTTP/1.0\r\n\r\n";
    if (write(fd, request.data(), request.size()) > 0) {
      char buffer[4096];
      ssize_t got = 0;
      while ((got = read(fd, buffer, sizeof buffer)) > 0)
        answer.append(buffer, static_cast<std::size_t>(got));
    }
  }
  close(fd);
  return answer;
}

std::string own_seconds(unsigned which) {
  return std::to_string(4'000'000U + static_cast<unsigned>(getpid()) * 10U + which);
}

sdk::Group RuntimeSuite::group(const std::string& type, const std::string& script, std::uint32_t count) {
  sdk::Group group;
  group.owner = "shop";
  group.revision = "d1";
  group.process_type = type;
  group.count = count;
  group.artifact = world->artifact({{"hello.txt", "hello\n"}});
  group.argv = {"bash", "-c", script};
  group.env = {{"COLOUR", "deep blue"}};
  group.stop_timeout_ms = 10'000;
  return group;
}

sdk::Group RuntimeSuite::web(std::uint32_t count, const std::string& revision) {
  sdk::Group made = group("web", "exec python3 server.py", count);
  made.revision = revision;
  made.artifact = world->artifact({{"server.py", kServer}});
  made.env.emplace_back("LISTEN", world->listen_address());
  made.flags = DAVIT_GROUP_LISTENS;
  return made;
}

sdk::Selector RuntimeSuite::all(const std::string& revision, const std::string& type) {
  return sdk::Selector{DAVIT_OWNER_APP, "shop", revision, type, 0};
}

std::vector<sdk::Instance> RuntimeSuite::inspect(const sdk::Selector& selector) {
  std::vector<sdk::Instance> found;
  EXPECT_EQ(runtime().inspect(selector, found), DAVIT_OK) << runtime().call().message;
  return found;
}

bool RuntimeSuite::wait_until(const std::function<bool(const std::vector<sdk::Instance>&)>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (std::chrono::steady_clock::now() < end) {
    if (holds(inspect())) return true;
    EXPECT_EQ(runtime().wait_change(all(), 1'000), DAVIT_OK) << runtime().call().message;
  }
  return holds(inspect());
}

bool RuntimeSuite::wait_up(std::size_t count) {
  return wait_until([count](const auto& instances) {
    const auto up = [](const sdk::Instance& instance) { return instance.state == DAVIT_INSTANCE_UP; };
    return instances.size() == count && std::ranges::all_of(instances, up);
  });
}

std::vector<std::string> RuntimeSuite::log_texts(const sdk::LogQuery& query) {
  std::vector<std::string> texts;
  TestCall call;
  EXPECT_EQ(runtime().logs(call, all(), query, [&](const sdk::LogLine& line) { texts.push_back(line.text); }),
            DAVIT_OK)
      << call.message;
  return texts;
}

bool RuntimeSuite::wait_log(const std::string& text) {
  return eventually([&] {
    const std::vector<std::string> texts = log_texts();
    return std::ranges::find(texts, text) != texts.end();
  });
}

sdk::Task RuntimeSuite::task(const std::string& script) {
  sdk::Task task;
  task.owner = "shop";
  task.name = "test";
  task.argv = {"bash", "-c", script};
  task.stop_timeout_ms = 2'000;
  return task;
}

std::string RuntimeSuite::task_output(sdk::Task task, int expected_code) {
  std::string text;
  task.out = [&text](std::string_view chunk) { text.append(chunk); };
  TestCall call;
  int code = -1;
  EXPECT_EQ(runtime().run_task(call, task, code), DAVIT_OK) << call.message;
  EXPECT_EQ(code, expected_code) << text;
  return text;
}

}  // namespace davit::test
