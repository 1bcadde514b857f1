// See control_client.hpp.
#include "control_client.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include "davit/failure.hpp"
#include "route_json.hpp"

namespace davit::nginx {
namespace {

constexpr std::uint64_t kTimeoutMs = 10'000;
constexpr int kHttpNotFound = 404;

Poco::JSON::Object::Ptr parsed(const std::string& body) {
  try {
    Poco::JSON::Parser parser;
    return parser.parse(body).extract<Poco::JSON::Object::Ptr>();
  } catch (const Poco::Exception&) {
    throw sdk::Failure(DAVIT_INTERNAL, "proxy-nonsense",
                       "nginx's control socket answered with something that is not JSON",
                       "see the proxy's error log: davit nginx:error-logs");
  }
}

// Turns a refusal into a Failure that keeps nginx's own words.
[[noreturn]] void refuse(int status, const std::string& body) {
  const auto object = parsed(body);
  const auto slug = object->optValue<std::string>("slug", "proxy-refused");
  const auto message = object->optValue<std::string>("message", "nginx refused the routes");
  if (slug == "host-taken") {
    throw sdk::Failure(DAVIT_CONFLICT, slug, message, "remove the domain there first, or choose another");
  }
  if (slug == "instance-unreachable") {
    throw sdk::Failure(DAVIT_UNAVAILABLE, slug, message, "the instance may have exited: see its log");
  }
  if (slug == "table-full") {
    throw sdk::Failure(DAVIT_FAILED, slug, message, "raise table-mb in [plugins.nginx.settings]");
  }
  throw sdk::Failure(status >= 500 ? DAVIT_INTERNAL : DAVIT_INVALID, slug, message);
}

}  // namespace

// An HTTP session over a unix socket: reconnect() of the base class is not virtual but calls connect(), which
// is.
class ControlClient::Session : public Poco::Net::HTTPClientSession {
 public:
  explicit Session(const Poco::Net::SocketAddress& address)
      : HTTPClientSession("127.0.0.1", 80), address_(address) {
    setKeepAlive(true);
  }

  // For the next request, also on a connection that is open already.
  void set_timeout(std::uint64_t timeout_ms) {
    timeout_ = Poco::Timespan(static_cast<Poco::Timespan::TimeDiff>(timeout_ms) * 1000);
    if (connected()) apply_timeout();
  }

 protected:
  void connect(const Poco::Net::SocketAddress&) override {
    Poco::Net::StreamSocket socket;
    socket.connect(address_);
    attachSocket(socket);
    apply_timeout();
  }

 private:
  void apply_timeout() {
    socket().setReceiveTimeout(timeout_);
    socket().setSendTimeout(timeout_);
  }

  Poco::Timespan timeout_;
  Poco::Net::SocketAddress address_;
};

ControlClient::ControlClient(std::string socket) : socket_(std::move(socket)) {}

ControlClient::ControlClient(const Settings& settings)
    : socket_(settings.control), name_(settings.control_name), port_(settings.http_port) {
  host_ = settings.bind_ipv4.empty() ? settings.bind_ipv6 : settings.bind_ipv4;
  if (host_ == "0.0.0.0") host_ = "127.0.0.1";
  if (host_ == "::") host_ = "::1";
}

ControlClient::~ControlClient() = default;

ControlClient::Answer ControlClient::ask_once(const std::string& method, const std::string& path,
                                              const std::string& body, std::uint64_t timeout_ms) {
  if (!session_) {
    session_ = std::make_unique<Session>(
        name_.empty() ? Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, socket_)
                      : Poco::Net::SocketAddress(host_, port_));
  }
  session_->set_timeout(timeout_ms);
  Poco::Net::HTTPRequest request(method, path, Poco::Net::HTTPMessage::HTTP_1_1);
  if (!name_.empty()) request.setHost(name_);
  request.setContentLength64(static_cast<Poco::Int64>(body.size()));
  session_->sendRequest(request) << body;
  Poco::Net::HTTPResponse response;
  Answer answer;
  Poco::StreamCopier::copyToString(session_->receiveResponse(response), answer.body);
  answer.status = response.getStatus();
  return answer;
}

