// Where things are. Pure: it joins names and touches no disk (main reads the environment and makes the
// folders).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace davit {

/// The folders of one davit home (DAVIT_HOME). Value type.
struct Home {
  std::filesystem::path root;          ///< absolute
  std::filesystem::path plugins_toml;  ///< DAVIT_ETC, else the home, else /etc/davit: decided by main

  [[nodiscard]] std::filesystem::path database() const { return root / "davit.db"; }
  [[nodiscard]] std::filesystem::path repos() const { return root / "repos"; }
  [[nodiscard]] std::filesystem::path repo(std::string_view app) const {
    return root / "repos" / (std::string(app) + ".git");
  }
  [[nodiscard]] std::filesystem::path slugs(std::string_view app) const { return root / "slugs" / app; }
  [[nodiscard]] std::filesystem::path cache(std::string_view app) const {
    return root / "cache" / "apps" / app;
  }
  [[nodiscard]] std::filesystem::path services() const { return root / "services"; }
  /// What apps keep: storage/NAME is a folder that storage:mount can show to them.
  [[nodiscard]] std::filesystem::path storage() const { return root / "storage"; }
  [[nodiscard]] std::filesystem::path backups() const { return root / "backups"; }
  [[nodiscard]] std::filesystem::path logs() const { return root / "logs"; }
  [[nodiscard]] std::filesystem::path deploy_log(std::string_view deployment) const {
    return root / "logs" / "deploys" / deployment;
  }
  [[nodiscard]] std::filesystem::path run() const { return root / "run"; }
  [[nodiscard]] std::filesystem::path lock(std::string_view app) const {
    return root / "run" / "locks" / app;
  }
  /// No app's name has a colon.
  [[nodiscard]] std::filesystem::path service_lock(std::string_view kind, std::string_view name) const {
    return root / "run" / "locks" / (std::string(kind) + ":" + std::string(name));
  }
  [[nodiscard]] std::filesystem::path work(std::string_view deployment) const {
    return root / "run" / "work" / deployment;
  }
  /// A plugin's own state and its scratch: plugins/ID and run/plugins/ID.
  [[nodiscard]] std::filesystem::path plugin_state(std::string_view id) const {
    return root / "plugins" / id;
  }
  [[nodiscard]] std::filesystem::path plugin_run(std::string_view id) const {
    return root / "run" / "plugins" / id;
  }
  [[nodiscard]] std::filesystem::path supervise() const { return root / "run" / "s6"; }
};

/// The folders of one installation, found from the executable: PREFIX/bin/davit or PREFIX/libexec/davit/X.
struct Installation {
  std::filesystem::path prefix;

  [[nodiscard]] std::filesystem::path davit() const { return prefix / "bin" / "davit"; }
  [[nodiscard]] std::filesystem::path worker() const { return prefix / "libexec" / "davit" / "davit-worker"; }
  [[nodiscard]] std::filesystem::path libexec(std::string_view name) const {
    return prefix / "libexec" / "davit" / name;
  }
  [[nodiscard]] std::filesystem::path plugins() const { return prefix / "lib" / "davit" / "plugins"; }
  [[nodiscard]] std::filesystem::path share() const { return prefix / "share" / "davit"; }

  /// From /proc/self/exe's target.
  static Installation of_executable(const std::filesystem::path& executable);
};

}  // namespace davit
