// The proxy as its users see it: routes, switches, drains, server blocks of their own; against a real nginx.
#include "engine.hpp"

#include <Poco/Net/StreamSocket.h>
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <future>

#include "davit/failure.hpp"
#include "files/files.hpp"
#include "load.hpp"
#include "test_app.hpp"
#include "test_nginx.hpp"

namespace davit::nginx::test {
namespace {

Route route_to(const std::string& app, const std::string& revision, const std::vector<Peer>& peers) {
  return Route{app, revision, {app + ".test"}, peers, false, true};
}

void deploy(Engine& engine, const Route& route) {
  (void)engine.prepare(route);
  engine.apply(route);
}

std::string slug_of(const std::function<void()>& act) {
  try {
    act();
    return "no failure";
  } catch (const sdk::Failure& failure) {
    return failure.slug();
  }
}

// What holds for both ways of switching.
class ProxyTest : public testing::TestWithParam<Switching> {
 protected:
  TestNginx nginx{GetParam()};
  Engine engine = nginx.engine();
};
INSTANTIATE_TEST_SUITE_P(BothWays, ProxyTest, testing::Values(Switching::kSocket, Switching::kReload),
                         [](const auto& info) {
                           return info.param == Switching::kSocket ? "Socket" : "Reload";
                         });

TEST_P(ProxyTest, AnAppAnswersOnItsHostsAndNothingElseDoes) {
  TestApp app("one");
  engine.ensure();
  auto route = route_to("one", "d1", {app.peer()});
  route.hosts.push_back("*.wild.test");
  deploy(engine, route);
  EXPECT_EQ(nginx.get("one.test").body, "one");
  EXPECT_EQ(nginx.get("ONE.test").body, "one");
  EXPECT_EQ(nginx.get("a.b.wild.test").body, "one");
  const auto unknown = nginx.get("other.test");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, testing::HasSubstr("No such app here"));
  EXPECT_EQ(engine.owned(), std::vector<std::string>{"one"});
}

TEST_P(ProxyTest, WithoutInstancesOrInMaintenanceItIs503) {
  TestApp app("one");
  auto route = route_to("one", "d1", {});
  deploy(engine, route);
  EXPECT_EQ(nginx.get("one.test").status, 503);
  route.peers = {app.peer()};
  deploy(engine, route);
  EXPECT_EQ(nginx.get("one.test").status, 200);
  route.maintenance = true;
  deploy(engine, route);
  EXPECT_EQ(nginx.get("one.test").status, 503);
}

TEST_P(ProxyTest, RequestsAreSpreadAndADeadInstanceCostsNoRequest) {
  TestApp first("first");
  TestApp second("second");
  deploy(engine, route_to("one", "d1", {first.peer(), second.peer()}));
  std::map<std::string, int> seen;
  for (int i = 0; i < 40; ++i) ++seen[nginx.get("one.test").body];
  EXPECT_GT(seen["first"], 5);
  EXPECT_GT(seen["second"], 5);
  first.stop();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(nginx.get("one.test").body, "second");
    EXPECT_EQ(nginx.post("one.test", "x").body, "second");
  }
  second.stop();
  const auto down = nginx.get("one.test");
  EXPECT_EQ(down.status, 502);
  EXPECT_THAT(down.body, testing::HasSubstr("<!doctype html>"));
}

TEST_P(ProxyTest, HeadersAreOursUnlessAPropertySaysOtherwise) {
  TestApp app("one");
  deploy(engine, route_to("one", "d1", {app.peer()}));
  const std::map<std::string, std::string> forged = {
      {"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Port", "443"},
      {"X-Request-Id", "mine"},       {"X-Forwarded-Ssl", "on"},      {"Forwarded", "for=6.6.6.6"}};
  const auto head = nginx.get("one.test", "/head", forged).body;
  EXPECT_THAT(head, testing::HasSubstr("X-Forwarded-For: 127.0.0.1"));
  EXPECT_THAT(head, testing::HasSubstr("X-Forwarded-Proto: http"));
  EXPECT_THAT(head, testing::HasSubstr("X-Forwarded-Port: " + std::to_string(nginx.settings().http_port)));
  EXPECT_THAT(head, testing::HasSubstr("X-Request-Start: "));
  EXPECT_THAT(head, testing::HasSubstr("Host: one.test"));
  EXPECT_THAT(head, testing::Not(testing::HasSubstr("6.6.6.6")));
  EXPECT_THAT(head, testing::Not(testing::HasSubstr("mine")));
  EXPECT_THAT(head, testing::Not(testing::HasSubstr("X-Forwarded-Ssl")));

  nginx.inputs("one").properties["x-forwarded-proto-value"] = "$http_x_forwarded_proto";
  deploy(engine, route_to("one", "d2", {app.peer()}));
  EXPECT_THAT(nginx.get("one.test", "/head", forged).body, testing::HasSubstr("X-Forwarded-Proto: https"));
}

