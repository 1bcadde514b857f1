// Services: the data services of a home, the generations of their data, and the links of apps to them.
// Records only: what runs is the runtimes' to know, and what a URL looks like lifecycle/link_variables.hpp's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/model.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "store/types.hpp"

namespace davit {

class Database;

enum class ServiceId : std::int64_t {};

enum class ServiceState { kRunning, kStopped, kPaused };  ///< what is wanted
std::string_view name_of(ServiceState state);             ///< "running", "stopped", "paused"

inline constexpr std::int64_t kMaxTrashDays = 36'500;  ///< of the setting trash-days

/// Versions that are images are written so: "image:postgres:16".
inline constexpr std::string_view kImagePrefix = "image:";
/// The image of a version; "" if it is none.
std::string_view image_in(std::string_view version);
/// A version as people are shown it.
std::string_view shown_version(std::string_view version);

struct NewService {
  std::string kind, name, runtime;
  std::string scheme, alias, username, database;
  Secret password;
};

struct Service : NewService {
  ServiceId id{};
  UnixMs created_at_ms = 0;
  std::optional<UnixMs> destroyed_at_ms;  ///< in the trash since
  ServiceState state = ServiceState::kRunning;
  std::uint16_t port = 0;          ///< 0: not leased yet
  std::uint16_t exposed_port = 0;  ///< 0: not exposed
  std::uint32_t generation = 0;    ///< the one that serves; 0: its creation is not over
  std::string version;             ///< of that generation's server, or kImagePrefix and its image
};

struct ServiceGeneration {
  std::uint32_t number = 0;
  std::string version, made_by;
  UnixMs made_at_ms = 0;
  std::optional<UnixMs> retired_at_ms;
  std::string retired_by = {};  ///< "import", "upgrade", "restore"
};

struct NewLink {
  AppId app{};
  ServiceId service{};
  std::string alias;  ///< of the variable, without _URL
  std::string querystring;
  bool host_style = false;  ///< DB_HOST, DB_USER, ... too
};
struct ServiceLink : NewLink {
  std::string app_name, kind, service_name;
};

/// Threads: those of its Store.
class Services {
 public:
  Services(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// Conflict "service-taken".
  Result<Service> create(const NewService& service);
  /// NotFound "service-not-found". Not those in the trash.
  Result<Service> get(std::string_view kind, std::string_view name);
  Result<Service> get(ServiceId service);  ///< also in the trash
  Result<bool> exists(std::string_view kind, std::string_view name);
  /// Sorted by name; an empty kind: of all kinds, by kind and name. Not those in the trash.
  Result<std::vector<Service>> list(std::string_view kind);
  /// Their names alone, for which no row is read.
  Result<std::vector<std::string>> names(std::string_view kind);
  /// The trash, newest first.
  Result<std::vector<Service>> trash(std::string_view kind);

  /// Conflict "service-taken".
  Result<> rename(ServiceId service, std::string_view name);
  Result<> set_port(ServiceId service, std::uint16_t port);
  Result<> set_exposed_port(ServiceId service, std::uint16_t port);
  Result<> set_state(ServiceId service, ServiceState state);
  /// Conflict "service-linked" (`Cannot delete linked service`).
  Result<> move_to_trash(ServiceId service);
  /// Conflict "service-taken" if the name has another one by now.
  Result<> take_from_trash(ServiceId service, std::string_view name);
  /// The row and all that belongs to it; a linked one is an error.
  Result<> forget(ServiceId service);

  Result<std::optional<std::string>> setting(ServiceId service, std::string_view key);
  Result<TextMap> settings(ServiceId service);
  /// nullopt: unset.
  Result<> set_setting(ServiceId service, std::string_view key, const std::optional<std::string>& value);

  /// The next number, never given twice.
  Result<std::uint32_t> new_generation(ServiceId service);
  /// From now on this one serves; the one before it is retired by `by`. One transaction.
  Result<> serve_generation(ServiceId service, const ServiceGeneration& generation, std::string_view by);
  /// By number.
  Result<std::vector<ServiceGeneration>> generations(ServiceId service);
  Result<> forget_generation(ServiceId service, std::uint32_t number);
  /// Services, not those in the trash, of which a retired generation is kept.
  Result<std::vector<Service>> with_retired_data();

  /// Since when sweeps find the generation due to be removed (0: the whole service); nullopt: they do not.
  Result<std::optional<UnixMs>> due_since(ServiceId service, std::uint32_t generation);
  Result<> set_due_since(ServiceId service, std::uint32_t generation, std::optional<UnixMs> since_ms);

  /// A dump that was taken, by its path; one that stands at the path already is replaced.
  Result<> add_backup(ServiceId service, std::string_view path);
  /// In the order in which they were taken. The files may be gone.
  Result<std::vector<std::string>> backups(ServiceId service);
  Result<> move_backup(std::string_view from, std::string_view to);
  Result<> forget_backup(std::string_view path);

  /// Conflict "already-linked" or "alias-taken".
  Result<> link(const NewLink& link);
  /// Just these, all of this app; as link().
  Result<> assign_links(AppId app, const std::vector<NewLink>& links);
  /// Sorted by alias; and by app's name.
  Result<std::vector<ServiceLink>> links_of_app(AppId app);
  Result<std::vector<ServiceLink>> links_of_service(ServiceId service);
  Result<std::vector<ServiceLink>> links_of_kind(std::string_view kind);

  /// 0, 1, ... in the order in which kinds were first asked for.
  Result<std::uint32_t> number_of_kind(std::string_view kind);

 private:
  /// The name's conflict in words.
  Result<> written(Result<std::int64_t> changed, ServiceId service, std::string_view name);
  Database& database_;
  const Clock& clock_;
};

/// `service S does not exist`.
[[nodiscard]] Error service_not_found(std::string_view kind, std::string_view name);

}  // namespace davit
