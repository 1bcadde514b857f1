// The commands downloads:*, and which folder belongs to which app: a random id in the app's rows of davit's
// database, so that a renamed app keeps its cache, and a new app of an old name does not get another's.
#pragma once

#include <optional>
#include <string>

#include "davit/call.hpp"
#include "davit/commands.hpp"
#include "davit/host.hpp"
#include "downloads.hpp"

namespace davit::buildstep {

inline constexpr std::string_view kDownloadsGroup = "downloads";
inline constexpr std::string_view kDownloadsKey = "downloads-cache";  ///< the app's row with its id

class AppDownloads {
 public:
  AppDownloads(const sdk::Host& host, const sdk::Call& call);

  [[nodiscard]] const DownloadStore& store() const { return store_; }
  [[nodiscard]] std::optional<std::string> find_id(const std::string& app) const;
  /// Made if there is none.
  [[nodiscard]] std::string id(const std::string& app) const;
  /// Ids of all apps.
  [[nodiscard]] sdk::Strings ids() const;
  /// A property of the group: "cache" or "wrapper".
  [[nodiscard]] bool is_on(const std::string& app, std::string_view key) const;
  /// Keeps the caches to their limits, after a build of `app`.
  void settle(const std::string& app) const;

 private:
  const sdk::Host& host_;
  sdk::Call call_;
  DownloadStore store_;
};

class DownloadCommands {
 public:
  DownloadCommands(const sdk::Host& host, const sdk::Call& call)
      : host_(host), call_(call), downloads_(host, call) {}
  /// Exit code. @throws sdk::Failure, sdk::HostFailure.
  int run(const sdk::Command& command);

 private:
  int list(const sdk::Command& command);
  int purge(const sdk::Command& command);
  sdk::Pairs rows(const std::string& app) const;

  const sdk::Host& host_;
  sdk::Call call_;
  AppDownloads downloads_;
};

}  // namespace davit::buildstep
