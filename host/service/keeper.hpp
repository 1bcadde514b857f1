// Keeper: what is done to services, each under its own lock. The record says which generation serves; all
// that a death can leave is a generation that no record names, and settle() removes it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "process/file_lock.hpp"
#include "service/generation.hpp"
#include "service/what_serves.hpp"

namespace davit {

inline constexpr std::int64_t kStartLimitMs = 120'000;
inline constexpr std::string_view kByUpgrade = "upgrade";  ///< ServiceGeneration.made_by and retired_by

struct CreateRequest {
  std::string kind, name;
  WantedServer server = {};
  std::string password = {};      ///< "": made
  const Service* like = nullptr;  ///< its settings, and its server unless another one is asked for; borrowed
};

class StreamFeed;

/// Threads: one.
class ServiceKeeper {
 public:
  explicit ServiceKeeper(ServiceWorld world) : world_(std::move(world)) {}

  /// `service NAME` is `command`'s until the result goes away. What a death left of it is settled.
  Result<FileLock> lock(std::string_view kind, std::string_view name, std::string_view command,
                        const CallContext& context);

  // All of these under the lock.
  /// With data, if `fill` is given: it loads into the new service before anybody can use it.
  Result<Service> create(const CreateRequest& request, const CallContext& context,
                         const std::function<Result<>(const Generation&)>& fill = {});
  Result<> start(const Service& service, const CallContext& context);
  Result<> stop(const Service& service, const CallContext& context);
  Result<> pause(const Service& service, const CallContext& context);
  Result<> restart(const Service& service, const CallContext& context);
  /// Its server is started anew; links, port and data stay what they are. Under both names' locks.
  Result<> rename(const Service& service, const std::string& name, const CallContext& context);
  /// Stops it; the data lie in the trash.
  Result<> destroy(const Service& service, const CallContext& context);
  /// Out of the trash, under `name`.
  Result<Service> restore(const Service& trashed, std::string_view name, const CallContext& context);
  /// Removes a retired generation for good.
  Result<> drop(const Service& service, std::uint32_t number, const CallContext& context);
  /// Back to a generation that was retired.
  Result<> go_back(const Service& service, std::uint32_t number, const CallContext& context);

  /// A stream from `source` takes the place of what is in it; what was in it stays as a retired generation.
  Result<> import_from(const Service& service, int source, const CallContext& context);
  Result<> export_to(const Service& service, int target, const CallContext& context);
  /// Which kServe program a new generation of another version needs: dump, load, compare, switch.
  Result<> upgrade(const Service& service, const WantedServer& wanted, const CallContext& context);
  Result<Service> clone(const Service& source, const CreateRequest& request, const CallContext& context);

  /// A dump and its fingerprint into `folder` (made if missing); the oldest beyond what is kept go. Its path.
  Result<std::filesystem::path> backup(const Service& service, const std::filesystem::path& folder,
                                       const CallContext& context);
  /// Loads it into an instance that is thrown away, and compares.
  Result<> verify_backup(const Service& service, const std::filesystem::path& file,
                         const CallContext& context);
  [[nodiscard]] std::filesystem::path backup_folder(const Service& service) const;
  /// That were taken of this service, the newest last; "": in any folder. Some may be gone.
  [[nodiscard]] Result<std::vector<std::filesystem::path>> backups_in(
      const Service& service, const std::filesystem::path& folder) const;
  /// In that folder; "": wherever it was taken to. NotFound "backup-missing".
  [[nodiscard]] Result<std::filesystem::path> newest_backup(const Service& service,
                                                            const std::filesystem::path& folder = {}) const;

  /// Removes what a death left, and starts what should run.
  Result<> settle(const Service& service, const CallContext& context);
  /// Removes what has lain in the trash for its time: services, and generations of those that are not. Only
  /// what a sweep of at least a day before found due as well: a clock that jumps empties nothing.
  /// What an upgrade left behind stays. Takes the locks of what it removes, and leaves alone what is being
  /// worked on; `held`: owner_of() the service whose lock the caller has, or "".
  Result<> sweep(std::string_view held, const CallContext& context);

  /// Where a dump passes by that is loaded at once.
  static std::filesystem::path dump_of(const Generation& generation) {
    return generation.folder() / "passing.dump";
  }

  /// The one that serves.
  [[nodiscard]] Generation current(const Service& service) const;
  /// Fails if it is stopped; waits for one that is starting.
  Result<> await(const Service& service, std::int64_t limit_ms, const CallContext& context) const;
  [[nodiscard]] const ServiceWorld& world() const { return world_; }

 private:
  /// Does not wait: Conflict.
  Result<FileLock> try_lock(const Service& service);
  using Fill = std::function<Result<>(const Generation&)>;
  Result<WhatServes> server_for(const CreateRequest& request, const CallContext& context) const;
  Result<> copy_settings(const Service& from, const Service& to);
  Result<NewService> describe(const CreateRequest& request, const TextMap& facts) const;
  /// Those in the home's own folders go by the name, which may have changed.
  Result<> gather_backups(const Service& service) const;
  Result<Generation> build(const Service& service, const std::string& version, const Fill& fill,
                           const CallContext& context);
  Result<> raise(const Generation& generation, const CallContext& context, bool filling) const;
  Result<> raise_filled(const Generation& generation, const Fill& fill, const CallContext& context) const;
  /// `by`: why the one before is retired.
  Result<> switch_to(const Service& service, const Generation& next, const std::string& made_by,
                     std::string_view by, const CallContext& context);
  Result<> discard(const Generation& generation, const CallContext& context);
  Result<> forget(const Service& service, const CallContext& context);
  /// The retired one of that number. NotFound "generation-missing"; Conflict if it serves.
  Result<ServiceGeneration> retired(const Service& service, std::uint32_t number);
  /// Ports of servers beside the one that serves; of a generation that serves: it was being dumped.
  Result<> settle_ports(const Service& service, const CallContext& context);
  Result<> sweep_trashed(const Service& service, const CallContext& context);
  Result<> sweep_generations(const Service& service, const CallContext& context);
  /// The service that has its name now.
  [[nodiscard]] Result<std::optional<Service>> named_as(const Service& service) const;
  /// A port for a generation beside the one that serves; 0: the service's own, for life.
  Result<std::uint16_t> lease(const Service& service, std::uint32_t generation);
  Result<> release(const Generation& generation);
  Result<> dump_into(const Generation& generation, const std::filesystem::path& file,
                     const CallContext& context) const;
  Result<> load_from(const Generation& generation, StreamFeed& feed, const CallContext& context) const;
  Result<> load_file(const Generation& generation, const std::filesystem::path& file,
                     const CallContext& context) const;
  /// Of the folder of `taken`, the one just taken: only what was taken of this service goes.
  Result<> thin_out(const Service& service, const std::filesystem::path& taken) const;
  [[nodiscard]] std::int64_t keep_ms(const Service& service) const;
  /// Whether the trash has kept the generation (0: the whole service) long enough, where it lies since then.
  Result<bool> kept_enough(const Service& service, std::uint32_t generation, std::optional<UnixMs> since_ms);

  ServiceWorld world_;
};

}  // namespace davit
