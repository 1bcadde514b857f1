#include "tests/scenario/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/text.hpp"

namespace davit::scenario {
namespace {

namespace fs = std::filesystem;

// On the memory's file system where there is one: a real store syncs every write, and no power cut is tested
// here.
fs::path parent_of_homes() {
  std::error_code error;
  return fs::exists("/dev/shm", error) ? fs::path("/dev/shm") : fs::temp_directory_path();
}

std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    found.push_back(it->path().lexically_relative(folder).string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

World::World() : folder(test::TempFolder::kPrefix, parent_of_homes()) {
  store_.emplace(must(Store::open(home.database(), StoreMode::kCreate, clock)));
  shop = must(store_->apps().create("shop"));
  must(store_->domains().add(AppId::kGlobal, {"example.com"}));
  sources.trees[kFirst] = {{"Procfile", "web: first\n"}};
  sources.trees[kSecond] = {{"Procfile", "web: second\n"}};
  auto& builder = plugins.builder_fake;
  builder.output.process_types = {{"web", "serve"}, {"worker", "work"}};
  builder.output.launcher = {"/exec"};
  builder.on_build = [&builder](const BuildInput& input) {
    const std::string slug = input.work_dir + "/slug.tar.zst";
    std::ofstream(slug) << "slug of " << input.revision;
    builder.output.artifact = {ArtifactRef::Kind::kSlug, slug, {}, "stack-1"};
  };
  for (auto* runtime : {&plugins.runtime_fake, &plugins.other_runtime})
    runtime->on_wait = [this](fakes::FakeRuntime&) { clock.advance_ms(100); };
}

CallContext World::context() {
  CallContext call{.actor = "local:ada", .app = "shop", .deployment = last_id_, .out = out};
  call.cancelled = [this] { return cancelled(); };
  return call;
}

LifecycleServices World::services() {
  return LifecycleServices{.store = *store_,
                           .bus = bus,
                           .capabilities = plugins,
                           .sources = sources,
                           .probe = probe,
                           .clock = clock,
                           .home = home,
                           .on_committed = [this] { phases.push_back(last().phase); },
                           .failpoint =
                               [this](std::string_view point) {
                                 points.emplace_back(point);
                                 if (at_point) at_point(points.back());
                               },
                           .pause =
                               [this](MonoMs ms) {
                                 clock.advance_ms(ms);
                                 if (at_pause) at_pause();
                               },
                           .mark = [](std::string_view, std::string_view) {}};
}

void World::reopen() {
  store_.reset();
  store_.emplace(must(Store::open(home.database(), StoreMode::kWrite, clock)));
}

Result<> World::deploy(const std::string& kind, const std::string& request_json) {
  const auto live = must(store().releases().current(shop.id));
  NewDeployment row{shop.id, kind, request_json, "local:ada", {}};
  if (live) row.from_version = live->version;
  last_id_ = must(store().journal().open(row)).id;
  points.clear();
  phases.clear();
  clock.advance_ms(1000);
  return Engine(services()).run(last_id_, context());
}

Result<> World::push(const std::string& revision) {
  return deploy("push", fmt::format(R"({{"revision":"{}","old_revision":"{}","ref":"refs/heads/main",)"
                                    R"("source":"git push main"}})",
                                    revision, sources.refs["refs/heads/main"]));
}

bool World::deploy_and_die(const std::string& kind, const std::string& request_json,
                           const std::string& point) {
  at_point = [point](const std::string& reached) {
    if (reached == point) throw Died{};
  };
  bool died = false;
  try {
    (void)deploy(kind, request_json);
  } catch (const Died&) {
    died = true;
  }
  at_point = nullptr;
  if (died) owner_dies();
  return died;
}

void World::owner_dies() {
  for (const Deployment& deployment : must(store().journal().unfinished(shop.id))) {
    if (!deployment.owner) continue;
    must(store().journal().claim(deployment.id, deployment.owner,
                                 {"00000000-0000-0000-0000-000000000000", 1, 1}));
  }
}

Result<> World::recover(const std::string& die_at) {
  reopen();
  points.clear();
  at_point = [die_at](const std::string& reached) {
    if (reached == die_at) throw Died{};
  };
  const auto done = Engine(services()).recover(shop.id, context());
  at_point = nullptr;
  return done;
}

Deployment World::last() {
  return must(store().journal().get(last_id_));
}

std::vector<std::string> World::instances() const {
  std::vector<std::string> ids;
  for (const auto* runtime : {&plugins.runtime_fake, &plugins.other_runtime})
    for (const Instance& instance : runtime->instances) ids.push_back(instance.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<std::string> World::slug_files() const {
  return files_below(home.slugs("shop"));
}

std::vector<std::string> World::answering() {
  std::vector<std::string> ids;
  const auto route = plugins.proxy_fake.routes.find("shop");
  if (route == plugins.proxy_fake.routes.end()) return ids;
  const auto alive = instances();
  for (const Endpoint& endpoint : route->second.endpoints) {
    ids.push_back(endpoint.instance);
    EXPECT_TRUE(std::find(alive.begin(), alive.end(), endpoint.instance) != alive.end())
        << "requests go to " << endpoint.instance << ", which is gone";
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<std::string> World::picture() {
  std::vector<std::string> lines;
  const bool exists = must(store().apps().exists("shop"));
  lines.push_back(exists ? "app shop" : "no app");
  for (const ReleaseSummary& release : must(store().releases().list(shop.id))) {
    if (release.state == ReleaseState::kFailed) continue;
    lines.push_back(
        fmt::format("release v{} {} {}", release.version, name_of(release.state), release.description));
    const bool there = fs::exists(home.root / release.artifact.ref);
    if (!there) lines.push_back(fmt::format("release v{} has lost its slug", release.version));
  }
  for (const LiveGroup& group : must(store().live_groups().of_app(shop.id))) {
    lines.push_back(fmt::format("record {}.{}={} {}", group.revision, group.process_type, group.count,
                                name_of(group.state)));
  }
  for (const auto* runtime : {&plugins.runtime_fake, &plugins.other_runtime}) {
    for (const auto& [name, group] : runtime->groups)
      lines.push_back(fmt::format("group {}={} on {}", name, group.count, runtime->id()));
  }
  for (const std::string& id : instances()) lines.push_back("instance " + id);
  for (const auto& [app, route] : plugins.proxy_fake.routes) {
    lines.push_back(fmt::format("route {} {} {}", app, route.revision, join(route.hosts, ",")));
  }
  for (const std::string& id : answering()) lines.push_back("answers " + id);
  for (const auto& [key, value] : must(store().config().all(shop.id))) {
    lines.push_back(fmt::format("config {}={}", key, value.reveal()));
  }
  for (const auto& [type, count] : must(store().formation().get(shop.id))) {
    lines.push_back(fmt::format("formation {}={}", type, count));
  }
  for (const std::string& domain : must(store().domains().list(shop.id))) lines.push_back("domain " + domain);
  for (const Property& property : must(store().properties().list(shop.id))) {
    lines.push_back(fmt::format("property {}.{}={}", property.group, property.key, property.value));
  }
  for (const std::string& file : files_below(home.run() / "work")) lines.push_back("scratch " + file);
  for (const auto& [deployment, revision] : sources.kept) {
    lines.push_back(fmt::format("kept {} {}", deployment, revision));
  }
  for (const auto& [ref, revision] : sources.refs) lines.push_back(fmt::format("ref {} {}", ref, revision));
  for (const std::string& mark : marks) lines.push_back("mark " + mark);
  return lines;
}

void World::begin_run(fakes::FakeRuntime& runtime, const std::string& revision) {
  Group group;
  group.owner = "shop";
  group.revision = revision;
  group.process_type = "run";
  group.count = 1;
  auto begun = context();
  must(runtime.apply(group, begun));
}

void World::add_hooks() {
  for (const auto event : {event_id::kReleaseAssemble, event_id::kReleaseCommand, event_id::kProcessStart,
                           event_id::kRouteSwitch}) {
    bus.subscribe(event, std::make_unique<fakes::FakeHook>(record, marks, "acme"));
  }
}

}  // namespace davit::scenario
