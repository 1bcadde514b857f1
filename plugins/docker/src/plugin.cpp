// docker: davit.runtime/1 on the Docker Engine's HTTP API. This file only joins the parts; read
// instances.hpp, tasks.hpp and images.hpp.
#include <davit/runtime_images.h>
#include <davit/plugin.hpp>

#include <memory>
#include <string>

#include "commands.hpp"
#include "instances.hpp"
#include "logs.hpp"
#include "network_commands.hpp"
#include "registry_commands.hpp"
#include "report.hpp"
#include "tasks.hpp"

namespace davit::docker_plugin {
namespace {

/// What lives from start to stop. Nothing of it speaks to the engine before it is asked to.
struct Parts {
  Parts(const sdk::Host& host, const sdk::Call& call)
      : config(read_config(host, call)),
        engine(config.socket),
        base{host, config, engine},
        records(config),
        saved(base),
        stacks(base),
        images(base, stacks),
        networks(base),
        instances(base, images, networks, records, saved),
        tasks(base, images, networks, records),
        logs(base, saved) {}

  Config config;
  Engine engine;
  Base base;
  Records records;
  SavedLogs saved;
  Stacks stacks;
  Images images;
  Networks networks;
  Instances instances;
  Tasks tasks;
  Logs logs;
};

class DockerRuntime : public sdk::Plugin,
                      public sdk::Runtime,
                      public sdk::Commands,
                      public sdk::Doctor,
                      public sdk::Hooks {
 public:
  void on_start(const sdk::Call& call) override { parts_ = std::make_unique<Parts>(host(), call); }
  void on_stop(const sdk::Call& call) override {
    (void)call;
    parts_.reset();
  }

  const void* find_interface(std::string_view id) noexcept override {
    static constexpr davit_runtime_images kImages{sizeof(davit_runtime_images), 0};
    return id == DAVIT_RUNTIME_IMAGES_ID ? &kImages : nullptr;
  }

  void apply(const sdk::Call& call, const sdk::Group& group) override {
    parts_->instances.apply(call, group);
  }
  std::vector<sdk::Instance> inspect(const sdk::Call& call, const sdk::Selector& selector) override {
    return parts_->instances.inspect(call, selector);
  }
  void wait_change(const sdk::Call& call, const sdk::Selector& selector, uint64_t timeout_ms) override {
    parts_->instances.wait_change(call, selector, timeout_ms);
  }
  void stop(const sdk::Call& call, const sdk::Selector& selector) override {
    parts_->instances.stop(call, selector);
  }
  void start(const sdk::Call& call, const sdk::Selector& selector) override {
    parts_->instances.start(call, selector);
  }
  void remove(const sdk::Call& call, const sdk::Selector& selector, bool forget_logs) override {
    parts_->instances.remove(call, selector, forget_logs);
  }
  void logs(const sdk::Call& call, const sdk::Selector& selector, const sdk::LogQuery& query,
            const sdk::LogOutput& out) override {
    parts_->logs.read(call, selector, query, out);
  }
  int32_t exec(const sdk::Call& call, const sdk::Exec& what) override {
    return parts_->tasks.exec(call, what);
  }
  int32_t run_task(const sdk::Call& call, const sdk::Task& task) override {
    return parts_->tasks.run_task(call, task);
  }
  sdk::Strings list_owned(const sdk::Call& call) override {
    parts_->tasks.sweep(call);
    return parts_->instances.list_owned(call);
  }
  sdk::Pairs describe(const sdk::Call& call) override { return describe_engine(call, parts_->base); }
  void make_stack(const sdk::Call& call, const std::string& name, const sdk::Strings& packages,
                  bool anew) override {
    if (anew || !parts_->stacks.is_there(call, name)) (void)parts_->stacks.build(call, name, "", packages);
  }
  std::string build_stack(const sdk::Call&, const std::string& app) override {
    return parts_->images.built_on(app);
  }

  int32_t run_command(const sdk::Call& call, const sdk::Command& command) override {
    if (NetworkCommands::is_one(command.name)) return NetworkCommands(parts_->base, call).run(command);
    if (RegistryCommands::is_one(command.name)) return RegistryCommands(parts_->base, call).run(command);
    return DockerCommands(parts_->base, parts_->stacks, call).run(command);
  }
  void examine(const sdk::Call& call, const sdk::Findings& findings) override {
    examine_engine(call, findings, parts_->base, parts_->stacks);
  }

  void on_event(const sdk::Call& call, const sdk::Event& event) override {
    if (event.which() == sdk::EventId::kProcessCheck) {
      const sdk::ProcessEvent process = event.process();
      const InstanceName group{std::string(process.app), std::string(process.revision),
                               std::string(process.process_type)};
      return parts_->instances.expose(call, group);
    }
    if (event.which() != sdk::EventId::kSystemCollect) return;
    try {
      parts_->images.collect(call, event.collect());
    } catch (const EngineFailure& failure) {
      call.warning(failure.message() + ": images were left alone");
    }
  }

  // system.start: what system:stop stopped, and what a davit that was killed has left. After a restart of the
  // engine, instances are the engine's to bring back. An engine that is down is the doctor's to tell: a home
  // may have apps on another runtime.
  void apply_step(const sdk::Call& call, const sdk::Event& event, std::string_view token) override {
    (void)token;
    if (event.which() != sdk::EventId::kSystemStart) return;
    try {
      parts_->tasks.sweep(call);
      parts_->images.sweep(call);
      parts_->instances.resume_all(call);
    } catch (const EngineFailure& failure) {
      call.warning(failure.message() + ": apps on docker do not run");
    }
  }

  // system:stop
  void undo_step(const sdk::Call& call, const sdk::Event& event, std::string_view token) override {
    (void)token;
    if (event.which() != sdk::EventId::kSystemStart) return;
    try {
      parts_->tasks.sweep(call);
      parts_->instances.halt_all(call);
    } catch (const EngineFailure& failure) {
      call.warning(failure.message() + ": what runs on docker was not stopped");
    }
  }

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace
}  // namespace davit::docker_plugin

using davit::docker_plugin::DockerRuntime;
DAVIT_PLUGIN(DockerRuntime, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
