// Finding and removing what nobody needs.
#include "lifecycle/collect.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "lifecycle/detached_runs.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/retention.hpp"
#include "process/file_lock.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;

/// What goes, and how.
struct Doomed {
  Garbage item;
  std::function<Result<>()> remove;
};
using DoomedList = std::vector<Doomed>;

struct TreeFacts {
  std::uint64_t bytes = 0;
  std::int64_t newest_unix_ms = 0;
};

std::int64_t unix_ms_of(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  if (error) return 0;
  const auto system = fs::file_time_type::clock::to_sys(time);
  return std::chrono::duration_cast<std::chrono::milliseconds>(system.time_since_epoch()).count();
}

TreeFacts look_at(const fs::path& path) {
  TreeFacts facts{0, unix_ms_of(path)};
  std::error_code error;
  if (fs::is_regular_file(fs::symlink_status(path, error))) facts.bytes = fs::file_size(path, error);
  fs::recursive_directory_iterator entries(path, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && entries != end; entries.increment(error)) {
    std::error_code ignored;
    if (entries->is_symlink(ignored)) continue;
    facts.newest_unix_ms = std::max(facts.newest_unix_ms, unix_ms_of(entries->path()));
    if (entries->is_regular_file(ignored)) facts.bytes += entries->file_size(ignored);
  }
  return facts;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

void allow_many_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

class Collector {
 public:
  Collector(const LifecycleServices& services, bool dry_run) : services_(services), dry_run_(dry_run) {}

  Result<Collected> run(const CallContext& call) {
    DAVIT_TRY_ASSIGN(const auto apps, services_.store.apps().list());
    for (const App& app : apps) DAVIT_TRY(one_app(app, call));
    DAVIT_TRY(strangers());
    DAVIT_TRY(scratch());
    sweep();
    DAVIT_TRY(plugins(call));
    return std::move(collected_);
  }

 private:
  void doom(std::string kind, std::string app, std::string name, std::string why, std::uint64_t bytes,
            std::function<Result<>()> remove) {
    list_.push_back(
        {{std::move(kind), std::move(app), std::move(name), std::move(why), bytes}, std::move(remove)});
  }
  void doom_tree(std::string kind, std::string app, const fs::path& path, std::string why) {
    const auto name = path.lexically_relative(services_.home.root).string();
    doom(std::move(kind), std::move(app), name, std::move(why), look_at(path).bytes,
         [path] { return remove_tree(path); });
  }

  void sweep() {
    bool a_release_stays = false;  // and which slug is its is not known here
    for (Doomed& doomed : list_) {
      if (a_release_stays && doomed.item.kind == "slug") continue;
      if (!dry_run_) {
        if (auto gone = doomed.remove(); !gone) {
          a_release_stays = a_release_stays || doomed.item.kind == "release";
          collected_.failures.push_back(fmt::format("{}: {}", doomed.item.name, gone.error().text()));
          continue;
        }
      }
      collected_.items.push_back(std::move(doomed.item));
    }
    list_.clear();
  }

  // Whoever holds the lock is at work on the app, and may just be making what looks unused. None: somebody
  // is.
  Result<std::optional<FileLock>> lock_idle(const App& app) {
    DAVIT_TRY_ASSIGN(auto lock, lock_name(app.name));
    DAVIT_TRY_ASSIGN(const auto unfinished, services_.store.journal().unfinished(app.id));
    if (!unfinished.empty() || !app.other_name.empty()) lock.reset();
    return lock;
  }
  Result<std::optional<FileLock>> lock_name(const std::string& name) {
    const auto path = services_.home.lock(name);
    DAVIT_TRY(make_dirs(path.parent_path(), 0700));
    auto lock = FileLock::try_acquire(path, {"system:collect", getpid(), services_.clock.now_unix_ms()});
    if (lock) return std::move(*lock);
    if (lock.error().code != Code::kConflict) return fail(lock.error());
    return std::nullopt;
  }

  Result<> one_app(const App& app, const CallContext& call) {
    DAVIT_TRY_ASSIGN(const auto lock, lock_idle(app));
    if (!lock) {
      collected_.skipped.push_back(app.name);
      return {};
    }
    rules_ = retention_rules(services_.store, app.id);
    DAVIT_TRY(releases(app));
    DAVIT_TRY(deployments(app));
    cache(app);
    DAVIT_TRY(logs(app, call));
    sweep();
    return {};
  }

  Result<> releases(const App& app) {
    auto& store = services_.store;
    DAVIT_TRY_ASSIGN(const auto old, store.releases().expendable(app.id, rules_.releases));
    for (const std::uint32_t version : old) {
      if (dry_run_) would_go_.emplace(app.id, version);
      doom("release", app.name, fmt::format("v{}", version),
           fmt::format("beyond the {} newest, and neither live nor the last that was", rules_.releases), 0,
           [&store, id = app.id, version] { return store.releases().forget(id, {version}); });
    }
    DAVIT_TRY_ASSIGN(const auto all, store.releases().list(app.id));
    std::set<std::string> needed;
    for (const ReleaseSummary& release : all) {
      const bool goes = std::ranges::find(old, release.version) != old.end();
      if (!goes && release.state != ReleaseState::kFailed) needed.insert(release.artifact.ref);
    }
    for (const fs::path& file : entries_of(services_.home.slugs(app.name))) {
      if (needed.contains(file.lexically_relative(services_.home.root).string())) continue;
      doom_tree("slug", app.name, file, "no release that is kept has it");
    }
    return {};
  }

  Result<> deployments(const App& app) {
    DAVIT_TRY_ASSIGN(const auto all, services_.store.journal().history(app.id));
    std::uint64_t kept = 0;
    std::vector<std::string> old;
    for (const Deployment& deployment : all) {
      if (!is_finished(deployment.state) || kept++ < rules_.deployments) continue;
      old.push_back(deployment.id);
    }
    for (const std::string& id : old) {
      const fs::path log = services_.home.deploy_log(id);
      doom("deploy-log", app.name, log.lexically_relative(services_.home.root).string(),
           fmt::format("beyond the {} newest", rules_.deployments), look_at(log).bytes,
           [this, log, id, app]() -> Result<> {
             DAVIT_TRY(services_.sources.forget(app.name, id));
             return remove_tree(log);
           });
    }
    if (old.empty()) return {};
    list_.back().remove = [this, app, last = list_.back().remove]() -> Result<> {
      DAVIT_TRY(services_.store.journal().prune(app.id, rules_.deployments));
      return last();
    };
    return {};
  }

  void cache(const App& app) {
    const fs::path folder = services_.home.cache(app.name);
    std::error_code error;
    if (!fs::exists(folder, error)) return;
    const TreeFacts facts = look_at(folder);
    const std::int64_t age_days = (services_.clock.now_unix_ms() - facts.newest_unix_ms) / kDayMs;
    if (rules_.cache_days != 0 && age_days >= static_cast<std::int64_t>(rules_.cache_days)) {
      doom_tree("cache", app.name, folder, fmt::format("no build has used it for {} days", age_days));
    } else if (rules_.cache_mib != 0 && facts.bytes >> 20 >= rules_.cache_mib) {
      doom_tree("cache", app.name, folder, fmt::format("larger than {} MiB", rules_.cache_mib));
    }
  }

  // Entries are "REVISION.TYPE.N" and what follows: of a runtime's instances, which may still run.
  Result<> logs(const App& app, const CallContext& call) {
    if (rules_.log_days == 0) return {};
    DAVIT_TRY_ASSIGN(const auto groups, services_.store.live_groups().of_app(app.id));
    std::optional<DetachedRuns> runs;  // asked for once, and only where there are logs of some
    for (const fs::path& entry : entries_of(services_.home.logs() / "apps" / app.name)) {
      const std::string name = entry.filename().string();
      const bool runs_as_group = std::ranges::any_of(
          groups, [&](const LiveGroup& group) { return name.starts_with(group.revision + "."); });
      const auto age_days = (services_.clock.now_unix_ms() - look_at(entry).newest_unix_ms) / kDayMs;
      if (runs_as_group || age_days < static_cast<std::int64_t>(rules_.log_days)) continue;
      if (is_of_detached_run(name)) {
        if (!runs) runs = runs_of(app, call);
        if (may_run(*runs, name)) continue;
      }
      doom_tree("log", app.name, entry, fmt::format("of an instance that is gone for {} days", age_days));
    }
    return {};
  }

  static bool is_of_detached_run(const std::string& entry) {
    const auto parts = split(entry, '.');
    Instance instance;
    instance.revision = parts[0];
    if (parts.size() > 1) instance.process_type = parts[1];
    return is_detached_run(instance);
  }
  // Where they cannot be asked for, each may run.
  DetachedRuns runs_of(const App& app, const CallContext& call) {
    auto runs = detached_runs(services_, app.id, app.name, call);
    return runs ? std::move(*runs) : DetachedRuns{{}, false};
  }
  static bool may_run(const DetachedRuns& runs, const std::string& entry) {
    return !runs.is_complete || std::ranges::any_of(runs.list, [&](const DetachedRun& run) {
      return run.instance.state != InstanceState::kExited && entry.starts_with(run.instance.revision + ".");
    });
  }

  // Folders by apps' names in which no app lives. Apps are made while this runs: so each folder is looked at
  // under the lock that a push to an app of its name takes, and only then asked whether there is one.
  Result<> strangers() {
    DAVIT_TRY(orphans(services_.home.slugs(""), "slug"));
    DAVIT_TRY(orphans(services_.home.cache(""), "cache"));
    return orphans(services_.home.logs() / "apps", "log");
  }
  Result<> orphans(const fs::path& folder, const char* kind) {
    for (const fs::path& entry : entries_of(folder)) {
      const std::string name = entry.filename().string();
      DAVIT_TRY_ASSIGN(const bool known, is_name_of_app(name));
      if (known) continue;
      DAVIT_TRY_ASSIGN(auto lock, lock_name(name));
      if (!lock) continue;
      DAVIT_TRY_ASSIGN(const bool known_by_now, is_name_of_app(name));
      if (known_by_now) continue;
      doom_tree(kind, "", entry, "there is no such app");
      sweep();
      lock->release_and_unlink();
    }
    return {};
  }
  Result<bool> is_name_of_app(const std::string& name) {
    const auto app = services_.store.apps().get_by_any_name(name);
    if (!app && app.error().code != Code::kNotFound) return fail(app.error());
    return app.has_value();
  }

  // A deployment is in the journal before it has a folder: so the folders are read first.
  Result<> scratch() {
    const auto entries = entries_of(services_.home.work(""));
    DAVIT_TRY_ASSIGN(const auto unfinished, services_.store.journal().unfinished());
    DAVIT_TRY_ASSIGN(const auto stuck, services_.store.journal().stuck());
    std::set<std::string> busy;
    for (const auto* list : {&unfinished, &stuck})
      for (const Deployment& deployment : *list) busy.insert(deployment.id);
    for (const fs::path& entry : entries) {
      if (!busy.contains(entry.filename().string()))
        doom_tree("scratch", "", entry, "its deployment has ended");
    }
    return {};
  }

  // Each plugin knows what it made elsewhere; it is told which slugs and images are needed, and which apps
  // are being worked on: what is made for them just now has no release yet. That is read anew, and no other
  // app of these is worked on until the plugins are done; a dry run holds nobody up. For an app that is made
  // meanwhile they are told from when the list is.
  Result<> plugins(const CallContext& call) {
    TextMap needed;
    TextMap garbage;
    allow_many_files();  // each lock is one
    std::vector<FileLock> held;
    const std::int64_t listed_unix_ms = services_.clock.now_unix_ms();
    DAVIT_TRY_ASSIGN(const auto apps, services_.store.apps().list());
    for (const App& app : apps) {
      DAVIT_TRY_ASSIGN(auto lock, lock_idle(app));
      if (!lock) {
        needed.emplace("busy/" + app.name, "at work");
        if (!app.other_name.empty()) needed.emplace("busy/" + app.other_name, "at work");
      } else if (!dry_run_) {
        held.push_back(std::move(*lock));
      }
      DAVIT_TRY_ASSIGN(const auto releases, services_.store.releases().list(app.id));
      for (const ReleaseSummary& release : releases) {
        const std::string& ref = release.artifact.ref;
        if (release.state == ReleaseState::kFailed || would_go_.contains({app.id, release.version})) continue;
        needed.emplace(ref.starts_with("slugs/") ? "slug" + ref.substr(5) : "image/" + ref, app.name);
      }
    }
    CollectEvent event{dry_run_, needed, garbage, listed_unix_ms};
    DAVIT_TRY(services_.bus.filter(Event{event_id::kSystemCollect, &event, {}}, call));
    for (const auto& [key, text] : garbage) {
      Garbage item;
      item.kind = key.substr(0, key.find('/'));
      item.name = key.substr(std::min(key.size(), item.kind.size() + 1));
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), item.bytes);
      item.why = error == std::errc{} ? text.substr(static_cast<std::size_t>(end - text.data())) : text;
      if (item.why.starts_with(' ')) item.why.erase(0, 1);
      collected_.items.push_back(std::move(item));
    }
    return {};
  }

  const LifecycleServices& services_;
  const bool dry_run_;
  RetentionRules rules_;
  std::set<std::pair<AppId, std::uint32_t>> would_go_;  // releases, in a dry run
  DoomedList list_;
  Collected collected_;
};

}  // namespace

Result<Collected> collect_garbage(const LifecycleServices& services, bool dry_run, const CallContext& call) {
  return Collector(services, dry_run).run(call);
}

}  // namespace davit
