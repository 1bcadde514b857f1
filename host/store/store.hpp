// Store: the state of one home, in one SQLite file. It keeps and finds; it decides nothing and knows no
// plugin by name. Opened by main and handed down; the rest of the host sees the repositories and never SQL.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/apps.hpp"
#include "store/config.hpp"
#include "store/domains.hpp"
#include "store/formation.hpp"
#include "store/journal.hpp"
#include "store/live_groups.hpp"
#include "store/mounts.hpp"
#include "store/ordered_lists.hpp"
#include "store/plugin_kv.hpp"
#include "store/ports.hpp"
#include "store/properties.hpp"
#include "store/releases.hpp"
#include "store/services.hpp"

namespace davit {

class Database;

enum class StoreMode {
  kRead,    ///< never writes; works on a read-only disk too
  kWrite,   ///< brings an older schema up to ours
  kCreate,  ///< as kWrite, and makes the file (mode 0600) when it is missing
};

struct StoreOptions {
  /// How long a write waits for another process's. Then: Unavailable "store-busy".
  std::int32_t busy_timeout_ms = 10'000;
};

/// Threads: one at a time (open another Store for another thread; processes and stores do not disturb each
/// other). After fork() the child must not touch it. What any call can return: Unavailable "store-busy",
/// "disk-full", "store-io"; Denied "store-read-only"; Internal "store-corrupt", "store-error". None of them
/// leaves half a write.
class Store {
 public:
  /// NotFound "store-missing"; Denied "home-not-yours" (the file is another uid's); Unavailable
  /// "store-too-new" (made by a newer davit), "store-too-old" (kRead, and no writer has migrated it yet);
  /// "store-corrupt". `clock` is borrowed and must outlive the store.
  static Result<Store> open(const std::filesystem::path& file, StoreMode mode, const Clock& clock,
                            const StoreOptions& options = {});
  Store(Store&& other) noexcept;
  Store& operator=(Store&& other) noexcept;
  ~Store();

  // References are valid as long as the store, moves of it included.
  Apps& apps() const;
  Properties& properties() const;
  OrderedLists& lists() const;
  Mounts& mounts() const;
  Config& config() const;
  Domains& domains() const;
  Formation& formation() const;
  Releases& releases() const;
  Journal& journal() const;
  LiveGroups& live_groups() const;
  Ports& ports() const;
  PluginKv& plugin_kv() const;
  Services& services() const;

  /// Runs `body` (which returns a Result) as one transaction with the write lock held from its start: all of
  /// it is kept, or, on an error or an exception, nothing. Nested, an inner one that fails takes back only
  /// its own part.
  ///   store.transaction([&]() -> Result<> { DAVIT_TRY(...); return {}; })
  template <typename Body>
  auto transaction(Body&& body) -> std::invoke_result_t<Body> {
    DAVIT_TRY(begin());
    Rollback rollback{this};
    auto result = std::forward<Body>(body)();
    if (!result) return result;
    rollback.store = nullptr;
    DAVIT_TRY(commit());
    return result;
  }

  /// The file's own consistency and its foreign keys, for `davit doctor`; takes a while on a big store.
  Result<> check();
  [[nodiscard]] std::uint32_t schema_version() const;
  [[nodiscard]] const std::filesystem::path& file() const;

 private:
  struct Parts;
  struct Rollback {
    Store* store;
    ~Rollback() {
      if (store != nullptr) store->rollback();
    }
  };

  explicit Store(std::unique_ptr<Parts> parts);
  Result<> begin();
  Result<> commit();
  void rollback() noexcept;

  std::unique_ptr<Parts> parts_;
};

/// The newest schema that this program knows.
std::uint32_t newest_schema_version();

}  // namespace davit
