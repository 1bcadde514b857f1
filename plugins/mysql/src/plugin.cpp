// mysql: which programs of MariaDB or MySQL prepare, serve, dump and load. What is done with them is davit's.
#include <unistd.h>
#include <davit/plugin.hpp>

#include <string>

namespace davit::mysql_plugin {
namespace {

/// The two have the same protocol, and programs of other names.
struct Flavour {
  const char* name;  // versions are NAME-MAJOR.MINOR
  const char *server, *client, *dump;
};
constexpr Flavour kFlavours[] = {
    {"mysql", "/usr/sbin/mysqld", "/usr/bin/mysql", "/usr/bin/mysqldump"},
    {"mariadb", "/usr/sbin/mariadbd", "/usr/bin/mariadb", "/usr/bin/mariadb-dump"}};
constexpr const char* kInstallMariaDb = "/usr/bin/mariadb-install-db";
constexpr std::uint64_t kVersionMs = 10'000;

// One SELECT for each table: its rows, and the sum of the rows' checksums, whatever their order is.
constexpr const char* kFingerprint = R"sql(
SET SESSION group_concat_max_len = 16000000;
SELECT GROUP_CONCAT(q ORDER BY t SEPARATOR ' UNION ALL ') INTO @q FROM (
  SELECT t.table_name AS t, CONCAT('SELECT ', QUOTE(t.table_name), ', COUNT(*), COALESCE(SUM(CRC32(CONCAT_WS('','', ',
    GROUP_CONCAT(CONCAT('QUOTE(`', REPLACE(c.column_name, '`', '``'), '`)') ORDER BY c.ordinal_position SEPARATOR ', '),
    '))), 0) FROM `', REPLACE(t.table_name, '`', '``'), '`') AS q
  FROM information_schema.tables t JOIN information_schema.columns c
    ON c.table_schema = t.table_schema AND c.table_name = t.table_name
  WHERE t.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' GROUP BY t.table_name) x;
SET @q = COALESCE(@q, 'SELECT ''empty'', 0, 0');
PREPARE s FROM @q;
EXECUTE s;
)sql";

bool is_there(const char* path) {
  return access(path, X_OK) == 0;
}

/// In an image by its name; davit's own is made of Debian's packages, which are MariaDB's.
bool is_mariadb(const sdk::Service& service) {
  if (service.image.empty()) return service.version.rfind("mariadb", 0) == 0;
  return service.image.find("mariadb") != std::string::npos || service.image.rfind("service-", 0) == 0;
}

/// Here by its path; in an image PATH finds it, wherever it is.
std::string at(const sdk::Service& service, const char* path) {
  return service.image.empty() ? path : std::string(path).substr(std::string(path).rfind('/') + 1);
}

const Flavour& flavour_of(const sdk::Service& service) {
  return kFlavours[is_mariadb(service) ? 1 : 0];
}

/// "10.11" of "mariadbd  Ver 10.11.14-MariaDB-...".
std::string number_in(const std::string& text) {
  const std::size_t at = text.find("Ver ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + 4;
  const std::size_t dot = text.find('.', begin);
  if (dot == std::string::npos) return {};
  return text.substr(begin, text.find_first_not_of("0123456789", dot + 1) - begin);
}

void add(sdk::Strings& argv, sdk::Strings words) {
  argv.insert(argv.end(), words.begin(), words.end());
}

/// Where, who, and the password, which is on no command line.
sdk::Program client(const sdk::Service& service, const char* program) {
  sdk::Program run;
  run.argv = {at(service, program),
              "--no-defaults",
              "--protocol=tcp",
              "--host=" + service.host,
              "--port=" + std::to_string(service.port),
              "--user=" + service.username};
  run.env = {{"MYSQL_PWD", service.password}, {"LANG", "C.UTF-8"}, {"MYSQL_HISTFILE", "/dev/null"}};
  return run;
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

class MySql : public sdk::Plugin, public sdk::ServiceKind {
 public:
  sdk::Pairs describe_kind(const sdk::Call& call) override {
    std::string versions;
    for (const Flavour& flavour : kFlavours) {
      if (!is_there(flavour.server) || !is_there(flavour.client)) continue;
      const std::string number = ask_version(call, flavour);
      // Debian's mysqld is MariaDB's by another name.
      if (!number.empty())
        versions += (versions.empty() ? "" : " ") + std::string(flavour.name) + "-" + number;
    }
    return {{"scheme", "mysql"},
            {"alias", "DATABASE"},
            {"username", "mysql"},
            {"database", "name"},
            {"reserved", "mysql sys information_schema performance_schema"},
            {"versions", versions},
            {"missing", "Install it: apt-get install mariadb-server-core mariadb-client"},
            {"image", "mysql"},
            {"packages", "mariadb-server-core mariadb-client"},
            {"tls", "yes"}};
  }

  sdk::Program prepare(const sdk::Call&, const sdk::Service& service) override {
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

  sdk::Program serve(const sdk::Call&, const sdk::Service& service) override {
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
                "--character-set-server=utf8mb4"};
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

  sdk::Program probe(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, flavour_of(service).client);
    add(run.argv, {"--batch", "--execute=SELECT 1", service.database});
    return run;
  }

  sdk::Program dump(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, flavour_of(service).dump);
    add(run.argv, {"--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob",
                   service.database});
    return run;
  }

  sdk::Program load(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, flavour_of(service).client);
    add(run.argv, {service.database});
    const bool of_mysqldump = service.head.find("MariaDB dump") != std::string::npos ||
                              service.head.find("MySQL dump") != std::string::npos;
    if (of_mysqldump) run.ends_with = "-- Dump completed";
    return run;
  }

  sdk::Program connect(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, flavour_of(service).client);
    add(run.argv, {service.database});
    return run;
  }

  sdk::Program fingerprint(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, flavour_of(service).client);
    add(run.argv, {"--batch", "--skip-column-names", service.database});
    run.input = kFingerprint;
    return run;
  }

 private:
  std::string ask_version(const sdk::Call& call, const Flavour& flavour) {
    sdk::Process version;
    version.argv = {flavour.server, "--version"};
    version.timeout_ms = kVersionMs;
    const sdk::ProcessResult said = host().processes(call).capture(version);
    const bool is_maria = said.out.find("MariaDB") != std::string::npos;
    if (said.exit_code != 0 || is_maria != (&flavour == &kFlavours[1])) return {};
    return number_in(said.out);
  }
};

}  // namespace
}  // namespace davit::mysql_plugin

using davit::mysql_plugin::MySql;
DAVIT_PLUGIN(MySql, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
