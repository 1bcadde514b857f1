// The commands build-env:*, in the grammar of config:*. They only record: the next build looks.
#pragma once

#include <array>
#include <string>

#include "davit/call.hpp"
#include "davit/commands.hpp"
#include "davit/host.hpp"
#include "names.hpp"
#include "variables.hpp"

namespace davit::build_env {

/// Variables that limit downloads: their values are whole seconds, and settings give them a default.
struct DownloadLimit {
  const char* variable;
  const char* setting;
};
inline constexpr std::array<DownloadLimit, 2> kDownloadLimits{
    {{"CURL_TIMEOUT", "curl-timeout"}, {"CURL_CONNECT_TIMEOUT", "curl-connect-timeout"}}};

/// The setting in seconds, rounded up; empty: 0, which means none.
std::string limit_of(const sdk::Host& host, const sdk::Call& call, const DownloadLimit& limit);

NameRules name_rules(const sdk::Host& host, const sdk::Call& call);

class BuildEnvCommands {
 public:
  BuildEnvCommands(const sdk::Host& host, const sdk::Call& call)
      : host_(host), call_(call), store_(host, call) {}
  /// Exit code. @throws sdk::Failure, sdk::HostFailure.
  int run(const sdk::Command& command);

 private:
  int set(const sdk::Command& command);
  int unset(const sdk::Command& command);
  int list(const sdk::Command& command);
  int report(const sdk::Command& command);
  /// Checks that the app exists; the words after it.
  sdk::Strings words_after_scope(const sdk::Command& command, std::string& scope) const;
  [[nodiscard]] sdk::Pairs rows(const std::string& scope) const;
  void check_name(const std::string& name) const;

  const sdk::Host& host_;
  sdk::Call call_;
  VariableStore store_;
};

}  // namespace davit::build_env
