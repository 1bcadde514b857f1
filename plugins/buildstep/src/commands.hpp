// The commands buildpacks:*: dokku's grammar and texts. They change an app's list and properties; they build
// nothing.
#pragma once

#include <filesystem>
#include <string>

#include "davit/call.hpp"
#include "davit/commands.hpp"
#include "davit/host.hpp"

namespace davit::buildstep {

/// Keys of our rows in davit's database; the scope is the app.
inline constexpr std::string_view kPurgeKey = "purge-cache";  ///< the next build empties the cache first
inline constexpr std::string_view kTrustedPrefix = "trusted-path/";  ///< + path: set by the home's owner

inline constexpr std::string_view kGroup = "buildpacks";

class BuildpackCommands {
 public:
  BuildpackCommands(const sdk::Host& host, const sdk::Call& call) : host_(host), call_(call) {}
  /// Exit code. @throws sdk::Failure, sdk::HostFailure.
  int run(const sdk::Command& command);

 private:
  int add(const sdk::Command& command, bool replace);
  int remove(const sdk::Command& command);
  int list(const sdk::Command& command);
  int set_property(const sdk::Command& command);
  sdk::Pairs rows(const std::string& app) const;
  void trust_path(const std::string& app, const std::string& location);
  sdk::Strings listed(const std::string& app) const;
  /// Held while a list is read, changed and written.
  [[nodiscard]] std::filesystem::path lists_lock() const;

  const sdk::Host& host_;
  sdk::Call call_;
};

}  // namespace davit::buildstep
