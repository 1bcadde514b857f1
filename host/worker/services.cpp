// What is done to data services; see service/keeper.hpp. Arguments: VERB KIND NAME [MORE...].
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "service/keeper.hpp"
#include "worker/operations.hpp"
#include "worker/reader.hpp"
#include "worker/service_relays.hpp"
#include "worker/terminal.hpp"

namespace davit {
namespace {

constexpr std::int64_t kConnectLimitMs = 30'000;
constexpr std::uint64_t kDefaultLogLines = 100;

struct Request {
  Workshop& shop;
  ServiceKeeper& keeper;
  const std::string &verb, &kind, &name;
  Words more;

  [[nodiscard]] Result<Service> service() const { return keeper.world().store.services().get(kind, name); }
  [[nodiscard]] std::string value(std::string_view flag) const {
    for (std::size_t i = 0; i + 1 < more.size(); ++i) {
      if (more[i] == flag) return more[i + 1];
    }
    return {};
  }
  [[nodiscard]] WantedServer server() const {
    return {value("--runtime"), value("--image"), value("--image-version")};
  }
  [[nodiscard]] bool has(std::string_view flag) const { return std::ranges::find(more, flag) != more.end(); }
  [[nodiscard]] CallContext& context() const { return shop.context(); }
};

Result<> create(const Request& request) {
  request.shop.out().step(fmt::format("Creating the {} service {}", request.kind, request.name));
  DAVIT_TRY_ASSIGN(const Service made,
                   request.keeper.create({request.kind, request.name, request.server()}, request.context()));
  request.shop.out().header(fmt::format("{} service created: {}", request.kind, made.name));
  return {};
}

Result<> clone(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service source, request.service());
  const std::string& name = request.more.front();
  DAVIT_TRY_ASSIGN(const FileLock lock, request.keeper.lock(request.kind, name, "clone", request.context()));
  request.shop.out().step(fmt::format("Cloning {} to {}", source.name, name));
  WantedServer server = request.server();
  if (server.runtime.empty()) server.runtime = source.runtime;
  DAVIT_TRY(request.keeper.clone(source, {request.kind, name, server}, request.context()));
  request.shop.out().header(fmt::format("{} service created: {}", request.kind, name));
  return {};
}

Result<> start(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  request.shop.out().step(fmt::format("Starting {}", service.name));
  return request.keeper.start(service, request.context());
}
Result<> stop(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  request.shop.out().step(fmt::format("Stopping {}", service.name));
  return request.keeper.stop(service, request.context());
}
Result<> pause(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  request.shop.out().step(fmt::format("Pausing {}", service.name));
  return request.keeper.pause(service, request.context());
}
Result<> restart(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  request.shop.out().step(fmt::format("Restarting {}", service.name));
  return request.keeper.restart(service, request.context());
}

Result<> destroy(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  request.shop.out().step(fmt::format("Destroying {}", service.name));
  DAVIT_TRY(request.keeper.destroy(service, request.context()));
  if (service.exposed_port != 0) DAVIT_TRY(close_port(request.shop, service));
  DAVIT_TRY(close_socket(request.shop, service));
  request.shop.out().step(
      fmt::format("Its data are in the trash: davit {}:restore {}", request.kind, service.name));
  return request.keeper.sweep(owner_of(service), request.context());
}

// A port that is open to the world stays so, through a relay of the new name.
Result<> rename(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  const std::string& name = request.more.front();
  DAVIT_TRY_ASSIGN(const FileLock lock, request.keeper.lock(request.kind, name, "rename", request.context()));
  request.shop.out().step(fmt::format("Renaming {} to {}", service.name, name));
  if (service.exposed_port != 0) DAVIT_TRY(close_port(request.shop, service));
  const auto renamed = request.keeper.rename(service, name, request.context());
  if (service.exposed_port != 0) {
    DAVIT_TRY_ASSIGN(const Service now, request.keeper.world().store.services().get(service.id));
    DAVIT_TRY(open_port(request.shop, now, service.exposed_port));
  }
  return renamed;
}

Result<> import_data(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  DAVIT_TRY(request.keeper.import_from(service, 0, request.context()));
  return request.keeper.sweep(owner_of(service), request.context());
}

Result<> export_data(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  return request.keeper.export_to(service, 1, request.context());
}

Result<> upgrade(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  return request.keeper.upgrade(service, request.server(), request.context());
}

std::filesystem::path backup_folder(const Request& request, const Service& service) {
  const bool given = !request.more.empty() && !request.more.front().starts_with("--");
  return given ? std::filesystem::path(request.more.front()) : request.keeper.backup_folder(service);
}

Result<> backup(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  request.shop.out().step(fmt::format("Backing up {}", service.name));
  DAVIT_TRY_ASSIGN(const auto file,
                   request.keeper.backup(service, backup_folder(request, service), request.context()));
  const std::string line = file.string() + "\n";  // alone on stdout, for programs
  if (write(1, line.data(), line.size()) < 0) return fail(system_error("write the backup's path", errno));
  return {};
}

Result<> verify_backup(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  std::filesystem::path file = request.more.empty() ? "" : request.more.front();
  std::error_code ignored;
  if (file.empty() || std::filesystem::is_directory(file, ignored)) {
    DAVIT_TRY_ASSIGN(file, request.keeper.newest_backup(service, file));
  }
  request.shop.out().step(fmt::format("Loading {} into an instance that is thrown away", file.string()));
  return request.keeper.verify_backup(service, file, request.context());
}

Result<> expose(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  if (service.exposed_port != 0) {
    return fail(Code::kConflict,
                fmt::format("Service {} already exposed on port {}", service.name, service.exposed_port),
                fmt::format("Take it back first: davit {}:unexpose {}", service.kind, service.name),
                "exposed");
  }
  std::uint16_t port = 0;
  const std::string& word = request.more.front();
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
  if (error != std::errc{} || end != word.data() + word.size() || port < 1024)
    return fail(Code::kInvalid, fmt::format("{} is not a port", word), "Ports are 1024 to 65535");
  DAVIT_TRY(open_port(request.shop, service, port));
  request.shop.out().step(fmt::format("Service {} exposed on port(s) [container->host]: [{}->0.0.0.0:{}]",
                                      service.name, service.port, port));
  return {};
}

Result<> unexpose(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  if (service.exposed_port == 0) {
    return fail(Code::kConflict, fmt::format("Service {} is not exposed", service.name), {}, "not-exposed");
  }
  DAVIT_TRY(close_port(request.shop, service));
  request.shop.out().step(fmt::format("Service {} unexposed", service.name));
  return {};
}

/// "g3" of the words: back to that generation. 0: none is given.
Result<std::uint32_t> generation_in(Words words) {
  if (words.empty() || words.front().starts_with("--")) return 0;
  const std::string& word = words.front();
  if (word.starts_with('g')) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(word.data() + 1, word.data() + word.size(), number);
    if (error == std::errc{} && end == word.data() + word.size() && number != 0) return number;
  }
  return fail(Code::kInvalid, fmt::format("{} is no generation", json_quote(word)),
              "Write for example g1; info lists them");
}

