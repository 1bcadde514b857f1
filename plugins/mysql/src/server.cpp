// See server.hpp.
#include "server.hpp"

namespace davit::mysql_plugin {
namespace {

constexpr Flavour kFlavours[] = {
    {"mysql", "/usr/sbin/mysqld", "/usr/bin/mysql", "/usr/bin/mysqldump"},
    {"mariadb", "/usr/sbin/mariadbd", "/usr/bin/mariadb", "/usr/bin/mariadb-dump"}};
constexpr const char* kInstallMariaDb = "/usr/bin/mariadb-install-db";

/// In an image by its name; davit's own is made of Debian's packages, which are MariaDB's.
bool is_mariadb(const sdk::Service& service) {
  if (service.image.empty()) return service.version.rfind("mariadb", 0) == 0;
  return service.image.find("mariadb") != std::string::npos || service.image.rfind("service-", 0) == 0;
}

/// The one account, whatever was loaded: said anew at each start, before anybody can connect.
std::string accounts(const sdk::Service& service) {
  const std::string who = "'" + service.username + "'@'%'";
  return "CREATE DATABASE IF NOT EXISTS `" + service.database + "`;\n" + "CREATE USER IF NOT EXISTS " + who +
         ";\n" + "ALTER USER " + who + " IDENTIFIED BY '" + service.password + "';\n" +
         "GRANT ALL PRIVILEGES ON *.* TO " + who + " WITH GRANT OPTION;\n" + "DELETE FROM mysql." +
         (is_mariadb(service) ? "global_priv" : "user") + " WHERE User = 'root';\n" + "FLUSH PRIVILEGES;\n";
}

/// davit syncs before anybody relies on it. Not all versions know the second.
sdk::Strings without_sync() {
  return {"--innodb-flush-method=nosync", "--loose-debug-no-sync"};
}

}  // namespace

std::span<const Flavour> flavours() {
  return kFlavours;
}

std::string at(const sdk::Service& service, const char* path) {
  return service.image.empty() ? path : std::string(path).substr(std::string(path).rfind('/') + 1);
}

const Flavour& flavour_of(const sdk::Service& service) {
  return kFlavours[is_mariadb(service) ? 1 : 0];
}

void add(sdk::Strings& argv, const sdk::Strings& words) {
  argv.insert(argv.end(), words.begin(), words.end());
}

sdk::Program prepare_of(const sdk::Service& service) {
  sdk::Program run;
  if (is_mariadb(service)) {
    run.argv = {at(service, kInstallMariaDb),
                "--no-defaults",
                "--datadir=" + service.data,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve"};
  } else {
    run.argv = {at(service, flavour_of(service).server), "--no-defaults", "--initialize-insecure",
                "--datadir=" + service.data};
  }
  add(run.argv, without_sync());
  return run;
}

sdk::Program serve_of(const sdk::Service& service) {
  sdk::Program run;
  run.argv = {at(service, flavour_of(service).server),
              "--no-defaults",
              "--datadir=" + service.data,
              "--port=" + std::to_string(service.port),
              "--bind-address=" + service.host,
              "--socket=" + service.data + "/mysqld.sock",
              "--pid-file=" + service.data + "/mysqld.pid",
              "--init-file=" + service.files + "/accounts.sql",
              "--skip-name-resolve",
              "--character-set-server=utf8mb4",
              "--loose-mysqlx=OFF"};  // MySQL's second protocol would listen at every address
  if (service.filling) {
    add(run.argv, without_sync());
    add(run.argv, {"--skip-innodb-doublewrite", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"});
  }
  run.files = {{"accounts.sql", accounts(service)}};
  if (!service.certificate.empty()) {
    add(run.argv,
        {"--ssl-cert=" + service.files + "/server.crt", "--ssl-key=" + service.files + "/server.key"});
    run.files.insert(run.files.end(),
                     {{"server.crt", service.certificate}, {"server.key", service.private_key}});
  }
  return run;
}

}  // namespace davit::mysql_plugin
