// What replaces or copies data. Each makes a generation beside the one that serves, looks whether it is
// whole, and then lets the record name it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"
#include "process/files.hpp"
#include "service/keeper.hpp"
#include "service/stream_drain.hpp"
#include "service/stream_feed.hpp"
#include "service/ticking.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

Result<UniqueFd> open_file(const fs::path& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (fd.valid()) return fd;
  return fail(system_error(fmt::format("open {}", path.string()), errno));
}

/// Of a file; 0 for what has none, such as a pipe.
std::uint64_t size_of(int fd) {
  struct stat facts {};
  return ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

}  // namespace

Result<> ServiceKeeper::discard(const Generation& generation, const CallContext& context) {
  DAVIT_TRY(generation.stop(context));
  DAVIT_TRY(release(generation));
  return remove_tree(generation.folder());
}

// At a port of its own, where no app looks.
Result<Generation> ServiceKeeper::build(const Service& service, const std::string& version, const Fill& fill,
                                        const CallContext& context) {
  DAVIT_TRY_ASSIGN(const auto number, world_.store.services().new_generation(service.id));
  DAVIT_TRY_ASSIGN(const auto port, lease(service, number));
  Generation generation(world_, service, number, version, port);
  const auto built = raise_filled(generation, fill, context);
  if (!built) {
    world_.to_the_end();
    if (const auto gone = discard(generation, context); !gone) context.out.warning(gone.error().text());
    return fail(built.error());
  }
  DAVIT_TRY(release(generation));
  return generation;
}

Result<> ServiceKeeper::switch_to(const Service& service, const Generation& next, const std::string& made_by,
                                  std::string_view by, const CallContext& context) {
  DAVIT_TRY(next.sync());
  world_.to_the_end();
  const Generation before = current(service);
  const Generation after(world_, service, next.number(), next.version(), service.port);
  const bool runs = service.state == ServiceState::kRunning;
  DAVIT_TRY(before.stop(context));
  world_.failpoint("switch:stopped");
  DAVIT_TRY(world_.store.services().serve_generation(service.id,
                                                     {after.number(), after.version(), made_by, 0, {}}, by));
  world_.failpoint("switch:recorded");
  if (!runs) return {};
  auto up = after.serve(context);
  if (up) up = after.await_ready(kStartLimitMs, context);
  if (up) return {};
  context.out.warning("The new data cannot be served; going back to those of before");
  DAVIT_TRY(after.stop(context));
  DAVIT_TRY(world_.store.services().serve_generation(
      service.id, {before.number(), before.version(), made_by, 0, {}}, "failure"));
  DAVIT_TRY(before.serve(context));
  DAVIT_TRY(before.await_ready(kStartLimitMs, context));
  return up;
}

Result<> ServiceKeeper::load_from(const Generation& generation, StreamFeed& feed,
                                  const CallContext& context) const {
  ProgramOptions options;
  options.head = feed.head();
  DAVIT_TRY_ASSIGN(const ServiceProgram program,
                   generation.program(ServiceProgramKind::kLoad, options, context));
  DAVIT_TRY_ASSIGN(const int fd, feed.start());
  options.fds = {fd, -1, -1};
  const auto loaded = [&] {
    const Ticking ticking(context, "Loading", [&feed] { return feed.bytes(); });
    return generation.run_well(ServiceProgramKind::kLoad, "Loading the data", options, ticking.context());
  }();
  DAVIT_TRY(feed.finish());
  DAVIT_TRY(loaded);
  if (!feed.ended_with(program.ends_with)) {
    return fail(Code::kFailed, "The data are cut: their end is missing", "Take the dump again", "dump-cut");
  }
  context.out.step(fmt::format("Loaded {} bytes", feed.bytes()));
  return {};
}

Result<> ServiceKeeper::load_file(const Generation& generation, const fs::path& file,
                                  const CallContext& context) const {
  DAVIT_TRY_ASSIGN(const UniqueFd fd, open_file(file, O_RDONLY));
  DAVIT_TRY_ASSIGN(StreamFeed feed, StreamFeed::open(fd.get()));
  return load_from(generation, feed, context);
}

