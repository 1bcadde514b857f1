// Ports: leases of TCP ports on loopback, so that two instances never get the same one, whoever asks at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace davit {

class Database;

/// Inclusive.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

struct PortLease {
  std::uint16_t port = 0;
  std::string owner;  ///< a unit's id: "shop.d17.web.1", "nginx"
};

/// Threads: those of its Store; processes may ask at the same time.
class Ports {
 public:
  /// Whether nobody listens there; called within the store's write lock, so it must be quick and must not use
  /// the store.
  using IsFree = std::function<bool(std::uint16_t port)>;

  Ports(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// `count` ports of the range for `owner`. An owner that has leases in the range
  /// gets those first, so asking again is harmless. A port released just now is given out last (an old
  /// connection may still point at it). Unavailable "ports-exhausted" when the range has not enough.
  Result<std::vector<std::uint16_t>> lease(PortRange range, std::string_view owner, std::size_t count,
                                           const IsFree& is_free);
  /// Returns how many it had; none is no error.
  Result<std::size_t> release(std::string_view owner);
  Result<std::vector<std::uint16_t>> of_owner(std::string_view owner);
  /// Those whose names begin so, sorted.
  Result<std::vector<std::string>> owners(std::string_view prefix);
  /// Sorted by port.
  Result<std::vector<PortLease>> list();

 private:
  Database& database_;
  const Clock& clock_;
};

}  // namespace davit
