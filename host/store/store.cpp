// The store as a whole: one connection and the repositories on it.
#include "store/store.hpp"

#include <fmt/format.h>

#include "store/database.hpp"
#include "store/migrations.hpp"
#include "store/open_file.hpp"

namespace davit {

struct Store::Parts {
  Parts(std::unique_ptr<Database> opened, const Clock& clock)
      : database(std::move(opened)),
        apps(*database, clock),
        properties(*database),
        lists(*database),
        mounts(*database),
        config(*database),
        domains(*database),
        formation(*database),
        releases(*database, clock),
        journal(*database, clock),
        live_groups(*database, clock),
        ports(*database, clock),
        plugin_kv(*database),
        services(*database, clock) {}

  std::unique_ptr<Database> database;
  Apps apps;
  Properties properties;
  OrderedLists lists;
  Mounts mounts;
  Config config;
  Domains domains;
  Formation formation;
  Releases releases;
  Journal journal;
  LiveGroups live_groups;
  Ports ports;
  PluginKv plugin_kv;
  Services services;
};

Store::Store(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Store::Store(Store&& other) noexcept = default;
Store& Store::operator=(Store&& other) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::filesystem::path& file, StoreMode mode, const Clock& clock,
                          const StoreOptions& options) {
  DAVIT_TRY_ASSIGN(auto database, open_database(file, mode, options));
  return Store(std::make_unique<Parts>(std::move(database), clock));
}

Apps& Store::apps() const {
  return parts_->apps;
}
Properties& Store::properties() const {
  return parts_->properties;
}
OrderedLists& Store::lists() const {
  return parts_->lists;
}
Mounts& Store::mounts() const {
  return parts_->mounts;
}
Config& Store::config() const {
  return parts_->config;
}
Domains& Store::domains() const {
  return parts_->domains;
}
Formation& Store::formation() const {
  return parts_->formation;
}
Releases& Store::releases() const {
  return parts_->releases;
}
Journal& Store::journal() const {
  return parts_->journal;
}
LiveGroups& Store::live_groups() const {
  return parts_->live_groups;
}
Ports& Store::ports() const {
  return parts_->ports;
}
PluginKv& Store::plugin_kv() const {
  return parts_->plugin_kv;
}
Services& Store::services() const {
  return parts_->services;
}

Result<> Store::begin() {
  return parts_->database->begin();
}
Result<> Store::commit() {
  return parts_->database->commit();
}
void Store::rollback() noexcept {
  parts_->database->rollback();
}

Result<> Store::check() {
  Database& database = *parts_->database;
  const auto damaged = [&](std::string_view what) {
    return fail(sqlite_error(SQLITE_CORRUPT, 0, what, database.file()));
  };
  DAVIT_TRY_ASSIGN(const auto verdict,
                   database.first("PRAGMA integrity_check(1)", [](Row row) { return row.text(0); }));
  if (verdict != "ok") return damaged(verdict.value_or("no answer"));
  DAVIT_TRY_ASSIGN(const auto orphan,
                   database.first("PRAGMA foreign_key_check", [](Row row) { return row.text(0); }));
  if (orphan) return damaged(fmt::format("table {} has rows that belong to nothing", *orphan));
  return {};
}

const std::filesystem::path& Store::file() const {
  return parts_->database->file();
}

// An open store has the newest schema: open() sees to that.
std::uint32_t Store::schema_version() const {
  return newest_schema_version();
}

std::uint32_t newest_schema_version() {
  return known_migrations().back().to_version;
}

}  // namespace davit
