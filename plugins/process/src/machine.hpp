// What this machine allows: whose processes we start, whether in a sandbox. Found out by trying, once a boot,
// and then remembered: a sandbox that fails one day must end in an error and not in apps that quietly run
// without one.
#pragma once

#include <optional>
#include <string>

#include "config.hpp"
#include "davit/host.hpp"
#include "records.hpp"
#include "sandbox.hpp"

namespace davit::process_plugin {

struct Verdict {
  bool sandboxed = false;
  std::string reason;  ///< why not
  RunUser app_user;
};

/// Threads: one at a time.
class Machine {
 public:
  Machine(const sdk::Host& host, const Config& config, const Records& records);

  /// Remembered if this boot has been examined with the same settings; else tries. Throws sdk::Failure if the
  /// settings ask for a sandbox that does not work.
  const Verdict& verdict(const sdk::Call& call);
  /// Tries now and remembers. For doctor.
  const Verdict& examine(const sdk::Call& call);

  /// Who runs `name`: empty or "app": the app user; an account; or a number, which needs no account. Throws
  /// sdk::Failure (denied, not found).
  RunUser user(const sdk::Call& call, const std::string& name);
  /// The folder with the passwd and group that a sandbox of this user shows.
  [[nodiscard]] std::string accounts(const RunUser& user) const;

  [[nodiscard]] const SystemView& system() const { return system_; }
  [[nodiscard]] std::string helper() const { return config_.libexec + "/davit-sandbox"; }
  [[nodiscard]] bool owner_is_root() const { return owner_is_root_; }

 private:
  [[nodiscard]] std::string fingerprint() const;
  std::optional<Verdict> remembered() const;
  Verdict try_out(const sdk::Call& call) const;
  RunUser find_app_user(const sdk::Call& call) const;
  std::string try_sandbox(const sdk::Call& call, const RunUser& user) const;
  void write_etc(const RunUser& user, const std::string& folder) const;

  const sdk::Host& host_;
  const Config& config_;
  const Records& records_;
  SystemView system_;
  bool owner_is_root_ = false;
  std::optional<Verdict> verdict_;
};

}  // namespace davit::process_plugin