namespace {

bool is_file(int fd) {
  struct stat facts {};
  return ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
}

bool is_disk_full(int fd) {
  constexpr std::uint64_t kTooLittleBytes = std::uint64_t{1} << 20;
  struct statvfs facts {};
  return ::fstatvfs(fd, &facts) == 0 && std::uint64_t{facts.f_bavail} * facts.f_frsize < kTooLittleBytes;
}

// A file is written by the program itself: where both cores are busy with the dump, copying it costs a fifth.
Result<> dump_to(const Generation& generation, int target, std::string_view what,
                 const CallContext& context) {
  if (is_file(target)) {
    ProgramOptions options;
    options.fds = {-1, target, -1};
    const Ticking ticking(context, "Dumping", [target] { return size_of(target); });
    auto dumped = generation.run_well(ServiceProgramKind::kDump, what, options, ticking.context());
    if (!dumped && is_disk_full(target)) return fail(system_error("write the dump", ENOSPC));
    return dumped;
  }
  DAVIT_TRY_ASSIGN(StreamDrain drain, StreamDrain::open(target));
  ProgramOptions options;
  options.fds = {-1, drain.fd(), -1};
  const Ticking ticking(context, "Dumping", [] { return 0; });
  const auto dumped = generation.run_well(ServiceProgramKind::kDump, what, options, ticking.context());
  DAVIT_TRY(drain.finish());  // nearer to the cause than what the program says of its closed pipe
  return dumped;
}

}  // namespace

Result<> ServiceKeeper::dump_into(const Generation& generation, const fs::path& file,
                                  const CallContext& context) const {
  DAVIT_TRY(remove_tree(file));  // others may write into the folder: never into a file of theirs
  DAVIT_TRY_ASSIGN(const UniqueFd fd, open_file(file, O_WRONLY | O_CREAT | O_EXCL));
  DAVIT_TRY(dump_to(generation, fd.get(), "The dump", context));
  if (::fsync(fd.get()) != 0) return fail(system_error("write the dump", errno));
  return {};
}

Result<> ServiceKeeper::export_to(const Service& service, int target, const CallContext& context) {
  DAVIT_TRY(await(service, kStartLimitMs, context));
  return dump_to(current(service), target, "The export", context);
}

Result<> ServiceKeeper::import_from(const Service& service, int source, const CallContext& context) {
  DAVIT_TRY_ASSIGN(StreamFeed feed, StreamFeed::open(source));
  context.out.step("Loading into a new instance; what is in it now goes on answering");
  DAVIT_TRY_ASSIGN(const Generation next,
                   build(
                       service, service.version,
                       [&](const Generation& fresh) { return load_from(fresh, feed, context); }, context));
  context.out.step("Switching to the new data");
  DAVIT_TRY(switch_to(service, next, "import", "import", context));
  context.out.step(fmt::format("What was in it before is kept as g{0}: davit {1}:restore {2} g{0}",
                               service.generation, service.kind, service.name));
  return {};
}

Result<ServiceGeneration> ServiceKeeper::retired(const Service& service, std::uint32_t number) {
  DAVIT_TRY_ASSIGN(const auto known, world_.store.services().generations(service.id));
  const auto found = std::ranges::find(known, number, &ServiceGeneration::number);
  if (found == known.end()) {
    return fail(Code::kNotFound, fmt::format("service {} has no g{}", service.name, number),
                fmt::format("See: davit {}:info {}", service.kind, service.name), "generation-missing");
  }
  if (number == service.generation) {
    return fail(Code::kConflict, fmt::format("g{} is what service {} has now", number, service.name), {},
                "generation-serves");
  }
  return *found;
}

Result<> ServiceKeeper::go_back(const Service& service, std::uint32_t number, const CallContext& context) {
  DAVIT_TRY_ASSIGN(const ServiceGeneration one, retired(service, number));
  return switch_to(service, Generation(world_, service, number, one.version, service.port), one.made_by,
                   "restore", context);
}

