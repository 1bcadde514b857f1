// A service's life: create, start, stop, trash; and what puts it right after a death. Data: keeper_data.cpp.
#include "service/keeper.hpp"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <future>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "plugin/port_lease.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPasswordBytes = 32;
constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;
constexpr std::int64_t kKeepDays = 30;

/// Letters and digits: safe in a URL, in SQL and in files of options.
Result<Secret> random_password() {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string password;
  while (password.size() < kPasswordBytes) {
    unsigned char bytes[64];
    if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes))
      return fail(system_error("make a password", errno));
    for (const unsigned char byte : bytes) {
      const std::size_t index = byte & 63U;
      if (index < kLetters.size() && password.size() < kPasswordBytes) password += kLetters[index];
    }
  }
  return Secret(std::move(password));
}

std::string fact(const TextMap& facts, std::string_view key, std::string_view otherwise = {}) {
  const auto found = facts.find(key);
  return found == facts.end() ? std::string(otherwise) : found->second;
}

std::string database_named(std::string_view name) {
  std::string database(name);
  std::ranges::replace_if(
      database, [](char c) { return c == '-' || c == '.'; }, '_');
  return database;
}

/// Of the port for life.
std::string lease_name(const Service& service) {
  return fmt::format("service:{}", static_cast<std::int64_t>(service.id));
}

/// Of those of generations beside the one that serves.
std::string side_lease(const Service& service, std::string_view revision) {
  return fmt::format("{}:{}", lease_name(service), revision);
}

}  // namespace

Result<FileLock> ServiceKeeper::try_lock(const Service& service) {
  const auto path = world_.home.service_lock(service.kind, service.name);
  DAVIT_TRY(make_dirs(path.parent_path(), 0700));
  return FileLock::try_acquire(
      path, {fmt::format("{}:sweep {}", service.kind, service.name), ::getpid(), world_.clock.now_unix_ms()});
}

Result<FileLock> ServiceKeeper::lock(std::string_view kind, std::string_view name, std::string_view command,
                                     const CallContext& context) {
  const auto path = world_.home.service_lock(kind, name);
  DAVIT_TRY(make_dirs(path.parent_path(), 0700));
  LockWait wait;
  wait.on_wait = [&](const LockOwner& holder) {
    context.out.step(fmt::format("Waiting for {} to finish, which began {} ago", holder.command,
                                 duration_text(world_.clock.now_unix_ms() - holder.since_unix_ms)));
  };
  const LockOwner owner{fmt::format("{}:{} {}", kind, command, name), ::getpid(), world_.clock.now_unix_ms()};
  DAVIT_TRY_ASSIGN(FileLock lock, FileLock::acquire(path, owner, wait));
  const auto service = world_.store.services().get(kind, name);
  if (service) DAVIT_TRY(settle(*service, context));
  return lock;
}

Generation ServiceKeeper::current(const Service& service) const {
  return Generation(world_, service, service.generation, service.version, service.port);
}

Result<std::uint16_t> ServiceKeeper::lease(const Service& service, std::uint32_t generation) {
  const std::string owner =
      generation == 0 ? lease_name(service) : side_lease(service, fmt::format("g{}", generation));
  return lease_port(world_.store.ports(), world_.settings, world_.home, owner);
}

Result<> ServiceKeeper::release(const Generation& generation) {
  DAVIT_TRY(world_.store.ports().release(side_lease(generation.service(), generation.revision())));
  return {};
}

Result<NewService> ServiceKeeper::describe(const CreateRequest& request, const TextMap& facts) const {
  NewService service;
  service.kind = request.kind;
  service.name = request.name;
  service.scheme = fact(facts, "scheme", request.kind);
  service.alias = fact(facts, "alias", "DATABASE");
  service.username = fact(facts, "username");
  service.database = fact(facts, "database");
  if (service.database == "name") {
    const auto reserved = split_words(fact(facts, "reserved"));
    service.database = database_named(request.name);
    if (std::ranges::find(reserved, service.database) != reserved.end()) service.database += "_db";
  }
  if (request.password.empty()) {
    DAVIT_TRY_ASSIGN(service.password, random_password());
  } else {
    service.password = Secret(request.password);
  }
  return service;
}

Result<WhatServes> ServiceKeeper::server_for(const CreateRequest& request, const CallContext& context) const {
  const WantedServer& wanted = request.server;
  const Service* like = request.like;
  if (like != nullptr && wanted.runtime == like->runtime && wanted.image.empty() && wanted.version.empty())
    return WhatServes{like->runtime, like->version};
  return choose_server(world_.capabilities, request.kind, wanted, like == nullptr ? "" : like->version,
                       context);
}

