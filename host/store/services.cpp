// The rows of services and of the generations of their data. Links: service_links.cpp.
#include "store/services.hpp"

#include <fmt/format.h>

#include "store/database.hpp"

namespace davit {
namespace {

#define DAVIT_SERVICE_COLUMNS                                                                               \
  "SELECT id, kind, name, created_at_ms, destroyed_at_ms, runtime, state, port, exposed_port, generation, " \
  "scheme, alias, username, password, database, (SELECT version FROM service_generations WHERE service = "  \
  "id "                                                                                                     \
  "AND number = generation) FROM services "

ServiceState state_of(std::string_view name) {
  if (name == "stopped") return ServiceState::kStopped;
  return name == "paused" ? ServiceState::kPaused : ServiceState::kRunning;
}

Service read_service(Row row) {
  Service service;
  service.id = ServiceId{row.integer(0)};
  service.kind = row.text(1);
  service.name = row.text(2);
  service.created_at_ms = row.integer(3);
  service.destroyed_at_ms = row.optional_integer(4);
  service.runtime = row.text(5);
  service.state = state_of(row.text(6));
  service.port = static_cast<std::uint16_t>(row.integer(7));
  service.exposed_port = static_cast<std::uint16_t>(row.integer(8));
  service.generation = static_cast<std::uint32_t>(row.integer(9));
  service.scheme = row.text(10);
  service.alias = row.text(11);
  service.username = row.text(12);
  service.password = Secret(row.text(13));
  service.database = row.text(14);
  service.version = row.text(15);
  return service;
}

Error taken(std::string_view kind, std::string_view name) {
  return {Code::kConflict,
          fmt::format("service {} already exists", name),
          fmt::format("Choose another name, or see: davit {}:list", kind),
          "service-taken",
          {}};
}

}  // namespace

std::string_view name_of(ServiceState state) {
  switch (state) {
    case ServiceState::kRunning:
      return "running";
    case ServiceState::kStopped:
      return "stopped";
    case ServiceState::kPaused:
      return "paused";
  }
  return "running";
}

std::string_view image_in(std::string_view version) {
  return version.starts_with(kImagePrefix) ? version.substr(kImagePrefix.size()) : std::string_view();
}

std::string_view shown_version(std::string_view version) {
  return version.starts_with(kImagePrefix) ? image_in(version) : version;
}

Error service_not_found(std::string_view kind, std::string_view name) {
  return {Code::kNotFound,
          fmt::format("service {} does not exist", name),
          fmt::format("See: davit {}:list", kind),
          "service-not-found",
          {}};
}

Result<Service> Services::create(const NewService& service) {
  auto inserted = database_.run(
      "INSERT INTO services (kind, name, created_at_ms, runtime, state, port, scheme, alias, username, "
      "password, "
      "database) VALUES (?1, ?2, ?3, ?4, 'running', 0, ?5, ?6, ?7, ?8, ?9)",
      service.kind, service.name, clock_.now_unix_ms(), service.runtime, service.scheme, service.alias,
      service.username, service.password.reveal(), service.database);
  if (!inserted && inserted.error().slug == kSlugUnique) return fail(taken(service.kind, service.name));
  if (!inserted) return fail(std::move(inserted).error());
  return get(ServiceId{database_.last_insert_id()});
}

Result<Service> Services::get(std::string_view kind, std::string_view name) {
  DAVIT_TRY_ASSIGN(auto found, database_.first(DAVIT_SERVICE_COLUMNS
                                               "WHERE kind = ?1 AND name = ?2 AND destroyed_at_ms IS NULL",
                                               read_service, kind, name));
  if (!found) return fail(service_not_found(kind, name));
  return std::move(*found);
}

Result<Service> Services::get(ServiceId service) {
  DAVIT_TRY_ASSIGN(auto found, database_.first(DAVIT_SERVICE_COLUMNS "WHERE id = ?1", read_service, service));
  if (!found) return fail(Code::kNotFound, "The service does not exist (any more)", {}, "service-not-found");
  return std::move(*found);
}

Result<bool> Services::exists(std::string_view kind, std::string_view name) {
  DAVIT_TRY_ASSIGN(const auto found,
                   database_.first(
                       "SELECT 1 FROM services WHERE kind = ?1 AND name = ?2 AND destroyed_at_ms IS NULL",
                       [](Row row) { return row.integer(0); }, kind, name));
  return found.has_value();
}

Result<std::vector<Service>> Services::list(std::string_view kind) {
  return database_.collect(DAVIT_SERVICE_COLUMNS
                           "WHERE destroyed_at_ms IS NULL AND (?1 = '' OR kind = ?1) ORDER BY kind, name",
                           read_service, kind);
}

Result<std::vector<std::string>> Services::names(std::string_view kind) {
  return database_.collect(
      "SELECT name FROM services WHERE destroyed_at_ms IS NULL AND kind = ?1 ORDER BY name",
      [](Row row) { return row.text(0); }, kind);
}

Result<std::vector<Service>> Services::trash(std::string_view kind) {
  return database_.collect(DAVIT_SERVICE_COLUMNS
                           "WHERE destroyed_at_ms IS NOT NULL AND (?1 = '' OR kind = ?1) "
                           "ORDER BY destroyed_at_ms DESC, id DESC",
                           read_service, kind);
}

Result<> Services::set_port(ServiceId service, std::uint16_t port) {
  DAVIT_TRY(database_.run("UPDATE services SET port = ?2 WHERE id = ?1", service, port));
  return {};
}

Result<> Services::set_exposed_port(ServiceId service, std::uint16_t port) {
  DAVIT_TRY(database_.run("UPDATE services SET exposed_port = ?2 WHERE id = ?1", service, port));
  return {};
}

Result<> Services::set_state(ServiceId service, ServiceState state) {
  DAVIT_TRY(database_.run("UPDATE services SET state = ?2 WHERE id = ?1", service, name_of(state)));
  return {};
}

Result<> Services::move_to_trash(ServiceId service) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const auto links, links_of_service(service));
    if (!links.empty()) {
      const ServiceLink& link = links.front();
      return fail(
          Code::kConflict, "Cannot delete linked service",
          fmt::format("Unlink it first: davit {}:unlink {} {}", link.kind, link.service_name, link.app_name),
          "service-linked");
    }
    DAVIT_TRY(database_.run("UPDATE services SET destroyed_at_ms = ?2, state = 'stopped' WHERE id = ?1",
                            service, clock_.now_unix_ms()));
    return {};
  });
}

