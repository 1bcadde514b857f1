// postgres: which programs of PostgreSQL prepare, serve, dump and load. What is done with them is davit's.
#include <davit/plugin.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace davit::postgres_plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServers = "/usr/lib/postgresql";  // Debian's: VERSION/bin below it
constexpr int kOldest = 9, kNewest = 30;                 // that an image may have
constexpr const char* kMaintenance = "postgres";         // the database that is always there
constexpr const char* kCustomDump = "PGDMP";             // how pg_dump's custom format begins
constexpr const char* kPlainDump = "PostgreSQL database dump";
constexpr const char* kPlainEnd = "PostgreSQL database dump complete";

// A query for each table, run by \gexec: rows, and the sum of the rows' hashes, whatever their order is.
constexpr const char* kFingerprint = R"sql(
SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM %I.%I t',
              n.nspname || '.' || c.relname, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_t%'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
\gexec
SELECT format('SELECT %L, last_value, is_called FROM %I.%I', n.nspname || '.' || c.relname, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND n.nspname NOT LIKE 'pg\_t%'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
\gexec
)sql";

sdk::Strings versions() {
  std::vector<int> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(kServers, ignored)) {
    const std::string name = entry.path().filename();
    const bool number =
        !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number && fs::exists(entry.path() / "bin/postgres", ignored)) found.push_back(std::stoi(name));
  }
  std::sort(found.begin(), found.end());
  sdk::Strings names;
  for (const int version : found) names.push_back(std::to_string(version));
  return names;
}

/// Here by its path; in an image PATH finds it.
std::string program(const sdk::Service& service, const char* name) {
  if (!service.image.empty()) return name;
  return std::string(kServers) + "/" + service.version + "/bin/" + name;
}

