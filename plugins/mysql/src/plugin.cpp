// mysql: which programs of MariaDB or MySQL probe, dump and load. What is done with them is davit's.
#include <unistd.h>

#include <davit/plugin.hpp>

#include <string>

#include "server.hpp"

namespace davit::mysql_plugin {
namespace {

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

/// "10.11" of "mariadbd  Ver 10.11.14-MariaDB-...".
std::string number_in(const std::string& text) {
  const std::size_t at = text.find("Ver ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + 4;
  const std::size_t dot = text.find('.', begin);
  if (dot == std::string::npos) return {};
  return text.substr(begin, text.find_first_not_of("0123456789", dot + 1) - begin);
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

class MySql : public sdk::Plugin, public sdk::ServiceKind {
 public:
  sdk::Pairs describe_kind(const sdk::Call& call) override {
    std::string versions;
    for (const Flavour& flavour : flavours()) {
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

  sdk::Program prepare(const sdk::Call&, const sdk::Service& service) override { return prepare_of(service); }
  sdk::Program serve(const sdk::Call&, const sdk::Service& service) override { return serve_of(service); }

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
    if (said.exit_code != 0 || is_maria != (&flavour == &flavours()[1])) return {};
    return number_in(said.out);
  }
};

}  // namespace
}  // namespace davit::mysql_plugin

using davit::mysql_plugin::MySql;
DAVIT_PLUGIN(MySql, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