Result<> Services::take_from_trash(ServiceId service, std::string_view name) {
  return written(
      database_.run("UPDATE services SET destroyed_at_ms = NULL, name = ?2 WHERE id = ?1", service, name),
      service, name);
}

Result<> Services::rename(ServiceId service, std::string_view name) {
  return written(database_.run("UPDATE services SET name = ?2 WHERE id = ?1", service, name), service, name);
}

Result<> Services::written(Result<std::int64_t> changed, ServiceId service, std::string_view name) {
  if (!changed && changed.error().slug == kSlugUnique) {
    DAVIT_TRY_ASSIGN(const Service record, get(service));
    return fail(taken(record.kind, name));
  }
  if (!changed) return fail(std::move(changed).error());
  return {};
}

Result<> Services::forget(ServiceId service) {
  DAVIT_TRY(database_.run("DELETE FROM services WHERE id = ?1", service));
  return {};
}

Result<std::optional<std::string>> Services::setting(ServiceId service, std::string_view key) {
  return database_.first(
      "SELECT value FROM service_settings WHERE service = ?1 AND key = ?2",
      [](Row row) { return row.text(0); }, service, key);
}

Result<TextMap> Services::settings(ServiceId service) {
  TextMap found;
  DAVIT_TRY(database_.each(
      "SELECT key, value FROM service_settings WHERE service = ?1",
      [&](Row row) { found.emplace(row.text(0), row.text(1)); }, service));
  return found;
}

Result<> Services::set_setting(ServiceId service, std::string_view key,
                               const std::optional<std::string>& value) {
  if (!value) {
    DAVIT_TRY(database_.run("DELETE FROM service_settings WHERE service = ?1 AND key = ?2", service, key));
    return {};
  }
  DAVIT_TRY(
      database_.run("INSERT INTO service_settings (service, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO "
                    "UPDATE SET value = "
                    "excluded.value",
                    service, key, *value));
  return {};
}

Result<std::uint32_t> Services::new_generation(ServiceId service) {
  return database_.transaction([&]() -> Result<std::uint32_t> {
    DAVIT_TRY(
        database_.run("UPDATE services SET last_generation = last_generation + 1 WHERE id = ?1", service));
    DAVIT_TRY_ASSIGN(const auto number, database_.first(
                                            "SELECT last_generation FROM services WHERE id = ?1",
                                            [](Row row) { return row.integer(0); }, service));
    return static_cast<std::uint32_t>(number.value_or(0));
  });
}

