// davit.runtime/1 as a Runtime.
#include "plugin/adapters.hpp"

namespace davit {
namespace {

template <typename Visit>
struct Visitor {
  Visit& visit;
};

davit_status collect_instance(void* data, const davit_instance* instance) {
  return no_throw([&] {
    if (instance == nullptr) return DAVIT_INVALID;
    static_cast<std::vector<Instance>*>(data)->push_back(instance_of(*instance));
    return DAVIT_OK;
  });
}

davit_status pass_line(void* data, const davit_log_line* line) {
  return no_throw([&] {
    if (line == nullptr || !DAVIT_HAS(line, davit_log_line, text)) return DAVIT_INVALID;
    const auto& sink = *static_cast<const std::function<void(const LogLine&)>*>(data);
    sink(LogLine{line->unix_ms, copy(line->revision), copy(line->process_type), line->number,
                 copy(line->text)});
    return DAVIT_OK;
  });
}

bool says_something(const ArtifactRef& artifact) {
  return artifact.kind != ArtifactRef::Kind::kNone || !artifact.stack.empty();
}

/// A davit_sink on a ByteSink; NULL for an empty one.
class OutSink {
 public:
  explicit OutSink(const ByteSink& sink)
      : sink_(sink), abi_{this, [](void* data, davit_str chunk) -> davit_status {
                            return no_throw([&] {
                              static_cast<OutSink*>(data)->sink_(view(chunk));
                              return DAVIT_OK;
                            });
                          }} {}
  OutSink(const OutSink&) = delete;
  OutSink& operator=(const OutSink&) = delete;
  [[nodiscard]] const davit_sink* get() const { return sink_ ? &abi_ : nullptr; }