Result<> restore(const Request& request) {
  DAVIT_TRY_ASSIGN(const std::uint32_t number, generation_in(request.more));
  if (number != 0) {
    DAVIT_TRY_ASSIGN(const Service service, request.service());
    request.shop.out().step(fmt::format("Going back to g{} of {}", number, service.name));
    return request.keeper.go_back(service, number, request.context());
  }
  const std::string as = request.value("--as");
  DAVIT_TRY_ASSIGN(const auto trash, request.keeper.world().store.services().trash(request.kind));
  for (const Service& service : trash) {
    if (service.name != request.name) continue;
    request.shop.out().step(
        fmt::format("Restoring {}, destroyed on {}", service.name, iso8601_utc(*service.destroyed_at_ms)));
    DAVIT_TRY(request.keeper.restore(service, as.empty() ? service.name : as, request.context()));
    return {};
  }
  return fail(Code::kNotFound, fmt::format("There is no service {} in the trash", request.name),
              fmt::format("See: davit {}:list --trash", request.kind), "service-not-found");
}

Result<> forget(const Request& request) {
  DAVIT_TRY_ASSIGN(const std::uint32_t number, generation_in(request.more));
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  request.shop.out().step(fmt::format("Removing g{} of {} for good", number, service.name));
  return request.keeper.drop(service, number, request.context());
}

/// The lock has put it right.
Result<> settle(const Request& /*request*/) {
  return {};
}

struct Verb {
  std::string_view name;
  Result<> (*run)(const Request& request);
  bool locked = true;
};
constexpr Verb kVerbs[] = {{"create", create},     {"clone", clone, false}, {"start", start},
                           {"stop", stop},         {"pause", pause},        {"restart", restart},
                           {"destroy", destroy},   {"import", import_data}, {"export", export_data, false},
                           {"restore", restore},   {"upgrade", upgrade},    {"expose", expose},
                           {"unexpose", unexpose}, {"backup", backup},      {"backup-verify", verify_backup},
                           {"rename", rename},     {"forget", forget},      {"settle", settle}};

Result<int> connect(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  DAVIT_TRY(request.keeper.await(service, kConnectLimitMs, request.context()));
  const Generation generation = request.keeper.current(service);
  request.shop.out().flush();
  return with_terminal(true, [&](const StandardFds& fds, bool tty) {
    return generation.run(ServiceProgramKind::kConnect, {.fds = fds, .tty = tty}, request.context());
  });
}

