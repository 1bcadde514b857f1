// The command lines of the servers. That MariaDB takes them is the conformance suite's to show; no MySQL
// server is at hand.
#include "server.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace davit::mysql_plugin {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

sdk::Service service(const char* version, const char* image = "") {
  sdk::Service of;
  of.version = version;
  of.image = image;
  of.data = "/data";
  of.files = "/files";
  of.host = "127.0.0.1";
  of.port = 20'001;
  of.username = "mysql";
  of.password = "s3cret";
  of.database = "orders";
  return of;
}

struct Case {
  const char *version, *image, *server, *prepares, *accounts;
};
constexpr Case kCases[] = {
    {"mysql-8.0", "", "/usr/sbin/mysqld", "/usr/sbin/mysqld", "mysql.user"},
    {"mariadb-10.11", "", "/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db", "mysql.global_priv"},
    {"", "mysql:8.0", "mysqld", "mysqld", "mysql.user"},
    {"", "mariadb:10.11", "mariadbd", "mariadb-install-db", "mysql.global_priv"},
    {"", "service-mysql", "mariadbd", "mariadb-install-db", "mysql.global_priv"},
};

TEST(Server, ListensWhereItIsToldAndNowhereElse) {
  for (const Case& one : kCases) {
    const sdk::Program run = serve_of(service(one.version, one.image));
    EXPECT_THAT(run.argv,
                ElementsAre(one.server, "--no-defaults", "--datadir=/data", "--port=20001",
                            "--bind-address=127.0.0.1", "--socket=/data/mysqld.sock",
                            "--pid-file=/data/mysqld.pid", "--init-file=/files/accounts.sql",
                            "--skip-name-resolve", "--character-set-server=utf8mb4", "--loose-mysqlx=OFF"))
        << one.version << one.image;
    EXPECT_THAT(run.files, ElementsAre(Pair("accounts.sql", testing::HasSubstr(one.accounts))));
  }
}

TEST(Server, IsPreparedWithoutAPasswordOnTheCommandLine) {
  for (const Case& one : kCases) {
    const sdk::Program run = prepare_of(service(one.version, one.image));
    ASSERT_THAT(run.argv, Not(IsEmpty()));
    EXPECT_EQ(run.argv.front(), one.prepares);
    EXPECT_THAT(run.argv, Contains("--no-defaults"));
    EXPECT_THAT(run.argv, Contains("--datadir=/data"));
    const bool is_mysqld = std::string(one.prepares).ends_with("mysqld");
    EXPECT_EQ(std::ranges::count(run.argv, "--initialize-insecure"), is_mysqld ? 1 : 0);
    EXPECT_THAT(run.argv, Not(Contains(testing::HasSubstr("s3cret"))));
  }
}

TEST(Server, SyncsUnlessItIsBeingFilled) {
  sdk::Service filled = service("mariadb-10.11");
  EXPECT_THAT(serve_of(filled).argv, Not(Contains(StartsWith("--innodb-flush-method"))));
  filled.filling = true;
  EXPECT_THAT(serve_of(filled).argv, Contains("--innodb-flush-method=nosync"));
}

TEST(Server, ACertificateIsAFileAndNoWord) {
  sdk::Service with_tls = service("mysql-8.0");
  with_tls.certificate = "CERT";
  with_tls.private_key = "KEY";
  const sdk::Program run = serve_of(with_tls);
  EXPECT_THAT(run.argv, Contains("--ssl-key=/files/server.key"));
  EXPECT_THAT(run.files, Contains(Pair("server.key", "KEY")));
}

}  // namespace
}  // namespace davit::mysql_plugin
