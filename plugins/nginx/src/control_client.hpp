// Speaks to the running nginx through its control socket (share/lua/davit/control.lua). One connection per
// client, kept alive. Not thread-safe. Every failure is an sdk::Failure; DAVIT_UNAVAILABLE means that nothing
// answered.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model.hpp"

namespace davit::nginx {

class ControlClient {
 public:
  explicit ControlClient(std::string socket);
  // The socket, or what takes its place; see Settings::control_name.
  explicit ControlClient(const Settings& settings);
  ~ControlClient();

  struct Status {
    std::uint64_t generation = 0;
    std::string engine;  // "lua" or "files"
  };
  // Nothing if nobody answers there.
  std::optional<Status> status();

  // Replaces the app's entry. With `probe`, only if every instance accepts a connection from nginx.
  void put(const Route& route, bool probe);
  void remove(const std::string& app);  // idempotent
  std::optional<Route> get(const std::string& app);
  std::vector<std::string> names();
  // The app that has exactly this host name.
  std::optional<std::string> owner(const std::string& host);
  // Requests in flight to these instances; waits until there are none, at most wait_ms.
  std::uint64_t in_flight(const std::string& app, const std::vector<Peer>& peers, std::uint64_t wait_ms);

 private:
  struct Answer {
    int status = 0;
    std::string body;
  };
  Answer ask(const std::string& method, const std::string& path, const std::string& body,
             std::uint64_t timeout_ms);
  Answer ask_once(const std::string& method, const std::string& path, const std::string& body,
                  std::uint64_t timeout_ms);

  class Session;
  std::string socket_;
  std::string name_;  // set: by TCP at address_
  std::string host_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Session> session_;
};

}  // namespace davit::nginx
