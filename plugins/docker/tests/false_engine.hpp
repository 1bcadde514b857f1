// An engine on a unix socket that says what a test wants it to say.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/temp_folder.hpp"

namespace davit::docker_plugin {

/// Answers each connection with a script: the text for the first target that the request names; then closes,
/// or holds the connection open until the end of the test where the text ends in kHold.
class FalseEngine {
 public:
  static constexpr const char* kHold = "<hold>";

  FalseEngine() {
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 16) != 0)
      std::abort();
    answers_.emplace_back(
        "GET /version",
        json_answer(
            R"({"Version":"99.1","ApiVersion":"1.43","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64"})"));
    thread_ = std::thread([this] { serve(); });
  }
  ~FalseEngine() {
    over_ = true;
    thread_.join();
    for (const int fd : held_) close(fd);
    close(listener_);
  }
  [[nodiscard]] std::string path() const { return folder_ / "e.sock"; }
  [[nodiscard]] std::string folder() const { return folder_.path(); }
  void answer(const std::string& target, const std::string& text) {
    const std::lock_guard guard(mutex_);
    answers_.insert(answers_.begin(), {target, text});
  }
  std::string last_request() {
    const std::lock_guard guard(mutex_);
    return requests_.empty() ? std::string() : requests_.back();
  }
  /// How many requests have the text in head or body.
  std::size_t asked(const std::string& text) {
    const std::lock_guard guard(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(
        requests_, [&](const std::string& one) { return one.find(text) != std::string::npos; }));
  }
  void forget_requests() {
    const std::lock_guard guard(mutex_);
    requests_.clear();
  }
  static std::string json_answer(const std::string& body, const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  static std::string chunked(const std::string& rest) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + rest;
  }

 private:
  /// A chunked body is not waited for.
  static bool is_whole(const std::string& request) {
    const std::size_t body = request.find("\r\n\r\n");
    if (body == std::string::npos) return false;
    const std::size_t length = request.find("Content-Length: ");
    return length > body || request.size() - body - 4 >= std::strtoul(&request[length + 16], nullptr, 10);
  }
  void serve() {
    while (!over_) {
      pollfd watched{listener_, POLLIN, 0};
      if (poll(&watched, 1, 20) <= 0) continue;
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) talk(fd);
    }
  }
  void talk(int fd) {
    std::string request;
    char buffer[65536];
    while (!is_whole(request)) {
      const ssize_t got = read(fd, buffer, sizeof buffer);
      if (got <= 0) break;
      request.append(buffer, static_cast<std::size_t>(got));
    }
    const std::lock_guard guard(mutex_);
    requests_.push_back(request);
    const std::string head = request.substr(0, request.find("\r\n\r\n"));
    for (const auto& [target, text] : answers_) {
      if (head.find(target) == std::string::npos) continue;
      const bool hold = text.ends_with(kHold);
      const std::string out = hold ? text.substr(0, text.size() - std::strlen(kHold)) : text;
      (void)!send(fd, out.data(), out.size(), MSG_NOSIGNAL);
      if (hold) {
        held_.push_back(fd);
        return;
      }
      break;
    }
    close(fd);
  }

  const test::TempFolder folder_;
  int listener_ = -1;
  std::atomic<bool> over_ = false;
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> answers_;
  std::vector<std::string> requests_;
  std::vector<int> held_;
  std::thread thread_;
};

}  // namespace davit::docker_plugin