// The record first: what it does not name any more is removed by settle() if we die.
Result<> ServiceKeeper::drop(const Service& service, std::uint32_t number, const CallContext& context) {
  DAVIT_TRY_ASSIGN(const ServiceGeneration one, retired(service, number));
  DAVIT_TRY(world_.store.services().forget_generation(service.id, number));
  return discard(Generation(world_, service, number, one.version, 0), context);
}

Result<Service> ServiceKeeper::clone(const Service& source, const CreateRequest& request,
                                     const CallContext& context) {
  DAVIT_TRY(await(source, kStartLimitMs, context));
  CreateRequest like = request;
  like.like = &source;
  return create(like, context, [&](const Generation& fresh) -> Result<> {
    const auto file = dump_of(fresh);
    context.out.step(fmt::format("Dumping {}", source.name));
    DAVIT_TRY(dump_into(current(source), file, context));
    context.out.step("Loading the data");
    DAVIT_TRY(load_file(fresh, file, context));
    return remove_tree(file);
  });
}

// Apps are kept out while it lasts: a row that is written after the dump would be lost.
Result<> ServiceKeeper::upgrade(const Service& service, const WantedServer& wanted,
                                const CallContext& context) {
  if (wanted.image.empty() && wanted.version.empty() && !is_made_here(service.version)) {
    return fail(Code::kInvalid,
                fmt::format("{} runs {}: say to which version", service.name, image_in(service.version)),
                fmt::format("For example: davit {}:upgrade {} -I TAG", service.kind, service.name),
                "version-missing");
  }
  DAVIT_TRY_ASSIGN(const WhatServes serves,
                   choose_server(world_.capabilities, service.kind,
                                 {service.runtime, wanted.image, wanted.version}, service.version, context));
  const Generation before = current(service);
  const auto file = dump_of(before);
  std::string had;
  context.out.step("Stopping it for its apps");
  DAVIT_TRY(before.stop(context));
  const auto taken = [&]() -> Result<> {
    DAVIT_TRY_ASSIGN(const auto port, lease(service, before.number()));
    const Generation aside(world_, service, before.number(), before.version(), port);
    DAVIT_TRY(aside.serve(context));
    DAVIT_TRY(aside.await_ready(kStartLimitMs, context));
    world_.failpoint("upgrade:aside");
    context.out.step("Dumping the data");
    DAVIT_TRY_ASSIGN(had, aside.fingerprint(context));
    DAVIT_TRY(dump_into(aside, file, context));
    DAVIT_TRY(aside.stop(context));
    return release(aside);
  }();
  const auto upgraded = [&]() -> Result<> {
    DAVIT_TRY(taken);
    context.out.step(fmt::format("Loading them into {} {}", service.kind, shown_version(serves.version)));
    DAVIT_TRY_ASSIGN(const Generation next,
                     build(
                         service, serves.version,
                         [&](const Generation& fresh) -> Result<> {
                           DAVIT_TRY(load_file(fresh, file, context));
                           DAVIT_TRY_ASSIGN(const std::string has, fresh.fingerprint(context));
                           if (has == had) return {};
                           return fail(Code::kFailed, "The new instance has not the same data as the old one",
                                       {}, "data-differ");
                         },
                         context));
    return switch_to(service, next, std::string(kByUpgrade), kByUpgrade, context);
  }();
  DAVIT_TRY(remove_tree(file));
  if (!upgraded) {
    context.out.warning("The upgrade failed; going on as before");
    world_.to_the_end();
    DAVIT_TRY(before.stop(context));
    DAVIT_TRY(release(before));
    if (service.state == ServiceState::kRunning) DAVIT_TRY(start(service, context));
    return upgraded;
  }
  context.out.step(
      fmt::format("The data of before are kept as g{0}: davit {1}:restore {2} g{0}, or to remove them "
                  "for good: davit {1}:forget {2} g{0}",
                  service.generation, service.kind, service.name));
  return {};
}

}  // namespace davit
