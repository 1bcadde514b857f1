// Environment, paths without a sandbox, the firewall's script.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"
#include "environment.hpp"
#include "firewall.hpp"
#include "path_map.hpp"

namespace davit::process_plugin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(Environment, IsWrappedSoThatNoKeyMeansAnythingOnTheWay) {
  const sdk::Pairs wrapped = wrapped_environment({{"LD_PRELOAD", "/app/x.so"}, {"A", "1\n2"}});
  EXPECT_THAT(wrapped, ElementsAre(Pair("DAVIT_ENV_LD_PRELOAD", "/app/x.so"), Pair("DAVIT_ENV_A", "1\n2")));
}

TEST(Environment, DefaultsDoNotReplaceAndValuesDo) {
  sdk::Pairs env{{"HOME", "/x"}, {"PORT", "1"}};
  set_default(env, "HOME", "/app");
  set_default(env, "PATH", "/bin");
  set_value(env, "PORT", "2");
  EXPECT_THAT(env, ElementsAre(Pair("HOME", "/x"), Pair("PORT", "2"), Pair("PATH", "/bin")));
}

TEST(Environment, WhatTheKernelWouldRefuseIsNamedWithoutItsValue) {
  const std::string secret(200 * 1024, 's');
  try {
    check_environment({{"TOKEN", secret}});
    FAIL() << "not refused";
  } catch (const sdk::Failure& failure) {
    EXPECT_EQ(failure.status(), DAVIT_INVALID);
    EXPECT_THAT(failure.message(), HasSubstr("TOKEN"));
    EXPECT_THAT(failure.message(), Not(HasSubstr("sss")));
  }
  EXPECT_THROW(check_environment({{"A", std::string("x\0y", 3)}}), sdk::Failure);
  EXPECT_THROW(check_environment({{"A=B", "x"}}), sdk::Failure);
  EXPECT_THROW(check_environment({{"", "x"}}), sdk::Failure);
  EXPECT_NO_THROW(check_environment({{"A", "line\nline \xff"}}));
  sdk::Pairs many;
  for (int i = 0; i < 20; ++i) many.emplace_back("K" + std::to_string(i), std::string(100'000, 'x'));
  EXPECT_THROW(check_environment(many), sdk::Failure);
}

TEST(PathMap, ReplacesWholeComponentsTheLongestTargetFirst) {
  PathMap map;
  map.add("/app", "/r/1/app");
  map.add("/app/data", "/srv/data");
  EXPECT_EQ(map.path("/app"), "/r/1/app");
  EXPECT_EQ(map.path("/app/bin/x"), "/r/1/app/bin/x");
  EXPECT_EQ(map.path("/app/data/y"), "/srv/data/y");
  EXPECT_EQ(map.path("/apple"), "/apple");
  EXPECT_EQ(map.path("x/app"), "x/app");
  EXPECT_EQ(map.list("/app/bin:/usr/bin:/app"), "/r/1/app/bin:/usr/bin:/r/1/app");
  EXPECT_EQ(map.list(""), "");
  EXPECT_THAT(map.words({"/app/run", "cd /app"}), ElementsAre("/r/1/app/run", "cd /app"));
  EXPECT_THAT(map.words({"--at=/app/run", "--at=/apple", "at=/app"}),
              ElementsAre("--at=/r/1/app/run", "--at=/apple", "at=/app"));
}

TEST(Firewall, ClosesThePortsToAllButTheGiven) {
  const std::string table = firewall_table("/srv/home");
  const std::string script = firewall_script("/srv/home", {20001, 20002}, {0, 33});
  EXPECT_THAT(script, HasSubstr("elements = { 20001, 20002 }"));
  EXPECT_THAT(script, HasSubstr("meta skuid != { 0, 33 } reject"));
  EXPECT_THAT(script, HasSubstr("add table inet " + table + "\ndelete table inet " + table + "\n"));
}

TEST(Firewall, ServicesAreForOtherUsersThanInstances) {
  const FirewallDoor services{{20010}, {0, 61234, 61300}};
  const std::string script = firewall_script("/srv/home", {20001}, {0, 33}, services);
  EXPECT_THAT(script, HasSubstr("tcp dport @service_ports"));
  EXPECT_THAT(script, HasSubstr("meta skuid != { 0, 61234, 61300 } reject"));
  const auto tables = read_tables(script);
  EXPECT_THAT(tables.back().ports, ElementsAre(20001));
  EXPECT_THAT(tables.back().service_ports, ElementsAre(20010));
  EXPECT_THAT(without_ports(tables.back(), {20001, 20010, 20011}),
              "delete element inet " + firewall_table("/srv/home") + " instance_ports { 20001 }\n" +
                  "delete element inet " + firewall_table("/srv/home") + " service_ports { 20010 }\n");
  EXPECT_THAT(firewall_script("/srv/home", {}, {0}, services), HasSubstr("service_ports"));
}

TEST(Firewall, WithoutPortsIsGone) {
  const std::string table = firewall_table("/srv/home");
  EXPECT_EQ(firewall_script("/srv/home", {}, {0}),
            "add table inet " + table + "\ndelete table inet " + table + "\n");
}

TEST(Firewall, ATableSaysWhoseItIsAndWhatItCloses) {
  // As nft 1.0.6 prints it.
  const auto tables = read_tables(R"(table inet davit_00000001 {
	set home {
		type mark
		elements = { 0x00000000 comment "/srv/a%20b", 0x00000001 comment "%22c", 0x00000010 comment "/z" }
	}
	set instance_ports {
		type inet_service
		elements = { 20001, 20003,
			     20005 }
	}
}
table inet filter {
	set home {
		type mark
		elements = { 0x00000000 comment "/not/ours" }
	}
}
table inet davit_00000002 {
	set instance_ports {
		type inet_service
	}
}
)");
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].name, "davit_00000001");
  EXPECT_EQ(tables[0].home, "/srv/a b\"c/z");
  EXPECT_THAT(tables[0].ports, ElementsAre(20001, 20003, 20005));
  EXPECT_EQ(tables[1].home, "") << "of before tables named their home";
  EXPECT_THAT(tables[1].ports, testing::IsEmpty());
  EXPECT_TRUE(read_tables("").empty());
  EXPECT_EQ(read_tables("table inet davit_1 { set home { elements = { 0 comment \"/cut").size(), 1U);
}

TEST(Firewall, AnyPathComesBackFromTheScript) {
  std::string home = "/srv/\xc3\xa4 \"{},=%\n";
  for (int i = 0; i < 40; ++i) home += "/a-long-path";
  const auto tables = read_tables(firewall_script(home, {20001}, {0}));
  ASSERT_EQ(tables.size(), 3U) << "add, delete, and the table";
  EXPECT_EQ(tables[2].home, home);
}

TEST(Firewall, TableIsTheHomesOwn) {
  EXPECT_EQ(firewall_table("/a"), firewall_table("/a"));
  EXPECT_NE(firewall_table("/a"), firewall_table("/b"));
}

}  // namespace
}  // namespace davit::process_plugin