 private:
  const ByteSink& sink_;
  davit_sink abi_;
};

}  // namespace

RuntimeAdapter::RuntimeAdapter(PluginInstance& instance)
    : table_(instance, DAVIT_RUNTIME_ID,
             offsetof(davit_runtime, describe) + sizeof(davit_runtime::describe)) {}

Result<> RuntimeAdapter::apply(const Group& group, const CallContext& context) {
  const AbiStrings argv(group.argv);
  const AbiPairs env(group.env);
  const AbiList<davit_mount> mounts(group.mounts);
  const davit_artifact artifact = abi(group.artifact);
  const davit_limits limits = abi(group.limits);
  davit_group in{};
  in.struct_size = sizeof in;
  in.flags = (group.listens ? DAVIT_GROUP_LISTENS : 0) | (group.keep ? DAVIT_GROUP_KEEP : 0);
  in.owner_kind = static_cast<std::uint32_t>(group.owner_kind);
  in.count = group.count;
  in.owner = abi(group.owner);
  in.revision = abi(group.revision);
  in.process_type = abi(group.process_type);
  in.artifact = says_something(group.artifact) ? &artifact : nullptr;
  in.argv = argv.get();
  in.env = env.get();
  in.mounts = mounts.get();
  in.limits = &limits;
  in.user = abi(group.user);
  in.restart = static_cast<std::uint32_t>(group.restart);
  in.port = group.port;
  in.stop_signal = group.stop_signal;
  in.stop_timeout_ms = group.stop_timeout_ms;
  in.max_retries = group.max_retries;
  return table_.call(
      "davit.runtime/1.apply", 0, context,
      [&](const davit_runtime& table, auto* plugin, auto* call) { return table.apply(plugin, call, &in); });
}

Result<std::vector<Instance>> RuntimeAdapter::inspect(const Selector& selector, const CallContext& context) {
  const davit_selector in = abi(selector);
  std::vector<Instance> instances;
  const davit_instance_sink sink{&instances, collect_instance};
  DAVIT_TRY(table_.call("davit.runtime/1.inspect", 0, context,
                        [&](const davit_runtime& table, auto* plugin, auto* call) {
                          return table.inspect(plugin, call, &in, &sink);
                        }));
  return instances;
}

Result<> RuntimeAdapter::wait_change(const Selector& selector, std::uint64_t timeout_ms,
                                     const CallContext& context) {
  const davit_selector in = abi(selector);
  return table_.call("davit.runtime/1.wait_change", 0, context,
                     [&](const davit_runtime& table, auto* plugin, auto* call) {
                       return table.wait_change(plugin, call, &in, timeout_ms);
                     });
}

Result<> RuntimeAdapter::stop(const Selector& selector, const CallContext& context) {
  const davit_selector in = abi(selector);
  return table_.call(
      "davit.runtime/1.stop", 0, context,
      [&](const davit_runtime& table, auto* plugin, auto* call) { return table.stop(plugin, call, &in); });
}

Result<> RuntimeAdapter::start(const Selector& selector, const CallContext& context) {
  const davit_selector in = abi(selector);
  return table_.call(
      "davit.runtime/1.start", 0, context,
      [&](const davit_runtime& table, auto* plugin, auto* call) { return table.start(plugin, call, &in); });
}

Result<> RuntimeAdapter::remove(const Selector& selector, bool forget_logs, const CallContext& context) {
  const davit_selector in = abi(selector);
  return table_.call("davit.runtime/1.remove", 0, context,
                     [&](const davit_runtime& table, auto* plugin, auto* call) {
                       return table.remove(plugin, call, &in, forget_logs ? 1 : 0);
                     });
}

Result<> RuntimeAdapter::logs(const Selector& selector, const LogQuery& query,
                              const std::function<void(const LogLine&)>& sink, const CallContext& context) {
  const davit_selector in = abi(selector);
  const davit_log_query wanted{sizeof(davit_log_query), query.follow ? 1U : 0U, query.lines,
                               query.since_unix_ms};
  std::function<void(const LogLine&)> receiver = sink;
  const davit_log_sink lines{&receiver, pass_line};
  return table_.call("davit.runtime/1.logs", 0, context,
                     [&](const davit_runtime& table, auto* plugin, auto* call) {
                       return table.logs(plugin, call, &in, &wanted, &lines);
                     });
}

Result<int> RuntimeAdapter::exec(const ExecRequest& request, const CallContext& context) {
  const AbiStrings argv(request.argv);
  const AbiPairs env(request.env);
  const OutSink out(request.out), err(request.err);
  davit_exec in{};
  in.struct_size = sizeof in;
  in.flags = request.tty ? DAVIT_TASK_TTY : 0;
  in.instance = abi(request.instance);
  in.argv = argv.get();
  in.env = env.get();
  for (std::size_t i = 0; i < request.fds.size(); ++i) in.fds[i] = request.fds[i];
  in.timeout_ms = request.timeout_ms;
  in.out = out.get();
  in.err = err.get();
  std::int32_t exit_code = -1;
  DAVIT_TRY(table_.call("davit.runtime/1.exec", 0, context,
                        [&](const davit_runtime& table, auto* plugin, auto* call) {
                          return table.exec(plugin, call, &in, &exit_code);
                        }));
  return exit_code;
}

Result<int> RuntimeAdapter::run_task(const TaskRequest& request, const CallContext& context) {
  const AbiStrings argv(request.argv);
  const AbiPairs env(request.env);
  const AbiList<davit_mount> mounts(request.mounts);
  const davit_artifact artifact = abi(request.artifact);
  const davit_limits limits = abi(request.limits);
  const OutSink out(request.out), err(request.err);
  davit_task in{};
  in.struct_size = sizeof in;
  in.flags = (request.tty ? DAVIT_TASK_TTY : 0U) | (request.read_only_app ? DAVIT_TASK_READ_ONLY_APP : 0U);
  in.owner_kind = static_cast<std::uint32_t>(request.owner_kind);
  in.network = request.no_network ? DAVIT_NETWORK_NONE : DAVIT_NETWORK_HOST;
  in.owner = abi(request.owner);
  in.name = abi(request.name);
  in.artifact = says_something(request.artifact) ? &artifact : nullptr;
  in.argv = argv.get();
  in.env = env.get();
  in.cwd = abi(request.cwd);
  in.mounts = mounts.get();
  in.limits = &limits;
  in.user = abi(request.user);
  in.stop_timeout_ms = request.stop_timeout_ms;
  for (std::size_t i = 0; i < request.fds.size(); ++i) in.fds[i] = request.fds[i];
  in.out = out.get();
  in.err = err.get();
  std::int32_t exit_code = -1;
  DAVIT_TRY(table_.call("davit.runtime/1.run_task", 0, context,
                        [&](const davit_runtime& table, auto* plugin, auto* call) {
                          return table.run_task(plugin, call, &in, &exit_code);
                        }));
  return exit_code;
}

Result<std::vector<std::string>> RuntimeAdapter::list_owned(const CallContext& context) {
  std::vector<std::string> owned;
  const davit_str_sink sink = items_sink(owned);
  DAVIT_TRY(table_.call("davit.runtime/1.list_owned", 0, context,
                        [&](const davit_runtime& table, auto* plugin, auto* call) {
                          return table.list_owned(plugin, call, &sink);
                        }));
  return owned;
}

Result<TextMap> RuntimeAdapter::describe(const CallContext& context) {
  TextMap facts;
  const davit_kv_sink sink = pairs_sink(facts);
  DAVIT_TRY(table_.call("davit.runtime/1.describe", 0, context,
                        [&](const davit_runtime& table, auto* plugin, auto* call) {
                          return table.describe(plugin, call, &sink);
                        }));
  return facts;
}

Result<> RuntimeAdapter::make_stack(const std::string& name, const std::vector<std::string>& packages,
                                    bool anew, const CallContext& context) {
  const AbiStrings words(packages);
  return table_.call(
      "davit.runtime/1.make_stack", 0, context, [&](const davit_runtime& table, auto* plugin, auto* call) {
        const bool can = DAVIT_HAS(&table, davit_runtime, make_stack) && table.make_stack;
        return can ? table.make_stack(plugin, call, abi(name), words.get(), anew ? 1 : 0) : DAVIT_UNSUPPORTED;
      });
}

Result<std::string> RuntimeAdapter::build_stack(const std::string& app, const CallContext& context) {
  std::string stack;
  const davit_sink sink = text_sink(stack);
  DAVIT_TRY(table_.call(
      "davit.runtime/1.build_stack", 0, context, [&](const davit_runtime& table, auto* plugin, auto* call) {
        const bool tells = DAVIT_HAS(&table, davit_runtime, build_stack) && table.build_stack;
        return tells ? table.build_stack(plugin, call, abi(app), &sink) : DAVIT_OK;
      }));
  return stack;
}

}  // namespace davit