/// Images made of Debian's packages have the programs where Debian has them, whichever version it is.
void set_path(sdk::Program& run, const sdk::Service& service) {
  if (service.image.empty()) return;
  std::string path;
  for (int version = kNewest; version >= kOldest; --version)
    path += std::string(kServers) + "/" + std::to_string(version) + "/bin:";
  run.env.emplace_back("PATH", path + "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

/// A client's: where, who, and the password, which is on no command line.
sdk::Program client(const sdk::Service& service, const char* name, const std::string& database) {
  sdk::Program run;
  run.argv = {program(service, name)};
  run.env = {{"PGHOST", service.host},      {"PGPORT", std::to_string(service.port)},
             {"PGUSER", service.username},  {"PGPASSWORD", service.password},
             {"PGDATABASE", database},      {"PGCONNECT_TIMEOUT", "10"},
             {"PSQL_HISTORY", "/dev/null"}, {"LANG", "C.UTF-8"},
             {"PGSSLMODE", "disable"}};  // it does not leave the machine
  set_path(run, service);
  return run;
}

/// "Europe/Berlin" of the link /etc/localtime; empty where it is no link. A sandbox shows what it leads to,
/// so that initdb there would compare the clock with every zone that there is.
std::string time_zone() {
  constexpr std::string_view kZones = "/zoneinfo/";
  std::error_code ignored;
  const std::string target = fs::read_symlink("/etc/localtime", ignored);
  const std::size_t at = target.find(kZones);
  return at == std::string::npos ? std::string() : target.substr(at + kZones.size());
}

void add(sdk::Strings& argv, sdk::Strings words) {
  argv.insert(argv.end(), words.begin(), words.end());
}

class Postgres : public sdk::Plugin, public sdk::ServiceKind {
 public:
  sdk::Pairs describe_kind(const sdk::Call&) override {
    std::string all;
    for (const std::string& version : versions()) all += (all.empty() ? "" : " ") + version;
    // SIGINT: a fast shutdown. SIGTERM would wait for every client to go by itself.
    return {{"scheme", "postgres"},
            {"alias", "DATABASE"},
            {"username", "postgres"},
            {"database", "name"},
            {"reserved", "postgres template0 template1"},
            {"versions", all},
            {"missing", "Install it: apt-get install postgresql"},
            {"stop-signal", std::to_string(SIGINT)},
            {"image", "postgres"},
            {"packages", "postgresql"},
            {"tls", "yes"}};
  }

  sdk::Program prepare(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run;
    run.argv = {program(service, "initdb"),
                "--no-sync",  // davit does, when all is there
                "-D",
                service.data,
                "-U",
                service.username,
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--auth=scram-sha-256",
                "--pwfile=" + service.files + "/password"};
    run.files = {{"password", service.password + "\n"}};
    const std::string zone = service.image.empty() ? time_zone() : "";
    if (!zone.empty()) run.env = {{"TZ", zone}};
    set_path(run, service);
    return run;
  }

  sdk::Program serve(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run;
    run.argv = {program(service, "postgres"),
                "-D",
                service.data,
                "-p",
                std::to_string(service.port),
                "-c",
                "listen_addresses=" + service.host,
                "-c",
                "unix_socket_directories=",  // clients are elsewhere: they come by TCP
                "-c",
                "logging_collector=off"};
    if (service.filling) {
      // No log of changes is needed where a crash throws all away, and then a table that is made and filled
      // in one transaction has none.
      add(run.argv, {"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "wal_level=minimal", "-c",
                     "max_wal_senders=0", "-c", "autovacuum=off"});
    }
    // A dump locks each table, a load each thing that it makes; so many for each of 100 connections. More
    // would take memory of those that have little.
    add(run.argv, {"-c", std::string("max_locks_per_transaction=") + (service.filling ? "1024" : "256")});
    if (!service.certificate.empty()) {
      add(run.argv, {"-c", "ssl=on", "-c", "ssl_cert_file=" + service.files + "/server.crt", "-c",
                     "ssl_key_file=" + service.files + "/server.key"});
      run.files = {{"server.crt", service.certificate}, {"server.key", service.private_key}};
    }
    if (!service.image.empty()) {  // initdb lets in whom loopback brings, and here nobody comes by that
      add(run.argv, {"-c", "hba_file=" + service.files + "/pg_hba.conf"});
      run.files.emplace_back("pg_hba.conf", "host all all all scram-sha-256\n");
    }
    set_path(run, service);
    return run;
  }

  sdk::Program probe(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, "psql", kMaintenance);
    add(run.argv, {"-X", "-q", "-A", "-t", "-c", "SELECT 1"});
    return run;
  }

  sdk::Program setup(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, "psql", kMaintenance);
    // A name has letters, digits and _ only, and may begin with a digit.
    add(run.argv,
        {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", "CREATE DATABASE \"" + service.database + "\""});
    return run;
  }

  sdk::Program dump(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, "pg_dump", service.database);
    add(run.argv, {"-Fc", "--no-acl", "--no-owner"});
    return run;
  }

  sdk::Program load(const sdk::Call&, const sdk::Service& service) override {
    if (service.head.rfind(kCustomDump, 0) == 0) {
      sdk::Program run = client(service, "pg_restore", service.database);
      add(run.argv, {"--single-transaction", "--no-acl", "--no-owner", "-d", service.database});
      return run;
    }
    sdk::Program run = client(service, "psql", service.database);
    // A dump may bring a password of its own for our account: ours is said again, in the same transaction.
    add(run.argv, {"-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-o", "/dev/null", "-f", "-",
                   "-f", service.files + "/account.sql"});
    run.files = {{"account.sql", "ALTER ROLE \"" + service.username + "\" WITH SUPERUSER LOGIN PASSWORD '" +
                                     service.password + "';\n"}};
    if (service.head.find(kPlainDump) != std::string::npos) run.ends_with = kPlainEnd;
    return run;
  }

  sdk::Program connect(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, "psql", service.database);
    if (!service.tty) add(run.argv, {"-v", "ON_ERROR_STOP=1"});
    return run;
  }

  sdk::Program fingerprint(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, "psql", service.database);
    add(run.argv, {"-X", "-q", "-A", "-t", "-F", " ", "-v", "ON_ERROR_STOP=1"});
    run.input = kFingerprint;
    return run;
  }
};

}  // namespace
}  // namespace davit::postgres_plugin

using davit::postgres_plugin::Postgres;
DAVIT_PLUGIN(Postgres, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