Result<> ServiceKeeper::copy_settings(const Service& from, const Service& to) {
  Services& records = world_.store.services();
  DAVIT_TRY_ASSIGN(const auto settings, records.settings(from.id));
  for (const auto& [key, value] : settings) DAVIT_TRY(records.set_setting(to.id, key, value));
  return {};
}

Result<Service> ServiceKeeper::create(const CreateRequest& request, const CallContext& context,
                                      const Fill& fill) {
  DAVIT_TRY_ASSIGN(ServiceKind * kind, world_.capabilities.service_kind(request.kind));
  DAVIT_TRY_ASSIGN(const TextMap facts, kind->describe(context));
  DAVIT_TRY_ASSIGN(const WhatServes serves, server_for(request, context));
  DAVIT_TRY_ASSIGN(NewService wanted, describe(request, facts));
  wanted.runtime = serves.runtime;
  DAVIT_TRY_ASSIGN(Service service, world_.store.services().create(wanted));
  const auto made = [&]() -> Result<> {
    if (request.like != nullptr) DAVIT_TRY(copy_settings(*request.like, service));
    DAVIT_TRY_ASSIGN(service.port, lease(service, 0));
    DAVIT_TRY(world_.store.services().set_port(service.id, service.port));
    DAVIT_TRY_ASSIGN(service.generation, world_.store.services().new_generation(service.id));
    service.version = serves.version;
    world_.failpoint("create:begin");
    const Generation first = current(service);
    if (fill) {
      DAVIT_TRY(raise_filled(first, fill, context));
      DAVIT_TRY(first.sync());
      DAVIT_TRY(first.serve(context));
      DAVIT_TRY(first.await_ready(kStartLimitMs, context));
    } else {
      DAVIT_TRY(raise(first, context, false));
    }
    world_.failpoint("create:raised");
    return world_.store.services().serve_generation(service.id,
                                                    {first.number(), serves.version, "create", 0, {}}, "");
  }();
  if (made) return world_.store.services().get(service.id);
  world_.to_the_end();
  if (const auto gone = forget(service, context); !gone) context.out.warning(gone.error().text());
  return fail(made.error());
}

// From nothing to a server that answers. What was prepared is synced while the server starts; it sees to the
// rest itself, unless it is being filled.
Result<> ServiceKeeper::raise(const Generation& generation, const CallContext& context, bool filling) const {
  DAVIT_TRY(generation.prepare(context));
  std::future<Result<>> synced;
  if (!filling) synced = std::async(std::launch::async, [&generation] { return generation.sync(); });
  DAVIT_TRY(generation.serve(context, filling));
  DAVIT_TRY(generation.await_ready(kStartLimitMs, context));
  DAVIT_TRY(generation.run_if_any(ServiceProgramKind::kSetup, "Setting up the service", context));
  return filling ? Result<>{} : synced.get();
}

// Stopped cleanly at the end: what is in the folder can be served, once it is synced.
Result<> ServiceKeeper::raise_filled(const Generation& generation, const Fill& fill,
                                     const CallContext& context) const {
  DAVIT_TRY(raise(generation, context, true));
  DAVIT_TRY_ASSIGN(const unsigned exits, generation.exits(context));
  DAVIT_TRY(fill(generation));
  // What was loaded may have changed the account.
  DAVIT_TRY(generation.run_well(ServiceProgramKind::kProbe, "The first query after the load", {}, context));
  world_.failpoint("build:raised");
  return generation.stop_filled(exits, context);
}

Result<> ServiceKeeper::forget(const Service& service, const CallContext& context) {
  // Groups go by the name, which another service may have by now: then they are that one's.
  DAVIT_TRY_ASSIGN(const auto namesake, named_as(service));
  if (!namesake || namesake->id == service.id) {
    DAVIT_TRY_ASSIGN(Runtime * runtime, world_.capabilities.runtime(service.runtime));
    DAVIT_TRY(runtime->remove({OwnerKind::kService, owner_of(service), {}, {}, 0}, true, context));
  }
  DAVIT_TRY(remove_tree(service_folder(world_.home, service)));
  DAVIT_TRY_ASSIGN(const auto side, world_.store.ports().owners(side_lease(service, "")));
  for (const std::string& owner : side) DAVIT_TRY(world_.store.ports().release(owner));
  DAVIT_TRY(world_.store.ports().release(lease_name(service)));
  return world_.store.services().forget(service.id);
}

