// Generation: one state of a service's data in a folder of its own, and the server on it. Whatever replaces
// data makes a new one and lets the record name it (keeper.hpp); so what is half done is never what serves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/paths.hpp"
#include "lifecycle/endpoint_probe.hpp"
#include "plugin/capability.hpp"
#include "plugin/plugins_toml.hpp"
#include "process/process_runner.hpp"
#include "service/certificate.hpp"
#include "store/store.hpp"

namespace davit {

/// What services are kept with. All borrowed.
struct ServiceWorld {
  Store& store;
  Capabilities& capabilities;
  EndpointProbe& probe;
  const Clock& clock;
  const Home& home;
  const HostSettings& settings;
  bool owner_is_root = false;          ///< then each kind runs as a uid of its own
  ProcessRunner* processes = nullptr;  ///< makes certificates; nullptr: servers get none
  /// From here on the command is not cancelled any more: it puts things right, or switches servers.
  std::function<void()> to_the_end = [] {};
  /// Called with a word at each place where a death matters. Tests kill the process there.
  std::function<void(std::string_view)> failpoint = [](std::string_view) {};
};

inline constexpr std::string_view kServerType = "server";  ///< process type of the one instance

/// "postgres.db": the owner of a service's groups and tasks. A kind has no dot.
std::string owner_of(const Service& service);
/// services/KIND/ID: everything of one service.
std::filesystem::path service_folder(const Home& home, const Service& service);

struct ProgramOptions {
  StandardFds fds = kNoFds;
  bool tty = false;
  bool filling = false;         ///< kServe: see serve()
  std::string head = {};        ///< kLoad
  std::string* out = nullptr;   ///< collects stdout, at most 64 MiB
  std::string* said = nullptr;  ///< the end of stderr, and of stdout if nobody else has that
};

/// Threads: one.
class Generation {
 public:
  Generation(const ServiceWorld& world, const Service& service, std::uint32_t number, std::string version,
             std::uint16_t port)
      : world_(world), service_(service), number_(number), version_(std::move(version)), port_(port) {}

  /// Makes the folder, and with the kind's program the empty data; meanwhile the certificate, if there is
  /// none.
  Result<> prepare(const CallContext& context) const;
  /// The server runs or is being started; await_ready() says when it answers. Idempotent.
  /// `filling`: it may leave out what makes data outlive a crash. Not for use: stop it, sync(), serve anew.
  Result<> serve(const CallContext& context, bool filling = false) const;
  /// Until a real query succeeds. kTimeout; kFailed if the server keeps ending, with its last words.
  Result<> await_ready(std::int64_t limit_ms, const CallContext& context) const;
  /// One program to its end. Exit code, or kUnavailable "service-program" if the kind has no such program.
  Result<int> run(ServiceProgramKind kind, const ProgramOptions& options, const CallContext& context) const;
  /// As run(); an exit code other than 0 is kFailed with what the program said. `what`: "The dump".
  Result<> run_well(ServiceProgramKind kind, std::string_view what, const ProgramOptions& options,
                    const CallContext& context) const;
  /// As run_well(), but a kind without such a program is fine.
  Result<> run_if_any(ServiceProgramKind kind, std::string_view what, const CallContext& context) const;
  Result<std::string> fingerprint(const CallContext& context) const;
  Result<ServiceProgram> program(ServiceProgramKind kind, const ProgramOptions& options,
                                 const CallContext& context) const;

  /// Cleanly, and waited for; it stays down until serve().
  Result<> pause(const CallContext& context) const;
  /// How often the server ended by itself so far.
  Result<unsigned> exits(const CallContext& context) const;
  /// As stop(), of one that was filled: kFailed if it was killed since it had ended `exits_before` times,
  /// because then some of what it had taken in may be missing.
  Result<> stop_filled(unsigned exits_before, const CallContext& context) const;
  /// All that its programs wrote is on the disk: those that do not see to that themselves. Threads: any.
  Result<> sync() const;
  /// As pause(), and the runtime forgets it. Logs stay.
  Result<> stop(const CallContext& context) const;
  Result<std::vector<Instance>> inspect(const CallContext& context) const;

  [[nodiscard]] std::string revision() const { return "g" + std::to_string(number_); }
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] const Service& service() const { return service_; }
  [[nodiscard]] std::filesystem::path folder() const {
    return service_folder(world_.home, service_) / revision();
  }
  [[nodiscard]] std::filesystem::path data() const { return folder() / "data"; }
  [[nodiscard]] Selector selector() const {
    return {OwnerKind::kService, owner_of(service_), revision(), {}, 0};
  }

 private:
  struct Ready {
    ServiceProgram program;
    ArtifactRef artifact;  ///< none, or the image
    std::vector<Mount> mounts;
    std::string user;
  };
  Result<Ready> make_ready(ServiceProgramKind kind, const ProgramOptions& options,
                           const CallContext& context) const;
  /// The service's, made if there is none. Threads: any.
  [[nodiscard]] Result<Certificate> certificate() const;
  Result<Runtime*> runtime() const { return world_.capabilities.runtime(service_.runtime); }
  Result<int> stop_signal(const CallContext& context) const;
  [[nodiscard]] std::string host_for(ServiceProgramKind kind) const;
  Result<std::string> last_words(std::uint64_t lines, const CallContext& context) const;
  /// kFailed "service-memory" if the server was killed and its memory is limited: most likely for that.
  [[nodiscard]] Result<> check_memory(std::string_view server, int exit_code) const;
  /// After a failure: kUnavailable "disk-full" if that is why, by what was said, the server's log or the
  /// disk.
  Result<> check_disk(std::string_view what, std::string said, const CallContext& context) const;

  const ServiceWorld& world_;
  Service service_;
  std::uint32_t number_;
  std::string version_;
  std::uint16_t port_;
};

}  // namespace davit
