// An app's instance for tests: an HTTP server in this process that says who it is. GET /?delay=MS answers
// late, /head sends the request's headers back. Also a websocket echo (without frames: bytes after the
// upgrade come back).
#pragma once

#include <Poco/Net/HTTPServer.h>

#include <cstdint>
#include <memory>
#include <string>

#include "model.hpp"

namespace davit::nginx::test {

class TestApp {
 public:
  explicit TestApp(const std::string& name, std::uint16_t port = 0);  // 0: any free port
  ~TestApp() { stop(); }
  void stop();  // closes every connection at once
  Peer peer() const { return {"127.0.0.1", port_, ""}; }

 private:
  std::unique_ptr<Poco::Net::HTTPServer> server_;
  std::uint16_t port_;
};

}  // namespace davit::nginx::test