Result<std::optional<Service>> ServiceKeeper::named_as(const Service& service) const {
  auto found = world_.store.services().get(service.kind, service.name);
  if (found) return std::optional(std::move(*found));
  if (found.error().code == Code::kNotFound) return std::optional<Service>{};
  return fail(std::move(found).error());
}

Result<> ServiceKeeper::await(const Service& service, std::int64_t limit_ms,
                              const CallContext& context) const {
  if (service.state != ServiceState::kRunning) {
    return fail(Code::kConflict, fmt::format("service {} is {}", service.name, name_of(service.state)),
                fmt::format("Start it: davit {}:start {}", service.kind, service.name), "service-stopped");
  }
  return current(service).await_ready(limit_ms, context);
}

Result<> ServiceKeeper::start(const Service& service, const CallContext& context) {
  DAVIT_TRY(world_.store.services().set_state(service.id, ServiceState::kRunning));
  const Generation generation = current(service);
  DAVIT_TRY(generation.serve(context));
  return generation.await_ready(kStartLimitMs, context);
}

Result<> ServiceKeeper::stop(const Service& service, const CallContext& context) {
  DAVIT_TRY(world_.store.services().set_state(service.id, ServiceState::kStopped));
  return current(service).stop(context);
}

Result<> ServiceKeeper::pause(const Service& service, const CallContext& context) {
  DAVIT_TRY(world_.store.services().set_state(service.id, ServiceState::kPaused));
  return current(service).pause(context);
}

Result<> ServiceKeeper::restart(const Service& service, const CallContext& context) {
  DAVIT_TRY(current(service).stop(context));
  return start(service, context);
}

// Its groups have its name; nothing else does: the port, the folder and the links go by the id.
Result<> ServiceKeeper::rename(const Service& service, const std::string& name, const CallContext& context) {
  DAVIT_TRY_ASSIGN(Runtime * runtime, world_.capabilities.runtime(service.runtime));
  DAVIT_TRY(runtime->remove({OwnerKind::kService, owner_of(service), {}, {}, 0}, true, context));
  world_.failpoint("rename:stopped");
  auto renamed = world_.store.services().rename(service.id, name);
  DAVIT_TRY_ASSIGN(const Service now, world_.store.services().get(service.id));
  world_.failpoint("rename:recorded");
  if (renamed) renamed = gather_backups(now);
  if (now.state == ServiceState::kRunning) DAVIT_TRY(start(now, context));
  return renamed;
}

Result<> ServiceKeeper::destroy(const Service& service, const CallContext& context) {
  DAVIT_TRY(world_.store.services().move_to_trash(service.id));
  world_.failpoint("destroy:trashed");
  return current(service).stop(context);
}

Result<Service> ServiceKeeper::restore(const Service& trashed, std::string_view name,
                                       const CallContext& context) {
  DAVIT_TRY(world_.store.services().take_from_trash(trashed.id, name));
  DAVIT_TRY_ASSIGN(const Service service, world_.store.services().get(trashed.id));
  world_.failpoint("restore:recorded");
  DAVIT_TRY(gather_backups(service));
  DAVIT_TRY(start(service, context));
  return world_.store.services().get(trashed.id);
}

Result<> ServiceKeeper::settle_ports(const Service& service, const CallContext& context) {
  DAVIT_TRY_ASSIGN(const auto side, world_.store.ports().owners(side_lease(service, "")));
  if (side.empty()) return {};
  const Generation serving = current(service);
  if (std::ranges::find(side, side_lease(service, serving.revision())) != side.end()) {
    DAVIT_TRY(serving.stop(context));
    DAVIT_TRY(remove_tree(dump_of(serving)));
  }
  for (const std::string& owner : side) DAVIT_TRY(world_.store.ports().release(owner));
  return {};
}