Result<> Services::serve_generation(ServiceId service, const ServiceGeneration& generation,
                                    std::string_view by) {
  return database_.transaction([&]() -> Result<> {
    const UnixMs now_ms = clock_.now_unix_ms();
    DAVIT_TRY(database_.run(
        "UPDATE service_generations SET retired_at_ms = ?3, retired_by = ?4 WHERE service = ?1 AND "
        "number <> ?2 AND retired_at_ms IS NULL",
        service, generation.number, now_ms, by));
    DAVIT_TRY(
        database_.run("INSERT INTO service_generations (service, number, version, made_at_ms, made_by) "
                      "VALUES (?1, ?2, ?3, ?4, "
                      "?5) ON CONFLICT DO UPDATE SET retired_at_ms = NULL, retired_by = ''",
                      service, generation.number, generation.version, now_ms, generation.made_by));
    DAVIT_TRY(database_.run("UPDATE services SET generation = ?2 WHERE id = ?1", service, generation.number));
    return {};
  });
}

Result<std::vector<ServiceGeneration>> Services::generations(ServiceId service) {
  return database_.collect(
      "SELECT number, version, made_by, made_at_ms, retired_at_ms, retired_by FROM service_generations WHERE "
      "service = "
      "?1 "
      "ORDER BY number",
      [](Row row) {
        return ServiceGeneration{static_cast<std::uint32_t>(row.integer(0)),
                                 row.text(1),
                                 row.text(2),
                                 row.integer(3),
                                 row.optional_integer(4),
                                 row.text(5)};
      },
      service);
}

Result<std::vector<Service>> Services::with_retired_data() {
  return database_.collect(DAVIT_SERVICE_COLUMNS
                           "WHERE destroyed_at_ms IS NULL AND id IN (SELECT service FROM service_generations "
                           "WHERE retired_at_ms IS NOT NULL) ORDER BY kind, name",
                           read_service);
}

Result<> Services::forget_generation(ServiceId service, std::uint32_t number) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY(set_due_since(service, number, {}));
    DAVIT_TRY(
        database_.run("DELETE FROM service_generations WHERE service = ?1 AND number = ?2", service, number));
    return {};
  });
}

Result<std::optional<UnixMs>> Services::due_since(ServiceId service, std::uint32_t generation) {
  return database_.first(
      "SELECT seen_at_ms FROM service_due WHERE service = ?1 AND generation = ?2",
      [](Row row) -> UnixMs { return row.integer(0); }, service, generation);
}

Result<> Services::set_due_since(ServiceId service, std::uint32_t generation,
                                 std::optional<UnixMs> since_ms) {
  if (since_ms) {
    DAVIT_TRY(database_.run("INSERT OR REPLACE INTO service_due VALUES (?1, ?2, ?3)", service, generation,
                            *since_ms));
  } else {
    DAVIT_TRY(
        database_.run("DELETE FROM service_due WHERE service = ?1 AND generation = ?2", service, generation));
  }
  return {};
}

Result<> Services::add_backup(ServiceId service, std::string_view path) {
  DAVIT_TRY(
      database_.run("INSERT OR REPLACE INTO service_backups (service, path) VALUES (?1, ?2)", service, path));
  return {};
}

Result<std::vector<std::string>> Services::backups(ServiceId service) {
  return database_.collect(
      "SELECT path FROM service_backups WHERE service = ?1 ORDER BY id", [](Row row) { return row.text(0); },
      service);
}

Result<> Services::move_backup(std::string_view from, std::string_view to) {
  DAVIT_TRY(database_.run("UPDATE OR IGNORE service_backups SET path = ?2 WHERE path = ?1", from, to));
  return {};
}

Result<> Services::forget_backup(std::string_view path) {
  DAVIT_TRY(database_.run("DELETE FROM service_backups WHERE path = ?1", path));
  return {};
}

Result<std::uint32_t> Services::number_of_kind(std::string_view kind) {
  DAVIT_TRY(
      database_.run("INSERT INTO service_kinds (kind, number) SELECT ?1, coalesce(max(number) + 1, 0) FROM "
                    "service_kinds WHERE "
                    "true ON CONFLICT (kind) DO NOTHING",
                    kind));
  DAVIT_TRY_ASSIGN(const auto number, database_.first(
                                          "SELECT number FROM service_kinds WHERE kind = ?1",
                                          [](Row row) { return row.integer(0); }, kind));
  return static_cast<std::uint32_t>(number.value_or(0));
}

}  // namespace davit
