// See tracing_runner.hpp.
#include "process/tracing_runner.hpp"

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/trace.hpp"

namespace davit {
namespace {

class TracingRunner final : public ProcessRunner {
 public:
  TracingRunner(std::unique_ptr<ProcessRunner> runner, const CallContext& context)
      : runner_(std::move(runner)), context_(context) {}

  Result<Exit> run(const Command& command) override {
    trace(context_, fmt::format("runs {}", traced_argv(command.argv)));
    const MonoMs began = clock_.now_mono_ms();
    auto exit = runner_->run(command);
    trace(context_, fmt::format("{}: {} after {} ms", command.argv.front(),
                                exit ? exit->text() : exit.error().text(), clock_.now_mono_ms() - began));
    return exit;
  }

  Result<std::unique_ptr<Child>> start(const Command& command) override {
    trace(context_, fmt::format("starts {}", traced_argv(command.argv)));
    return runner_->start(command);
  }

 private:
  std::unique_ptr<ProcessRunner> runner_;
  const CallContext& context_;
  SystemClock clock_;
};

}  // namespace

std::unique_ptr<ProcessRunner> traced(std::unique_ptr<ProcessRunner> runner, const CallContext& context) {
  if (!context.trace) return runner;
  return std::make_unique<TracingRunner>(std::move(runner), context);
}

}  // namespace davit