TEST_P(ProxyTest, WebsocketsPass) {
  TestApp app("one");
  deploy(engine, route_to("one", "d1", {app.peer()}));
  Poco::Net::StreamSocket socket(Poco::Net::SocketAddress("127.0.0.1", nginx.settings().http_port));
  socket.setReceiveTimeout(Poco::Timespan(10, 0));
  const std::string ask =
      "GET /ws HTTP/1.1\r\nHost: one.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  socket.sendBytes(ask.data(), static_cast<int>(ask.size()));
  char buffer[1024];
  std::string answer;
  while (answer.find("\r\n\r\n") == std::string::npos) {
    answer.append(buffer, static_cast<std::size_t>(socket.receiveBytes(buffer, sizeof(buffer))));
  }
  EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 101"));
  socket.sendBytes("ping", 4);
  EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(socket.receiveBytes(buffer, sizeof(buffer)))),
            "ping");
}

TEST_P(ProxyTest, SwitchesUnderLoadLoseNothing) {
  auto current = std::make_unique<TestApp>("r0");
  auto route = route_to("one", "r0", {current->peer()});
  deploy(engine, route);
  Load kept(nginx.settings().http_port, "one.test", GetParam() == Switching::kSocket, "GET");
  Load closed(nginx.settings().http_port, "one.test", false, "POST");
  const int switches = GetParam() == Switching::kSocket ? 10 : 3;
  for (int i = 1; i <= switches; ++i) {
    kept.await_more(20);
    auto next = std::make_unique<TestApp>("r" + std::to_string(i));
    deploy(engine, route_to("one", "r" + std::to_string(i), {next->peer()}));
    ASSERT_TRUE(engine.drain("one", route.peers, 20'000));
    current->stop();
    current = std::move(next);
    route.peers = {current->peer()};
  }
  kept.await_more(50);
  kept.stop();
  closed.stop();
  EXPECT_EQ(kept.failed(), 0U) << kept.first_failure();
  EXPECT_EQ(closed.failed(), 0U) << closed.first_failure();
  EXPECT_GT(kept.answered(), 50U);
}

TEST_P(ProxyTest, DrainWaitsForWhatIsInFlight) {
  TestApp old_app("old");
  TestApp new_app("new");
  const auto before = route_to("one", "d1", {old_app.peer()});
  deploy(engine, before);
  auto slow = std::async(std::launch::async, [&] { return nginx.get("one.test", "/?delay=1500").body; });
  ControlClient control(nginx.settings().control);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (GetParam() == Switching::kSocket && control.in_flight("one", before.peers, 0) == 0 &&
         std::chrono::steady_clock::now() < limit) {
  }
  if (GetParam() == Switching::kReload)
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // nothing to ask
  deploy(engine, route_to("one", "d2", {new_app.peer()}));
  EXPECT_FALSE(engine.drain("one", before.peers, 1));
  EXPECT_EQ(nginx.get("one.test").body, "new");
  EXPECT_TRUE(engine.drain("one", before.peers, 20'000));
  ASSERT_EQ(slow.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_EQ(slow.get(), "old");
}

TEST_P(ProxyTest, UndoPutsBackWhatWasThere) {
  TestApp old_app("old");
  TestApp new_app("new");
  const auto first = engine.prepare(route_to("one", "d1", {old_app.peer()}));
  engine.apply(route_to("one", "d1", {old_app.peer()}));
  nginx.inputs("one").properties["client-max-body-size"] = "2m";
  const auto second = engine.prepare(route_to("one", "d2", {new_app.peer()}));
  engine.undo("one", second);  // never applied
  EXPECT_EQ(nginx.get("one.test").body, "old");
  engine.apply(route_to("one", "d2", {new_app.peer()}));
  EXPECT_EQ(nginx.get("one.test").body, "new");
  for (int i = 0; i < 2; ++i) {
    nginx.engine().undo("one", second);  // as a fresh process would
    EXPECT_EQ(nginx.get("one.test").body, "old");
  }
  engine.undo("one", first);
  EXPECT_EQ(nginx.get("one.test").status, 404);
  EXPECT_TRUE(engine.owned().empty());
}

TEST_P(ProxyTest, AnInstanceThatDoesNotListenIsNotSwitchedTo) {
  TestApp app("one");
  deploy(engine, route_to("one", "d1", {app.peer()}));
  const Peer nobody{"127.0.0.1", free_port(), ""};
  EXPECT_EQ(slug_of([&] {
              deploy(engine, route_to("one", "d2", {app.peer(), nobody}));
            }),
            "instance-unreachable");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(nginx.get("one.test").body, "one");
  EXPECT_EQ(engine.route_of("one")->revision, "d1");
}

TEST_P(ProxyTest, RemoveIsIdempotent) {
  TestApp app("one");
  deploy(engine, route_to("one", "d1", {app.peer()}));
  engine.remove("one");
  engine.remove("one");
  EXPECT_EQ(nginx.get("one.test").status, 404);
}

// The control socket's own promises.
class SocketTest : public testing::Test {
 protected:
  TestNginx nginx;
  Engine engine = nginx.engine();
};

TEST_F(SocketTest, NoReloadUnlessTheConfigurationChanges) {
  TestApp first("first");
  TestApp second("second");
  deploy(engine, route_to("one", "d1", {first.peer()}));
  const auto generation = nginx.generation();
  deploy(engine, route_to("one", "d2", {second.peer(), first.peer()}));
  deploy(engine, route_to("two", "d1", {first.peer()}));
  engine.remove("two");
  nginx.engine().ensure();
  EXPECT_EQ(nginx.generation(), generation);
  EXPECT_EQ(nginx.reloads(), 0);

  nginx.inputs("one").properties["client-max-body-size"] = "2m";
  deploy(engine, route_to("one", "d3", {first.peer()}));
  EXPECT_EQ(nginx.reloads(), 1);
  deploy(engine, route_to("one", "d4", {second.peer()}));  // its own block, but only instances changed
  EXPECT_EQ(nginx.reloads(), 1);
  EXPECT_EQ(nginx.get("one.test").body, "second");
}

TEST_F(SocketTest, OwnLimitsHoldForTheirAppOnly) {
  TestApp app("app");
  nginx.inputs("big").properties["client-max-body-size"] = "4m";
  deploy(engine, route_to("big", "d1", {app.peer()}));
  deploy(engine, route_to("small", "d1", {app.peer()}));
  const std::string body(2 * 1024 * 1024, 'x');
  EXPECT_EQ(nginx.post("big.test", body).status, 200);
  const auto refused = nginx.post("small.test", body);
  EXPECT_EQ(refused.status, 413);
  EXPECT_THAT(refused.body, testing::HasSubstr("Too large"));
  // back to the shared block
  nginx.inputs("big").properties["client-max-body-size"] = "1m";
  deploy(engine, route_to("big", "d2", {app.peer()}));
  EXPECT_EQ(nginx.post("big.test", body).status, 413);
  EXPECT_EQ(nginx.get("big.test").status, 200);
  EXPECT_FALSE(std::filesystem::exists(nginx.settings().root + "/sites/big.conf"));
}

TEST_F(SocketTest, AnExactNameWinsOverAnotherAppsWildcardBlock) {
  TestApp wild("wild");
  TestApp exact("exact");
  auto route = route_to("wild", "d1", {wild.peer()});
  route.hosts = {"*.zone.test"};
  nginx.inputs("wild").properties["proxy-read-timeout"] = "5s";
  deploy(engine, route);
  route = route_to("exact", "d1", {exact.peer()});
  route.hosts = {"shop.zone.test"};
  deploy(engine, route);
  EXPECT_EQ(nginx.get("shop.zone.test").body, "exact");
  EXPECT_EQ(nginx.get("any.zone.test").body, "wild");
}

TEST_F(SocketTest, AnAddressOfOneAppDoesNotTakeTheOthersRequests) {
  TestApp app("app");
  nginx.settings().bind_ipv4 = "0.0.0.0";
  auto all = nginx.engine();
  deploy(all, route_to("open", "d1", {app.peer()}));
  nginx.inputs("inner").properties["bind-address-ipv4"] = "127.0.0.1";
  deploy(all, route_to("inner", "d1", {app.peer()}));
  EXPECT_EQ(nginx.get("inner.test").status, 200);
  EXPECT_EQ(nginx.get("open.test").status, 200);  // it came to 127.0.0.1 as well
}

TEST_F(SocketTest, AHostHasOneApp) {
  TestApp app("app");
  deploy(engine, route_to("one", "d1", {app.peer()}));
  auto thief = route_to("two", "d1", {app.peer()});
  thief.hosts = {"two.test", "one.test"};
  EXPECT_EQ(slug_of([&] { (void)engine.prepare(thief); }), "host-taken");
  EXPECT_EQ(slug_of([&] { engine.apply(thief); }), "host-taken");
  EXPECT_EQ(nginx.get("two.test").status, 404);  // nothing of it was done
  engine.remove("one");
  deploy(engine, thief);
  EXPECT_EQ(nginx.get("one.test").status, 200);
}

TEST_F(SocketTest, AccessLogsArePerApp) {
  TestApp app("app");
  deploy(engine, route_to("one", "d1", {app.peer()}));
  nginx.get("one.test", "/seen");
  nginx.get("nobody.test", "/unseen");
  nginx.kill_master(SIGQUIT);  // it has written all its logs when it is gone
  const auto log = files::read_file(nginx.settings().logs + "/apps/one-access.log").value_or("");
  EXPECT_THAT(log, testing::HasSubstr("GET /seen"));
  EXPECT_THAT(log, testing::Not(testing::HasSubstr("/unseen")));
}

TEST_F(SocketTest, AnAccessLogThatHasGrownEnoughBecomesTheOlderOne) {
  TestApp app("app");
  const auto logs = nginx.settings().logs + "/apps/";
  nginx.inputs("two").properties["access-log-path"] = "named.log";
  nginx.inputs("off").properties["access-log-path"] = "off";
  for (const std::string name : {"one", "two", "off"}) deploy(engine, route_to(name, "d1", {app.peer()}));
  for (const auto* name : {"one-access.log", "named.log", "off-access.log"}) {
    files::write_file(logs + name, "");
    std::filesystem::resize_file(logs + name, 32 * 1024 * 1024);
  }
  for (const auto* host : {"one.test", "two.test", "off.test"}) EXPECT_EQ(nginx.get(host).status, 200);
  nginx.kill_master(SIGQUIT);
  EXPECT_TRUE(std::filesystem::exists(logs + "one-access.log.1"));
  EXPECT_TRUE(std::filesystem::exists(logs + "named.log.1"));
  EXPECT_FALSE(std::filesystem::exists(logs + "off-access.log.1"));
}

TEST_F(SocketTest, CertificateMeansHttpsHttp2AndARedirect) {
  TestApp app("one");
  const auto dir = nginx.settings().root;
  engine.ensure();
  const Certificate certificate{dir + "/server.crt", dir + "/server.key"};
  ASSERT_EQ(nginx
                .run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-days", "2", "-subj", "/CN=one.test", "-keyout", certificate.key, "-out",
                      certificate.certificate})
                .exit_code,
            0);
  nginx.inputs("one").certificate = certificate;
  deploy(engine, route_to("one", "d1", {app.peer()}));
  deploy(engine, route_to("plain", "d1", {app.peer()}));
  const auto port = std::to_string(nginx.settings().https_port);
  const auto plain = nginx.get("one.test", "/a?b=c");
  EXPECT_EQ(plain.status, 301);
  EXPECT_EQ(plain.headers.at("Location"), "https://one.test:" + port + "/a?b=c");
  const auto curl = [&](const std::string& host) {
    return nginx.run({"curl", "-sS", "-k", "--max-time", "10", "-D", "-", "--resolve",
                      host + ":" + port + ":127.0.0.1", "https://" + host + ":" + port + "/head"});
  };
  const auto secure = curl("one.test");
  EXPECT_EQ(secure.exit_code, 0) << secure.output;
  EXPECT_THAT(secure.output, testing::StartsWith("HTTP/2 200"));
  EXPECT_THAT(secure.output,
              testing::HasSubstr("strict-transport-security: max-age=15724800; includeSubdomains"));
  EXPECT_THAT(secure.output, testing::HasSubstr("X-Forwarded-Proto: https"));
  EXPECT_NE(curl("plain.test").exit_code, 0);  // it gets no other app's certificate
  EXPECT_EQ(nginx.get("plain.test").status, 200);
}

}  // namespace
}  // namespace davit::nginx::test
