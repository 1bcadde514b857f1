// Collect: system:collect. Lists what nobody needs any more, with the reason, and removes just that. Only
// what is ours by its place below the home and is provably unused; what plugins keep elsewhere (images) they
// list and remove themselves, in the event system.collect.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lifecycle/services.hpp"

namespace davit {

struct Garbage {
  std::string
      kind;  ///< "release", "slug", "deploy-log", "cache", "log", "scratch"; of plugins: the plugin's id
  std::string app;   ///< "": of no app that exists
  std::string name;  ///< "v3", a path below the home, or what the plugin calls it
  std::string why;   ///< "beyond the 10 newest"
  std::uint64_t bytes = 0;
};

struct Collected {
  std::vector<Garbage> items;         ///< in the order in which they go
  std::vector<std::string> skipped;   ///< apps that are being worked on: they are left alone
  std::vector<std::string> failures;  ///< what could not be removed, and why
};

/// Each app under its lock, which this takes if it is free; all of them while plugins remove.
/// `dry_run`: nothing is changed; without it, just what that would have listed is removed.
Result<Collected> collect_garbage(const LifecycleServices& services, bool dry_run, const CallContext& call);

}  // namespace davit
