// URLs of services.
#include "lifecycle/link_variables.hpp"

#include <gtest/gtest.h>

namespace davit {
namespace {

Service database() {
  Service service;
  service.scheme = "postgres";
  service.username = "u";
  service.password = Secret("p");
  service.database = "shop";
  service.port = 20'001;
  return service;
}

TEST(ServiceUrl, HasAllParts) {
  EXPECT_EQ(service_url(database()), "postgres://u:p@127.0.0.1:20001/shop");
  EXPECT_EQ(service_url(database(), "pool=5"), "postgres://u:p@127.0.0.1:20001/shop?pool=5");
}

TEST(ServiceUrl, LeavesOutWhatAKindHasNot) {
  Service cache = database();
  cache.scheme = "redis";
  cache.username.clear();
  cache.database.clear();
  EXPECT_EQ(service_url(cache), "redis://:p@127.0.0.1:20001");
  cache.password = Secret();
  EXPECT_EQ(service_url(cache), "redis://127.0.0.1:20001");
}

TEST(ServiceUrl, EncodesWhatWouldEndAPart) {
  Service odd = database();
  odd.password = Secret("a/b@c:d%e?f#g \xc3\xa4");
  EXPECT_EQ(service_url(odd), "postgres://u:a%2Fb%40c%3Ad%25e%3Ff%23g%20%C3%A4@127.0.0.1:20001/shop");
}

TEST(LinkVariables, TheHostStyleHasEachPart) {
  ServiceLink link;
  link.alias = "FOO";
  EXPECT_EQ(variables_of_link(link, database()).size(), 1U);
  link.host_style = true;
  const TextMap variables = variables_of_link(link, database());
  EXPECT_EQ(variables.at("FOO_URL"), "postgres://u:p@127.0.0.1:20001/shop");
  EXPECT_EQ(variables.at("DB_HOST"), "127.0.0.1");
  EXPECT_EQ(variables.at("DB_PORT"), "20001");
  EXPECT_EQ(variables.at("DB_USER"), "u");
  EXPECT_EQ(variables.at("DB_PASS"), "p");
  EXPECT_EQ(variables.at("DB_NAME"), "shop");
}

}  // namespace
}  // namespace davit
