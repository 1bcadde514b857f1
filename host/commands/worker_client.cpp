// Runs davit-worker for one operation.
#include "commands/worker_client.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.hpp"
#include "base/trace.hpp"
#include "commands/worker_environment.hpp"
#include "guard/run_worker.hpp"

namespace davit {
namespace {

namespace protocol = worker_protocol;

Result<std::string> read_all(int fd) {
  std::string bytes;
  char buffer[65536];
  if (lseek(fd, 0, SEEK_SET) < 0) return fail(system_error("read the worker's answer", errno));
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error("read the worker's answer", errno));
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
}

class GuardedWorkerClient final : public WorkerClient {
 public:
  explicit GuardedWorkerClient(WorkerParts parts) : parts_(std::move(parts)) {}

  Result<Outcome> run(const std::vector<std::string>& operation, bool capture,
                      const CallContext& context) override {
    WorkerSpec spec;
    spec.argv = {parts_.installation.worker().string()};
    spec.argv.insert(spec.argv.end(), operation.begin(), operation.end());
    spec.env = worker_environment(parts_, context);
    trace(context, "asks a worker: " + traced_argv(operation));
    UniqueFd answer;
    if (capture) {
      answer = UniqueFd(memfd_create("davit-answer", MFD_CLOEXEC));
      if (answer.get() < 0) return fail(system_error("make room for the worker's answer", errno));
      spec.out = answer.get();
    }
    DAVIT_TRY_ASSIGN(const WorkerResult result, run_worker(spec));
    if (result.end == WorkerEnd::kCancelled) return Outcome{result.shell_code(), {}};
    if (result.end != WorkerEnd::kFinished) {
      return fail(Code::kInternal, result.message, result.hint, std::string(kSlugPluginFault));
    }
    Outcome outcome{result.exit_code, {}};
    if (capture) {
      DAVIT_TRY_ASSIGN(outcome.out, read_all(answer.get()));
    }
    return outcome;
  }

 private:
  WorkerParts parts_;
};

}  // namespace

std::vector<std::string> worker_environment(const WorkerParts& parts, const CallContext& context) {
  std::vector<std::string> env = {
      fmt::format("{}={}", protocol::kHome, parts.home.root.string()),
      fmt::format("{}={}", protocol::kPluginsToml, parts.home.plugins_toml.string()),
      fmt::format("{}={}", protocol::kActor, context.actor),
      fmt::format("{}={}", protocol::kFlags, protocol::flags_of(context)),
      fmt::format("{}={}", protocol::kDisable, join(parts.disabled_plugins, ","))};
  if (parts.safe_mode) env.push_back(fmt::format("{}=1", protocol::kSafeMode));
  for (const char* name : {"PATH", "LANG", "TZ", "TERM", "HOME", protocol::kFailpoint}) {
    if (const char* value = std::getenv(name); value != nullptr)
      env.push_back(fmt::format("{}={}", name, value));
  }
  return env;
}

std::unique_ptr<WorkerClient> make_worker_client(WorkerParts parts) {
  return std::make_unique<GuardedWorkerClient>(std::move(parts));
}

}  // namespace davit
