// The real EndpointProbe, on Poco. One connection a question, as a new client would come.
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include "lifecycle/endpoint_probe.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxBodyBytes = 64 * 1024;
constexpr std::uint64_t kSettleMs = 40;

Poco::Timespan timespan(std::uint64_t ms) {
  return Poco::Timespan(static_cast<Poco::Timespan::TimeDiff>(ms) * 1000);
}

Poco::Net::SocketAddress address_of(const Endpoint& endpoint) {
  if (endpoint.kind == Endpoint::Kind::kUnix) {
    return Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, endpoint.path);
  }
  return Poco::Net::SocketAddress(endpoint.host, static_cast<Poco::UInt16>(endpoint.port));
}

// The one place where Poco's exceptions become errors.
template <typename Body>
auto guarded(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Poco::TimeoutException&) {
    return fail(Code::kTimeout, "no answer in time");
  } catch (const Poco::Exception& error) {
    return fail(Code::kUnavailable, error.displayText());
  } catch (const std::exception& error) {
    return fail(Code::kUnavailable, error.what());
  }
}

class PocoProbe final : public EndpointProbe {
 public:
  Result<> connect(const Endpoint& endpoint, std::uint64_t timeout_ms, Way way) override {
    return guarded([&]() -> Result<> {
      Poco::Net::StreamSocket socket;
      socket.connect(address_of(endpoint), timespan(timeout_ms));
      if (way == Way::kDirect) return {};
      if (socket.poll(timespan(kSettleMs), Poco::Net::Socket::SELECT_READ)) {
        char first = 0;
        if (socket.receiveBytes(&first, 1, MSG_PEEK) <= 0)
          return fail(Code::kUnavailable, "the connection was closed at once");
      }
      return {};
    });
  }

  Result<HttpAnswer> get(const Endpoint& endpoint, const HttpRequest& request) override {
    return guarded([&]() -> Result<HttpAnswer> {
      Poco::Net::StreamSocket socket;
      socket.connect(address_of(endpoint), timespan(request.timeout_ms));
      // On the socket: a session that is given a connected one never hands its own timeout on.
      socket.setReceiveTimeout(timespan(request.timeout_ms));
      socket.setSendTimeout(timespan(request.timeout_ms));
      Poco::Net::HTTPClientSession session(socket);
      Poco::Net::HTTPRequest question("GET", request.path, Poco::Net::HTTPMessage::HTTP_1_1);
      question.setHost(request.host);
      question.set("User-Agent", "davit-check");
      question.set("Connection", "close");
      for (const auto& [name, value] : request.headers) question.set(name, value);
      session.sendRequest(question);
      Poco::Net::HTTPResponse response;
      std::istream& body = session.receiveResponse(response);
      HttpAnswer answer;
      answer.status = response.getStatus();
      answer.body.resize(kMaxBodyBytes);
      body.read(answer.body.data(), static_cast<std::streamsize>(answer.body.size()));
      answer.body.resize(static_cast<std::size_t>(body.gcount()));
      return answer;
    });
  }
};

}  // namespace

std::unique_ptr<EndpointProbe> make_poco_probe() {
  return std::make_unique<PocoProbe>();
}

}  // namespace davit