Result<int> enter(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  DAVIT_TRY_ASSIGN(const auto instances, request.keeper.current(service).inspect(request.context()));
  if (instances.empty()) {
    return fail(Code::kConflict, fmt::format("service {} is not running", service.name),
                fmt::format("Start it: davit {}:start {}", request.kind, service.name), "service-stopped");
  }
  ExecRequest exec;
  exec.instance = instances.front().id;
  exec.argv.assign(request.more.begin(), request.more.end());
  if (exec.argv.empty()) exec.argv = {"/bin/bash"};
  if (const char* term = std::getenv("TERM"); term != nullptr) exec.env.emplace("TERM", term);
  DAVIT_TRY_ASSIGN(Runtime * runtime, request.keeper.world().capabilities.runtime(service.runtime));
  request.shop.out().flush();
  return with_terminal(true, [&](const StandardFds& fds, bool tty) {
    exec.fds = fds;
    exec.tty = tty;
    return runtime->exec(exec, request.context());
  });
}

/// Its "name" is the runtime, or "".
Result<int> build_image(const Request& request) {
  DAVIT_TRY_ASSIGN(const std::string image,
                   make_service_image(request.keeper.world().capabilities, request.kind, request.name, true,
                                      request.context()));
  request.shop.out().result(image + "\n");
  return 0;
}

std::string_view state_of(const Service& service, const std::vector<Instance>& instances) {
  if (instances.empty() || instances.front().state == InstanceState::kExited)
    return service.state == ServiceState::kRunning ? "missing" : name_of(service.state);
  return name_of(instances.front().state);
}

Result<int> inspect(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  DAVIT_TRY_ASSIGN(const auto instances, request.keeper.current(service).inspect(request.context()));
  DAVIT_TRY_ASSIGN(ServiceKind * kind, request.keeper.world().capabilities.service_kind(request.kind));
  DAVIT_TRY_ASSIGN(const TextMap facts, kind->describe(request.context()));
  const auto tls = facts.find("tls");
  const nlohmann::json row{{"state", state_of(service, instances)},
                           {"pid", instances.empty() ? 0 : instances.front().pid},
                           {"container_id", instances.empty() ? "" : instances.front().container},
                           {"ssl", tls != facts.end() && tls->second == "yes"}};
  request.shop.out().result(row.dump() + "\n");
  return 0;
}

Result<int> logs(const Request& request) {
  DAVIT_TRY_ASSIGN(const Service service, request.service());
  LogQuery query{request.has("--tail"), kDefaultLogLines, 0};
  if (const std::string lines = request.value("--num"); !lines.empty()) {
    const auto [end, error] = std::from_chars(lines.data(), lines.data() + lines.size(), query.lines);
    if (error != std::errc{} || end != lines.data() + lines.size())
      return fail(Code::kInvalid, fmt::format("{} is no number of lines", json_quote(lines)),
                  "Write for example -n 100");
  }
  DAVIT_TRY_ASSIGN(Runtime * runtime, request.keeper.world().capabilities.runtime(service.runtime));
  if (query.follow) end_with_reader(request.shop);
  DAVIT_TRY(runtime->logs(
      {OwnerKind::kService, owner_of(service), {}, {}, 0}, query,
      [&](const LogLine& line) {
        request.shop.out().result(
            fmt::format("{} {}: {}\n", iso8601_utc(line.unix_ms), line.revision, line.text));
        if (query.follow) request.shop.out().flush();
      },
      request.context()));
  return 0;
}

}  // namespace

Result<int> serve_service(Workshop& shop, Words words) {
  if (words.size() < 3) return fail(Code::kInternal, "service takes a verb, a kind and a name");
  DAVIT_TRY_ASSIGN(ServiceWorld world, shop.services());
  ServiceKeeper keeper(std::move(world));
  const Request request{shop, keeper, words[0], words[1], words[2], words.subspan(3)};
  if (request.verb == "image-build") return build_image(request);
  if (request.verb == "connect") return connect(request);
  if (request.verb == "enter") return enter(request);
  const auto* verb = std::ranges::find(kVerbs, request.verb, &Verb::name);
  if (verb == std::end(kVerbs))
    return fail(Code::kInternal, fmt::format("There is no verb {}", request.verb));
  std::optional<FileLock> lock;
  if (verb->locked) {
    DAVIT_TRY_ASSIGN(lock, keeper.lock(request.kind, request.name, request.verb, shop.context()));
  }
  DAVIT_TRY(verb->run(request));
  return 0;
}

Result<int> read_service(Workshop& shop, Words words) {
  if (words.size() < 3) return fail(Code::kInternal, "service-read takes a verb, a kind and a name");
  DAVIT_TRY_ASSIGN(ServiceWorld world, shop.services());
  ServiceKeeper keeper(std::move(world));
  const Request request{shop, keeper, words[0], words[1], words[2], words.subspan(3)};
  return request.verb == "inspect" ? inspect(request) : logs(request);
}

}  // namespace davit
