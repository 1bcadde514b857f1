#include "test_app.hpp"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/NullStream.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include <chrono>
#include <thread>

namespace davit::nginx::test {
namespace {

namespace net = Poco::Net;

void echo_socket(net::HTTPServerRequest& request) {
  net::StreamSocket socket = static_cast<net::HTTPServerRequestImpl&>(request).detachSocket();
  const std::string head =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  socket.sendBytes(head.data(), static_cast<int>(head.size()));
  char buffer[1024];
  for (int n = 0; (n = socket.receiveBytes(buffer, sizeof(buffer))) > 0;) socket.sendBytes(buffer, n);
}

class Handler : public net::HTTPRequestHandler {
 public:
  explicit Handler(std::string name) : name_(std::move(name)) {}

  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    if (request.has("Upgrade")) {
      echo_socket(request);
      return;
    }
    Poco::NullOutputStream nowhere;
    Poco::StreamCopier::copyStream(request.stream(), nowhere);
    const Poco::URI uri(request.getURI());
    for (const auto& [key, value] : uri.getQueryParameters()) {
      if (key == "delay") std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(value)));
    }
    std::string body = name_;
    if (uri.getPath() == "/head") {
      for (const auto& [key, value] : request) body += "\n" + key + ": " + value;
    }
    response.setContentLength(static_cast<std::streamsize>(body.size()));
    response.setKeepAlive(request.getKeepAlive());
    response.send() << body;
  }

 private:
  std::string name_;
};

class Factory : public net::HTTPRequestHandlerFactory {
 public:
  explicit Factory(std::string name) : name_(std::move(name)) {}
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
    return new Handler(name_);
  }

 private:
  std::string name_;
};

net::HTTPServerParams::Ptr server_params() {
  net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
  params->setMaxThreads(32);
  params->setMaxQueued(256);
  params->setKeepAlive(true);
  params->setMaxKeepAliveRequests(0);
  return params;
}

Poco::ThreadPool& pool() {
  static Poco::ThreadPool threads(
      2, 256);  // shared by the instances of one test program; the default has only 16
  return threads;
}

}  // namespace

TestApp::TestApp(const std::string& name, std::uint16_t port) : port_(0) {
  const net::ServerSocket socket(net::SocketAddress("127.0.0.1", port));
  port_ = socket.address().port();
  server_ = std::make_unique<net::HTTPServer>(new Factory(name), pool(), socket, server_params());
  server_->start();
}

void TestApp::stop() {
  if (server_) server_->stopAll(true);
  server_.reset();
}

}  // namespace davit::nginx::test
