// Capabilities: what plugins provide, as the rest of the host sees it. Abstract classes and plain values; the
// adapters that speak the C ABI are in plugin/adapters, and tests have fakes. The contracts are those of
// sdk/include/davit/{builder,runtime,proxy,commands}.h, in C++ terms. Threads: one call at a time an object.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/call_context.hpp"
#include "base/model.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace davit {

struct BuildInput {
  std::string app, source_dir, cache_dir, work_dir;  ///< absolute paths
  std::string revision;                              ///< 40 hex digits, or empty
  UnixMs source_unix_ms = 0;
  std::string stack, request_id;
  TextMap env;  ///< secret
};
struct BuildOutput {
  ArtifactRef artifact;  ///< a slug: a file in work_dir, to be stored by the host
  std::vector<std::pair<std::string, std::string>> process_types;  ///< type, command; Procfile order
  std::vector<std::string> launcher;  ///< stands before the argv of every process
  TextMap config_defaults;
  std::string description;
};
struct Detection {
  int score = 0;
  std::string why;
};

class Builder {
 public:
  virtual ~Builder() = default;
  [[nodiscard]] virtual std::string_view id() const = 0;  ///< the plugin's
  virtual Result<Detection> detect(const BuildInput& input, const CallContext& context) = 0;
  virtual Result<BuildOutput> build(const BuildInput& input, const CallContext& context) = 0;
};

enum class OwnerKind : std::uint32_t { kApp = 1, kService = 2 };
enum class Restart : std::uint32_t { kAlways = 0, kOnFailure = 1, kNever = 2 };

/// fd -1: none (0: /dev/null; 1, 2: the sinks).
using StandardFds = std::array<int, 3>;
inline constexpr StandardFds kNoFds{-1, -1, -1};
using ByteSink = std::function<void(std::string_view)>;

struct Group {
  OwnerKind owner_kind = OwnerKind::kApp;
  std::string owner, revision, process_type;
  unsigned count = 0;
  bool listens = false, keep = false;  ///< keep: what runs stays as it is (DAVIT_GROUP_KEEP)
  ArtifactRef artifact;
  std::vector<std::string> argv;
  TextMap env;
  std::vector<Mount> mounts;
  Limits limits;
  std::string user;
  Restart restart = Restart::kAlways;
  unsigned max_retries = 0;
  int stop_signal = 0;  ///< 0: SIGTERM
  std::uint64_t stop_timeout_ms = 30'000;
  std::uint32_t port = 0;  ///< leased by the host for the only instance; 0: the runtime leases
};
struct Selector {
  OwnerKind owner_kind = OwnerKind::kApp;
  std::string owner;  ///< never empty
  std::string revision = {}, process_type = {};
  unsigned number = 0;  ///< 0: all
};

enum class InstanceState : std::uint32_t { kStarting = 1, kUp = 2, kBackoff = 3, kExited = 4, kStopping = 5 };
std::string_view name_of(InstanceState state);  ///< "starting", "running", "crashed", "exited", "stopping"
/// On all ports, as its runtime sees it. Unknown: whoever asks has to connect.
enum class Listening : std::uint32_t { kUnknown = 0, kYes = 1, kNo = 2 };
struct Instance {
  std::string id, revision, process_type;
  unsigned number = 0;
  InstanceState state = InstanceState::kStarting;
  unsigned exits = 0;
  UnixMs since_unix_ms = 0;
  int exit_code = -1, pid = 0;
  std::vector<Endpoint> endpoints;
  std::string container{};  ///< its id, where the runtime has containers
  Listening listening = Listening::kUnknown;
};

struct LogLine {
  UnixMs unix_ms = 0;
  std::string revision, process_type;
  unsigned number = 0;
  std::string text;
};
struct LogQuery {
  bool follow = false;
  std::uint64_t lines = 0;
  UnixMs since_unix_ms = 0;
};
struct ExecRequest {
  std::string instance;
  std::vector<std::string> argv;
  TextMap env;
  bool tty = false;
  StandardFds fds = kNoFds;
  std::uint64_t timeout_ms = 0;
  ByteSink out, err;
};
struct TaskRequest {
  OwnerKind owner_kind = OwnerKind::kApp;
  std::string owner, name;
  ArtifactRef artifact;
  std::vector<std::string> argv;
  TextMap env;
  std::string cwd;
  std::vector<Mount> mounts;
  Limits limits;
  std::string user;
  bool no_network = false, tty = false, read_only_app = false;
  std::uint64_t stop_timeout_ms = 10'000;
  StandardFds fds = kNoFds;
  ByteSink out, err;
};

