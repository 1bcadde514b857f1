// Adapters: the host's abstract classes (capability.hpp) on a plugin's C tables. Private to host/plugin.
#pragma once

#include <davit/builder.h>
#include <davit/commands.h>
#include <davit/proxy.h>
#include <davit/runtime.h>
#include <davit/runtime_images.h>
#include <davit/service.h>

#include <optional>

#include "plugin/abi_values.hpp"
#include "plugin/capability.hpp"
#include "plugin/plugin_instance.hpp"

namespace davit {

/// What the adapters share: start the plugin at the first call, look the table up once.
template <typename Table>
class PluginTable {
 public:
  PluginTable(PluginInstance& instance, std::string_view interface_id, std::size_t minimum_bytes)
      : instance_(instance), interface_id_(interface_id), minimum_bytes_(minimum_bytes) {}

  [[nodiscard]] PluginInstance& instance() const { return instance_; }

  /// `select` picks the function; a NULL one is kUnavailable "unsupported". The body gets (table, plugin,
  /// call).
  template <typename Body>
  Result<> call(std::string_view what, std::int64_t limit_ms, const CallContext& context, Body&& body) {
    DAVIT_TRY(instance_.start(context));
    if (table_ == nullptr) {
      DAVIT_TRY_ASSIGN(const void* found, instance_.table(interface_id_, minimum_bytes_));
      table_ = static_cast<const Table*>(found);
    }
    return instance_.call(what, limit_ms, context, [&](davit_plugin* plugin, const davit_call* call) {
      return body(*table_, plugin, call);
    });
  }

 private:
  PluginInstance& instance_;
  std::string_view interface_id_;
  std::size_t minimum_bytes_;
  const Table* table_ = nullptr;
};

class BuilderAdapter final : public Builder {
 public:
  explicit BuilderAdapter(PluginInstance& instance);
  [[nodiscard]] std::string_view id() const override { return table_.instance().id(); }
  Result<Detection> detect(const BuildInput& input, const CallContext& context) override;
  Result<BuildOutput> build(const BuildInput& input, const CallContext& context) override;

 private:
  PluginTable<davit_builder> table_;
};

class RuntimeAdapter final : public Runtime {
 public:
  RuntimeAdapter(PluginInstance& instance);
  [[nodiscard]] std::string_view id() const override { return table_.instance().id(); }
  Result<> apply(const Group& group, const CallContext& context) override;
  Result<std::vector<Instance>> inspect(const Selector& selector, const CallContext& context) override;
  Result<> wait_change(const Selector& selector, std::uint64_t timeout_ms,
                       const CallContext& context) override;
  Result<> stop(const Selector& selector, const CallContext& context) override;
  Result<> start(const Selector& selector, const CallContext& context) override;
  Result<> remove(const Selector& selector, bool forget_logs, const CallContext& context) override;
  Result<> logs(const Selector& selector, const LogQuery& query,
                const std::function<void(const LogLine&)>& sink, const CallContext& context) override;
  Result<int> exec(const ExecRequest& request, const CallContext& context) override;
  Result<int> run_task(const TaskRequest& request, const CallContext& context) override;
  Result<std::vector<std::string>> list_owned(const CallContext& context) override;
  Result<TextMap> describe(const CallContext& context) override;
  [[nodiscard]] bool runs_images() const override {
    return table_.instance().entry().note.provides_interface(DAVIT_RUNTIME_IMAGES_ID);
  }
  Result<> make_stack(const std::string& name, const std::vector<std::string>& packages, bool anew,
                      const CallContext& context) override;
  Result<std::string> build_stack(const std::string& app, const CallContext& context) override;

 private:
  PluginTable<davit_runtime> table_;
};

class ProxyAdapter final : public Proxy {
 public:
  ProxyAdapter(PluginInstance& instance, std::int64_t limit_ms);
  [[nodiscard]] std::string_view id() const override { return table_.instance().id(); }
  Result<> ensure(const CallContext& context) override;
  Result<std::string> prepare(const Route& route, const CallContext& context) override;
  Result<> apply(const Route& route, std::string_view token, const CallContext& context) override;
  Result<> undo(std::string_view app, std::string_view token, const CallContext& context) override;
  Result<> drain(const Route& route, std::uint64_t timeout_ms, const CallContext& context) override;
  Result<> remove(std::string_view app, const CallContext& context) override;
  Result<std::vector<std::string>> list_owned(const CallContext& context) override;
  Result<TextMap> describe(const CallContext& context) override;

 private:
  PluginTable<davit_proxy> table_;
  std::int64_t limit_ms_;
};

class DoctorAdapter final : public Doctor {
 public:
  DoctorAdapter(PluginInstance& instance, std::int64_t limit_ms);
  [[nodiscard]] std::string_view id() const override { return table_.instance().id(); }
  Result<std::vector<Finding>> examine(const CallContext& context) override;

 private:
  PluginTable<davit_doctor> table_;
  std::int64_t limit_ms_;
};

class ServiceAdapter final : public ServiceKind {
 public:
  ServiceAdapter(PluginInstance& instance, std::int64_t limit_ms);
  [[nodiscard]] std::string_view id() const override { return table_.instance().id(); }
  Result<TextMap> describe(const CallContext& context) override;
  Result<ServiceProgram> program(ServiceProgramKind kind, const ServiceFacts& facts,
                                 const CallContext& context) override;

 private:
  PluginTable<davit_service_kind> table_;
  std::int64_t limit_ms_;
  std::optional<TextMap> facts_;  // kinds start programs to find their versions: once a process is enough
};

/// Runs a command of a plugin; `command` is parsed and checked.
class CommandsAdapter {
 public:
  explicit CommandsAdapter(PluginInstance& instance);
  Result<int> run(const PluginCommandCall& command, const CallContext& context);

 private:
  PluginTable<davit_commands> table_;
};

/// Splits the declared flags off `typed` and checks the number of arguments. kInvalid "usage".
Result<PluginCommandCall> parse_command(const CommandSpec& spec, const PluginCommandCall& typed);

}  // namespace davit
