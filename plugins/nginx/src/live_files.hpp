// The configuration files of the running nginx: what is there, a check of a change in a scratch tree, and the
// installation of a change with a reload. The last good files are put back when nginx refuses. It knows
// nothing of routes; engine.cpp decides what changes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control_client.hpp"
#include "machine.hpp"
#include "model.hpp"

namespace davit::nginx {

// Path below the root -> new content, or nothing to remove the file.
using FileChanges = std::map<std::string, std::optional<std::string>>;

class LiveFiles {
 public:
  LiveFiles(const Settings& settings, Machine& machine, ControlClient& control)
      : settings_(settings), machine_(machine), control_(control) {}

  static std::string site_path(const std::string& app) { return "sites/" + app + ".conf"; }

  std::optional<std::string> read(const std::string& path) const;

  // `wanted`, together with the shared files that follow from it, minus what is on disk already.
  FileChanges difference(const FileChanges& wanted) const;

  // Runs `nginx -t` on a copy of the whole live set with the changes applied. No effect on the live set.
  // Throws with nginx's own words.
  void check(const FileChanges& changes) const;

  // Writes the files and, if nginx answers, reloads and waits until new workers run with them. On a refusal
  // the old files are back, nginx never stopped serving, and it throws. Call with the lock held.
  void install(const FileChanges& changes);

  // A master lives and its workers answer. Workers alone may answer too, for a moment, when the master was
  // killed.
  bool is_up();

  // True if files were written that the running nginx has not read (a crash between the two).
  bool is_stale();

  // True while workers of an earlier configuration still finish their requests.
  bool has_leaving_workers() const;

 private:
  Settings scratch_settings(const std::string& scratch) const;
  SharedNeeds needs_with(const FileChanges& changes) const;
  std::uint64_t generation_on_disk() const;
  void write(const FileChanges& changes) const;
  void reload_and_wait(std::uint64_t generation);

  const Settings& settings_;
  Machine& machine_;
  ControlClient& control_;
};

// argv that starts the proxy itself, in the foreground.
std::vector<std::string> start_argv(const Settings& settings);

// Asks workers that have outlived their master (kill -9) to finish and leave: they hold the ports. Nothing if
// the master lives. With the lua module they leave by themselves.
void dismiss_orphans(const Settings& settings);

// argv of nginx for the configuration in `prefix`; "-t" and the like may be appended.
std::vector<std::string> nginx_argv(const Settings& settings, const std::string& prefix,
                                    const std::string& error_log);

}  // namespace davit::nginx
