// The real probe against a real socket on loopback.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <thread>

#include "lifecycle/endpoint_probe.hpp"
#include "process/unique_fd.hpp"

namespace davit {
namespace {

using testing::HasSubstr;

// Listens on a free port. serve() answers one connection with these bytes; without it, nobody ever answers.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd_.get(), 8) != 0 ||
        getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no port");
    port_ = ntohs(address.sin_port);
  }
  ~Listener() {
    if (thread_.joinable()) thread_.join();
  }
  void serve(std::string bytes, bool then_stall = false) {
    thread_ = std::thread([this, then_stall, bytes = std::move(bytes)] {
      const UniqueFd peer(accept(fd_.get(), nullptr, nullptr));
      while (request_.find("\r\n\r\n") == std::string::npos) {
        char buffer[1024];
        const ssize_t got = read(peer.get(), buffer, sizeof buffer);
        if (got <= 0) return;
        request_.append(buffer, static_cast<std::size_t>(got));
      }
      for (std::size_t sent = 0; sent < bytes.size();) {
        const ssize_t put = send(peer.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (put <= 0) return;
        sent += static_cast<std::size_t>(put);
      }
      if (then_stall) let_go_.get_future().wait();
    });
  }
  void let_go() { let_go_.set_value(); }
  // A byte every 20 ms, until the peer has had enough.
  void drip(std::string bytes) {
    thread_ = std::thread([this, bytes = std::move(bytes)] {
      const UniqueFd peer(accept(fd_.get(), nullptr, nullptr));
      for (const char byte : bytes) {
        if (send(peer.get(), &byte, 1, MSG_NOSIGNAL) <= 0) return;
        (void)poll(nullptr, 0, 20);
      }
    });
  }
  // Takes one connection and closes it, as an engine's relay does where nobody listens behind it.
  void hang_up() {
    thread_ = std::thread([this] { UniqueFd(accept(fd_.get(), nullptr, nullptr)).reset(); });
  }
  [[nodiscard]] Endpoint endpoint() const { return {Endpoint::Kind::kTcp, "127.0.0.1", port_, {}, {}}; }
  std::string request() {
    thread_.join();
    return request_;
  }

 private:
  UniqueFd fd_;
  std::uint32_t port_ = 0;
  std::thread thread_;
  std::promise<void> let_go_;
  std::string request_;
};

class Probe : public testing::Test {
 protected:
  std::unique_ptr<EndpointProbe> probe_ = make_poco_probe();
};

TEST_F(Probe, AnOpenPortIsThereAndAClosedOneIsRefused) {
  Endpoint closed;
  {
    Listener listener;
    for (const Way way : {Way::kDirect, Way::kPerhapsRelayed})
      EXPECT_TRUE(probe_->connect(listener.endpoint(), 5'000, way));
    closed = listener.endpoint();
  }
  for (const Way way : {Way::kDirect, Way::kPerhapsRelayed}) {
    const auto refused = probe_->connect(closed, 5'000, way);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kUnavailable);
  }
}

TEST_F(Probe, ARelayWithNobodyBehindItIsNobody) {
  Listener relay;
  relay.hang_up();
  const auto refused = probe_->connect(relay.endpoint(), 5'000, Way::kPerhapsRelayed);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
}

TEST_F(Probe, ReadsStatusAndBody) {
  Listener listener;
  listener.serve("HTTP/1.1 302 Found\r\nContent-Length: 5\r\n\r\nhello");
  const auto answer = probe_->get(listener.endpoint(), {"/health?a=b", "shop.test", {{"X-Ask", "1"}}, 5'000});
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(answer->body, "hello");
  const std::string request = listener.request();
  EXPECT_THAT(request, HasSubstr("GET /health?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Host: shop.test\r\n"));
  EXPECT_THAT(request, HasSubstr("X-Ask: 1\r\n"));
}

TEST_F(Probe, KeepsAtMost64KiB) {
  Listener listener;
  listener.serve("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'x'));
  const auto answer = probe_->get(listener.endpoint(), {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body.size(), 64U * 1024);
}

TEST_F(Probe, SomethingThatIsNotHttpIsAnError) {
  Listener listener;
  listener.serve("SSH-2.0-x\r\n\r\n");
  EXPECT_FALSE(probe_->get(listener.endpoint(), {}));
}

TEST_F(Probe, OneThatHangsUpIsAnError) {
  Listener listener;
  listener.serve("");
  EXPECT_FALSE(probe_->get(listener.endpoint(), {}));
}

TEST_F(Probe, OneThatNeverAnswersIsATimeout) {
  Listener listener;  // the kernel accepts, nobody answers
  HttpRequest request;
  request.timeout_ms = 50;
  const auto answer = probe_->get(listener.endpoint(), request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kTimeout);
}

TEST_F(Probe, TheTimeIsForAllOfTheAnswer) {
  Listener listener;
  listener.drip("HTTP/1.1 200 OK\r\nX-Slow: " + std::string(200, 'x'));
  HttpRequest request;
  request.timeout_ms = 300;
  const auto began = std::chrono::steady_clock::now();
  const auto answer = probe_->get(listener.endpoint(), request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
}

TEST_F(Probe, ABodyThatNobodyWantsIsNotWaitedFor) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nbegin";
  HttpRequest request;
  request.timeout_ms = 300;
  for (const bool wanted : {false, true}) {
    Listener listener;
    listener.serve(head, /*then_stall=*/true);
    request.wants_body = wanted;
    const auto answer = probe_->get(listener.endpoint(), request);
    listener.let_go();
    ASSERT_EQ(answer.has_value(), !wanted);
    if (wanted) {
      EXPECT_EQ(answer.error().code, Code::kTimeout);
      EXPECT_THAT(answer.error().message, HasSubstr("did not end in time"));
    }
  }
}

TEST_F(Probe, AQuestionCanBeCancelled) {
  Listener listener;
  HttpRequest request;
  request.timeout_ms = 60'000;
  request.cancelled = [asked = 0]() mutable { return ++asked > 1; };
  const auto answer = probe_->get(listener.endpoint(), request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kCancelled);
}

TEST_F(Probe, AnAddressThatIsNoneIsAnErrorNotAnException) {
  EXPECT_FALSE(probe_->connect({Endpoint::Kind::kTcp, "no host", 1, {}, {}}, 100, Way::kDirect));
  EXPECT_FALSE(probe_->connect({Endpoint::Kind::kUnix, {}, 0, "/nonexistent/socket", {}}, 100, Way::kDirect));
}

}  // namespace
}  // namespace davit