ControlClient::Answer ControlClient::ask(const std::string& method, const std::string& path,
                                         const std::string& body, std::uint64_t timeout_ms) {
  const bool reused = session_ != nullptr;
  for (int attempt = 0;; ++attempt) {
    try {
      return ask_once(method, path, body, timeout_ms);
    } catch (const Poco::Exception& error) {
      session_.reset();
      // A connection that nginx closed after a reload is no news; all verbs here may be repeated.
      if (reused && attempt == 0) continue;
      throw sdk::Failure(DAVIT_UNAVAILABLE, "proxy-unreachable",
                         "nginx does not answer on its control socket: " + error.displayText(),
                         "davit system:start starts it; davit nginx:error-logs says why it stopped");
    }
  }
}

std::optional<ControlClient::Status> ControlClient::status() {
  try {
    const auto answer = ask("GET", "/status", "", kTimeoutMs);
    if (answer.status != 200) return std::nullopt;
    const auto object = parsed(answer.body);
    Status status;
    status.generation = std::stoull(object->optValue<std::string>("generation", "0"));
    status.engine = object->optValue<std::string>("engine", "");
    return status;
  } catch (const sdk::Failure&) {
    return std::nullopt;
  } catch (const std::logic_error&) {  // a generation that is no number
    return std::nullopt;
  }
}

void ControlClient::put(const Route& route, bool probe) {
  std::string path = "/apps/" + route.app + (probe ? "?probe=1" : "?probe=0");
  if (!route.replaces.empty()) path += "&replaces=" + route.replaces;
  const auto answer = ask("PUT", path, to_json(route), kTimeoutMs);
  if (answer.status != 200) refuse(answer.status, answer.body);
}

void ControlClient::remove(const std::string& app) {
  const auto answer = ask("DELETE", "/apps/" + app, "", kTimeoutMs);
  if (answer.status != 200 && answer.status != kHttpNotFound) refuse(answer.status, answer.body);
}

std::optional<Route> ControlClient::get(const std::string& app) {
  const auto answer = ask("GET", "/apps/" + app, "", kTimeoutMs);
  if (answer.status == kHttpNotFound) return std::nullopt;
  if (answer.status != 200) refuse(answer.status, answer.body);
  return route_from_json(answer.body);
}

std::vector<std::string> ControlClient::names() {
  const auto answer = ask("GET", "/apps", "", kTimeoutMs);
  if (answer.status != 200) refuse(answer.status, answer.body);
  std::vector<std::string> names;
  const auto object = parsed(answer.body);
  const auto array = object->getArray("apps");
  for (std::size_t i = 0; array && i < array->size(); ++i) {
    names.push_back(array->getElement<std::string>(static_cast<unsigned>(i)));
  }
  return names;
}

std::optional<std::string> ControlClient::owner(const std::string& host) {
  std::string encoded;
  Poco::URI::encode(host, "*", encoded);
  const auto answer = ask("GET", "/hosts/" + encoded, "", kTimeoutMs);
  if (answer.status == kHttpNotFound) return std::nullopt;
  if (answer.status != 200) refuse(answer.status, answer.body);
  return parsed(answer.body)->optValue<std::string>("app", "");
}

std::uint64_t ControlClient::in_flight(const std::string& app, const std::vector<Peer>& peers,
                                       std::uint64_t wait_ms) {
  if (peers.empty()) return 0;
  std::string path = "/apps/" + app + "/inflight?wait_ms=" + std::to_string(wait_ms);
  for (const auto& peer : peers) {
    std::string label;
    Poco::URI::encode(peer.label(), ":&?+", label);
    path += "&peer=" + label;
  }
  const auto answer = ask("GET", path, "", wait_ms + kTimeoutMs);
  if (answer.status != 200) refuse(answer.status, answer.body);
  return parsed(answer.body)->getValue<std::uint64_t>("count");
}

}  // namespace davit::nginx