// What the record does not name is what a death left.
Result<> ServiceKeeper::settle(const Service& service, const CallContext& context) {
  if (service.generation == 0) {
    context.out.step(
        fmt::format("Removing {} {}, whose creation was interrupted", service.kind, service.name));
    return forget(service, context);
  }
  DAVIT_TRY(settle_ports(service, context));
  DAVIT_TRY(gather_backups(service));
  DAVIT_TRY_ASSIGN(const auto known, world_.store.services().generations(service.id));
  std::error_code ignored;
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(service_folder(world_.home, service), ignored))
    folders.push_back(entry.path().filename());
  for (const std::string& name : folders) {
    std::uint32_t number = 0;
    if (!name.starts_with('g') ||
        std::from_chars(name.data() + 1, name.data() + name.size(), number).ec != std::errc{})
      continue;
    const auto found = std::ranges::find(known, number, &ServiceGeneration::number);
    const Generation generation(world_, service, number, service.version, 0);
    if (found == known.end()) DAVIT_TRY(discard(generation, context));
    if (found == known.end() || number == service.generation) continue;
    DAVIT_TRY_ASSIGN(const auto instances, generation.inspect(context));
    if (!instances.empty()) DAVIT_TRY(generation.stop(context));
  }
  if (service.destroyed_at_ms || service.state == ServiceState::kPaused) return {};
  DAVIT_TRY_ASSIGN(const auto instances, current(service).inspect(context));
  const bool down = instances.empty() || instances.front().state == InstanceState::kExited;
  if (service.state == ServiceState::kRunning && down) return current(service).serve(context);
  if (service.state == ServiceState::kStopped && !instances.empty()) return current(service).stop(context);
  return {};
}

std::int64_t ServiceKeeper::keep_ms(const Service& service) const {
  std::int64_t days = kKeepDays;
  const auto said = world_.store.services().setting(service.id, "trash-days");
  if (said && *said) std::from_chars((*said)->data(), (*said)->data() + (*said)->size(), days);
  return std::clamp<std::int64_t>(days, 0, kMaxTrashDays) * kDayMs;
}

Result<bool> ServiceKeeper::kept_enough(const Service& service, std::uint32_t generation,
                                        std::optional<UnixMs> since_ms) {
  Services& records = world_.store.services();
  const UnixMs now = world_.clock.now_unix_ms();
  const std::int64_t keep = keep_ms(service);
  if (since_ms && keep == 0) return true;
  const bool due = since_ms && now - *since_ms >= keep;
  DAVIT_TRY_ASSIGN(const auto due_since, records.due_since(service.id, generation));
  if (due && due_since && now - *due_since >= kDayMs) return true;
  if (due && (!due_since || *due_since > now)) DAVIT_TRY(records.set_due_since(service.id, generation, now));
  if (!due && due_since) DAVIT_TRY(records.set_due_since(service.id, generation, {}));
  return false;
}

Result<> ServiceKeeper::sweep_trashed(const Service& service, const CallContext& context) {
  DAVIT_TRY_ASSIGN(const bool over, kept_enough(service, 0, service.destroyed_at_ms));
  if (!over) {  // whoever destroyed it may have died before it was down
    DAVIT_TRY_ASSIGN(const auto namesake, named_as(service));
    return namesake ? Result<>{} : current(service).stop(context);
  }
  context.out.step(fmt::format("Removing {} {} for good, destroyed on {}", service.kind, service.name,
                               iso8601_utc(*service.destroyed_at_ms)));
  return forget(service, context);
}

Result<> ServiceKeeper::sweep_generations(const Service& service, const CallContext& context) {
  DAVIT_TRY_ASSIGN(const auto all, world_.store.services().generations(service.id));
  for (const ServiceGeneration& one : all) {
    if (one.retired_by == kByUpgrade) continue;
    DAVIT_TRY_ASSIGN(const bool over, kept_enough(service, one.number, one.retired_at_ms));
    if (over) DAVIT_TRY(drop(service, one.number, context));
  }
  return {};
}

Result<> ServiceKeeper::sweep(std::string_view held, const CallContext& context) {
  DAVIT_TRY_ASSIGN(auto services, world_.store.services().trash(""));
  DAVIT_TRY_ASSIGN(const auto others, world_.store.services().with_retired_data());
  services.insert(services.end(), others.begin(), others.end());
  for (const Service& seen : services) {
    std::optional<FileLock> lock;
    if (owner_of(seen) != held) {
      auto free = try_lock(seen);
      if (!free && free.error().code == Code::kConflict) continue;
      DAVIT_TRY_ASSIGN(lock, std::move(free));
    }
    const auto service = world_.store.services().get(seen.id);  // as it is now
    if (!service && service.error().code == Code::kNotFound) continue;
    DAVIT_TRY(service);
    if (owner_of(*service) != owner_of(seen)) continue;  // renamed: it has another lock
    DAVIT_TRY(service->destroyed_at_ms ? sweep_trashed(*service, context)
                                       : sweep_generations(*service, context));
  }
  return {};
}

}  // namespace davit