class Runtime {
 public:
  virtual ~Runtime() = default;
  [[nodiscard]] virtual std::string_view id() const = 0;
  virtual Result<> apply(const Group& group, const CallContext& context) = 0;
  virtual Result<std::vector<Instance>> inspect(const Selector& selector, const CallContext& context) = 0;
  virtual Result<> wait_change(const Selector& selector, std::uint64_t timeout_ms,
                               const CallContext& context) = 0;
  virtual Result<> stop(const Selector& selector, const CallContext& context) = 0;
  virtual Result<> start(const Selector& selector, const CallContext& context) = 0;
  virtual Result<> remove(const Selector& selector, bool forget_logs, const CallContext& context) = 0;
  virtual Result<> logs(const Selector& selector, const LogQuery& query,
                        const std::function<void(const LogLine&)>& sink, const CallContext& context) = 0;
  virtual Result<int> exec(const ExecRequest& request, const CallContext& context) = 0;      ///< exit code
  virtual Result<int> run_task(const TaskRequest& request, const CallContext& context) = 0;  ///< exit code
  virtual Result<std::vector<std::string>> list_owned(const CallContext& context) = 0;
  virtual Result<TextMap> describe(const CallContext& context) = 0;
  [[nodiscard]] virtual bool runs_images() const { return false; }  ///< davit.runtime.images/1
  /// A stack from Debian packages; made again only with `anew`. kUnavailable "unsupported".
  virtual Result<> make_stack(const std::string& name, const std::vector<std::string>& packages, bool anew,
                              const CallContext& context);
  /// What the app's last build ran on, for its release's ArtifactRef::stack. "": the runtime tells nothing.
  virtual Result<std::string> build_stack(const std::string& app, const CallContext& context);
};

struct Route {
  std::string app, revision;
  std::vector<std::string> hosts;
  std::vector<Endpoint> endpoints;
  bool maintenance = false;
  std::string replaces{};  ///< the app whose routes go away with this one, hosts included: a rename
};

class Proxy {
 public:
  virtual ~Proxy() = default;
  [[nodiscard]] virtual std::string_view id() const = 0;
  virtual Result<> ensure(const CallContext& context) = 0;
  virtual Result<std::string> prepare(const Route& route, const CallContext& context) = 0;  ///< the token
  virtual Result<> apply(const Route& route, std::string_view token, const CallContext& context) = 0;
  virtual Result<> undo(std::string_view app, std::string_view token, const CallContext& context) = 0;
  virtual Result<> drain(const Route& route, std::uint64_t timeout_ms, const CallContext& context) = 0;
  virtual Result<> remove(std::string_view app, const CallContext& context) = 0;
  virtual Result<std::vector<std::string>> list_owned(const CallContext& context) = 0;
  virtual Result<TextMap> describe(const CallContext& context) = 0;
};

struct Finding {
  enum class Level : std::uint32_t { kOk = 0, kWarning = 1, kProblem = 2 };
  Level level = Level::kOk;
  std::string what, hint;
};

class Doctor {
 public:
  virtual ~Doctor() = default;
  [[nodiscard]] virtual std::string_view id() const = 0;
  virtual Result<std::vector<Finding>> examine(const CallContext& context) = 0;
};

/// Which program of a kind of service; the values are the ABI's.
enum class ServiceProgramKind : std::uint32_t {
  kPrepare = 1,
  kServe,
  kProbe,
  kSetup,
  kDump,
  kLoad,
  kConnect,
  kFingerprint,
};

/// The service that a program is for; paths are as the program will see them.
struct ServiceFacts {
  std::string name, version, data, files, host, username, database;
  Secret password;
  std::string head;     ///< kLoad: how the stream begins
  std::string image{};  ///< empty: on the machine
  std::string certificate{};
  Secret private_key{};
  std::uint16_t port = 0;
  bool tty = false, filling = false;  ///< filling: kServe, of a server that is not used as it is
};
struct ServiceProgram {
  std::vector<std::string> argv;
  TextMap env;    ///< may hold secrets
  TextMap files;  ///< plain name -> bytes; secrets
  std::string input;
  std::string ends_with;  ///< kLoad: within the last 4 KiB of a whole stream
};

/// A kind of service, as davit.service/1 has it; its name is the plugin's id.
class ServiceKind {
 public:
  virtual ~ServiceKind() = default;
  [[nodiscard]] virtual std::string_view id() const = 0;
  virtual Result<TextMap> describe(const CallContext& context) = 0;
  /// Without argv: the kind has no such program, and it may be left out.
  virtual Result<ServiceProgram> program(ServiceProgramKind kind, const ServiceFacts& facts,
                                         const CallContext& context) = 0;
};

struct PluginCommandCall {
  std::string name;
  std::vector<std::string> args;
  TextMap flags;
  StandardFds fds{0, 1, 2};
};

/// Finds capabilities; a plugin is loaded when one of its capabilities is first asked for. Pointers are
/// borrowed and live as long as the plugins do (until the process ends).
class Capabilities {
 public:
  virtual ~Capabilities() = default;
  /// Every enabled builder, in the operator's order.
  virtual Result<std::vector<Builder*>> builders() = 0;
  virtual Result<Builder*> builder(std::string_view id) = 0;
  /// By plugin id; an empty id is the host's default runtime. The error names what is enabled.
  virtual Result<Runtime*> runtime(std::string_view id) = 0;
  /// nullptr: no proxy is enabled, and instances are reached directly.
  virtual Result<Proxy*> proxy() = 0;
  virtual Result<std::vector<Doctor*>> doctors() = 0;
  /// By plugin id.
  virtual Result<ServiceKind*> service_kind(std::string_view id) = 0;
  virtual Result<int> run_command(const PluginCommandCall& command,
                                  const CallContext& context) = 0;  ///< exit code
};

}  // namespace davit
