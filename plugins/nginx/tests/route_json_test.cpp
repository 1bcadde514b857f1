// Routes as JSON, and what is not a route.
#include "route_json.hpp"

#include <gtest/gtest.h>

namespace davit::nginx {
namespace {

Route example() {
  Route route;
  route.app = "shop";
  route.revision = "d7";
  route.hosts = {"shop.example.com", "*.example.org"};
  route.peers = {{"127.0.0.1", 5001, ""}, {"::1", 5002, ""}, {"", 0, "/run/app.sock"}};
  route.maintenance = true;
  route.shared = false;
  return route;
}

TEST(RouteJson, RoundTrip) {
  EXPECT_EQ(route_from_json(to_json(example())), example());
}

TEST(RouteJson, OtherTextIsNothing) {
  for (const auto* text :
       {"", "{", "[]", "{\"app\":1}", "{\"app\":\"a\",\"revision\":\"r\",\"hosts\":{},\"peers\":[]}",
        "{\"app\":\"a\",\"revision\":\"r\",\"hosts\":[],\"peers\":[{\"host\":\"x\",\"port\":99999}]}"}) {
    EXPECT_EQ(route_from_json(text), std::nullopt) << text;
  }
}

TEST(RouteComplaint, AGoodRouteHasNone) {
  EXPECT_EQ(complaint(example()), "");
}

TEST(RouteComplaint, NamesTheBadPart) {
  auto route = example();
  route.hosts = {"a;b"};
  EXPECT_EQ(complaint(route), "\"a;b\" is not a host name");
  for (const auto* host : {"", "*.", "UPPER.example", "a..b", ".a", "a b", "a/b", "*.*.b", "x\n"}) {
    route.hosts = {host};
    EXPECT_NE(complaint(route), "") << host;
  }
  route = example();
  route.peers = {{"not-an-address", 80, ""}};
  EXPECT_EQ(complaint(route), "\"not-an-address:80\" is not an address and a port");
  route.peers = {{"127.0.0.1", 0, ""}};
  EXPECT_NE(complaint(route), "");
  route.peers = {{"", 0, "/run/a b"}};
  EXPECT_NE(complaint(route), "");
}

}  // namespace
}  // namespace davit::nginx
