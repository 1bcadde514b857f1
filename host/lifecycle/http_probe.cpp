// The real EndpointProbe, on Poco. One connection a question, as a new client would come.
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>

#include "lifecycle/endpoint_probe.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxBodyBytes = 64 * 1024;
constexpr std::uint64_t kSettleMs = 40;
constexpr std::uint64_t kLookMs = 200;  // for somebody who cancels

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

// A socket whose reads end together at one moment, or when the question is cancelled.
class TimedSocket final : public Poco::Net::StreamSocketImpl {
 public:
  explicit TimedSocket(const HttpRequest& request)
      : request_(request), until_(Moment::clock::now() + std::chrono::milliseconds(request.timeout_ms)) {}

  int receiveBytes(void* buffer, int length, int flags) override {
    for (;;) {
      const auto left = left_ms();
      if (left == 0 || request_.cancelled()) throw Poco::TimeoutException();
      if (poll(timespan(std::min(left, kLookMs)), SELECT_READ)) break;
    }
    return StreamSocketImpl::receiveBytes(buffer, length, flags);
  }
  [[nodiscard]] std::uint64_t left_ms() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - Moment::clock::now()).count();
    return left > 0 ? static_cast<std::uint64_t>(left) : 0;
  }

 private:
  using Moment = std::chrono::steady_clock::time_point;

  const HttpRequest& request_;
  const Moment until_;
};

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
    auto answer = ask(endpoint, request);
    if (!answer && request.cancelled())
      return fail(Code::kCancelled, "The deployment was cancelled", {}, "cancelled");
    return answer;
  }

 private:
  static Result<HttpAnswer> ask(const Endpoint& endpoint, const HttpRequest& request) {
    return guarded([&]() -> Result<HttpAnswer> {
      auto* timed = new TimedSocket(request);
      Poco::Net::StreamSocket socket(timed);  // owns it
      socket.connect(address_of(endpoint), timespan(request.timeout_ms));
      // On the socket: a session that is given a connected one never hands its own timeout on.
      socket.setSendTimeout(timespan(std::max<std::uint64_t>(timed->left_ms(), 1)));
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
      if (!request.wants_body) return answer;
      answer.body.resize(kMaxBodyBytes);
      body.read(answer.body.data(), static_cast<std::streamsize>(answer.body.size()));
      answer.body.resize(static_cast<std::size_t>(body.gcount()));
      // The stream keeps to itself why it ended.
      if (body.bad() || timed->left_ms() == 0) return fail(Code::kTimeout, "its answer did not end in time");
      return answer;
    });
  }
};

}  // namespace

std::unique_ptr<EndpointProbe> make_poco_probe() {
  return std::make_unique<PocoProbe>();
}

}  // namespace davit
