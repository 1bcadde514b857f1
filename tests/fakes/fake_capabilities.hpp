// Fakes of what plugins provide, for tests of the lifecycle and the commands: a Builder, a Runtime and a
// Proxy that keep their world in memory, can be told to fail or to die at a named call, and record what they
// were asked in one common list ("runtime.apply shop.d1.web=2"). No time passes in them: an instance is up at
// once unless `instances_start_as` says otherwise.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "plugin/capability.hpp"

namespace davit::fakes {

/// Every fake's calls in order, and the faults to come. Shared by reference.
class CallRecord {
 public:
  /// The next call of this name ("runtime.apply") fails with this error, without an effect.
  void fail_next(const std::string& call, Error error) { before_[call] = std::move(error); }
  /// The next call of this name takes effect and then fails, as one that dies half way does.
  void fail_after(const std::string& call, Error error) { after_[call] = std::move(error); }
  /// Runs inside each call of this name, before its effect: to kill, to cancel, to look.
  void on(const std::string& call, std::function<void()> action) { actions_[call] = std::move(action); }

  Result<> enter(const std::string& call, const std::string& what) {
    calls.push_back(what.empty() ? call : call + " " + what);
    if (const auto action = actions_.find(call); action != actions_.end()) action->second();
    return take(before_, call);
  }
  Result<> leave(const std::string& call) { return take(after_, call); }
  [[nodiscard]] bool has(const std::string& line) const {
    return std::find(calls.begin(), calls.end(), line) != calls.end();
  }

  std::vector<std::string> calls;

 private:
  static Result<> take(std::map<std::string, Error>& faults, const std::string& call) {
    const auto fault = faults.find(call);
    if (fault == faults.end()) return {};
    Error error = std::move(fault->second);
    faults.erase(fault);
    return fail(std::move(error));
  }
  std::map<std::string, Error> before_, after_;
  std::map<std::string, std::function<void()>> actions_;
};

class FakeBuilder final : public Builder {
 public:
  explicit FakeBuilder(CallRecord& record, std::string id = "fake-builder")
      : record_(record), id_(std::move(id)) {}
  [[nodiscard]] std::string_view id() const override { return id_; }
  Result<Detection> detect(const BuildInput& input, const CallContext&) override {
    DAVIT_TRY(record_.enter("builder.detect", input.app));
    return detection;
  }
  Result<BuildOutput> build(const BuildInput& input, const CallContext& context) override {
    last_input = input;
    DAVIT_TRY(record_.enter("builder.build", input.app));
    context.out.step("Building with " + id_);
    if (on_build) on_build(input);
    DAVIT_TRY(record_.leave("builder.build"));
    return output;
  }

  Detection detection{100, "made for this"};
  BuildOutput output;
  BuildInput last_input;
  std::function<void(const BuildInput&)> on_build;  ///< e.g. writes the slug into work_dir

 private:
  CallRecord& record_;
  std::string id_;
};

class FakeRuntime final : public Runtime {
 public:
  explicit FakeRuntime(CallRecord& record, std::string id = "fake-runtime")
      : record_(record), id_(std::move(id)) {}
  [[nodiscard]] std::string_view id() const override { return id_; }

  Result<> apply(const Group& group, const CallContext&) override {
    const std::string name = group.owner + "." + group.revision + "." + group.process_type;
    DAVIT_TRY(record_.enter("runtime.apply", name + "=" + std::to_string(group.count)));
    const auto before = groups.find(name);
    const bool anew = before != groups.end() && !is_same(before->second, group);
    groups[name] = group;
    std::erase_if(instances, [&](const Instance& instance) {
      if (owner_of(instance) != group.owner || instance.revision != group.revision ||
          instance.process_type != group.process_type)
        return false;
      return instance.number > group.count || (anew && !(group.keep && instance.state == InstanceState::kUp));
    });
    for (unsigned number = 1; number <= group.count; ++number) {
      const std::string id = instance_id(group.owner, group.revision, group.process_type, number);
      if (std::any_of(instances.begin(), instances.end(), [&](const Instance& i) { return i.id == id; }))
        continue;
      Instance instance;
      instance.id = id;
      instance.revision = group.revision;
      instance.process_type = group.process_type;
      instance.number = number;
      instance.state = instances_start_as;
      instance.listening = instances_listen;
      instance.exits = exits_at_start;
      instance.exit_code = exits_at_start > 0 ? 1 : -1;
      if (group.listens)
        instance.endpoints.push_back({Endpoint::Kind::kTcp, "127.0.0.1", next_port++, {}, id});
      instances.push_back(std::move(instance));
    }
    return record_.leave("runtime.apply");
  }
  Result<std::vector<Instance>> inspect(const Selector& selector, const CallContext&) override {
    if (auto fault = record_.enter("runtime.inspect", selector.owner); !fault) return fail(fault.error());
    std::vector<Instance> found;
    for (const Instance& instance : instances)
      if (matches(instance, selector)) found.push_back(instance);
    return found;
  }
  Result<> wait_change(const Selector& selector, std::uint64_t, const CallContext&) override {
    DAVIT_TRY(record_.enter("runtime.wait_change", selector.owner));
    if (on_wait) on_wait(*this);
    return record_.leave("runtime.wait_change");
  }
  Result<> stop(const Selector& selector, const CallContext&) override {
    DAVIT_TRY(record_.enter("runtime.stop", text_of(selector)));
    for (Instance& instance : instances)
      if (matches(instance, selector)) instance.state = InstanceState::kExited;
    return record_.leave("runtime.stop");
  }
  Result<> start(const Selector& selector, const CallContext&) override {
    DAVIT_TRY(record_.enter("runtime.start", text_of(selector)));
    for (Instance& instance : instances)
      if (matches(instance, selector)) instance.state = InstanceState::kUp;
    return record_.leave("runtime.start");
  }
  Result<> remove(const Selector& selector, bool, const CallContext& context) override {
    if (on_remove) on_remove(context);
    DAVIT_TRY(record_.enter("runtime.remove", text_of(selector)));
    std::erase_if(instances, [&](const Instance& instance) { return matches(instance, selector); });
    std::erase_if(groups, [&](const auto& item) {
      const Group& group = item.second;
      return group.owner == selector.owner &&
             (selector.revision.empty() || group.revision == selector.revision) &&
             (selector.process_type.empty() || group.process_type == selector.process_type);
    });
    return record_.leave("runtime.remove");
  }
  Result<> logs(const Selector& selector, const LogQuery&, const std::function<void(const LogLine&)>& sink,
                const CallContext&) override {
    DAVIT_TRY(record_.enter("runtime.logs", text_of(selector)));
    for (const LogLine& line : log_lines) sink(line);
    return {};
  }
  Result<int> exec(const ExecRequest& request, const CallContext&) override {
    if (auto fault = record_.enter("runtime.exec", request.instance); !fault) return fail(fault.error());
    return on_exec ? on_exec(request) : 0;
  }
  Result<int> run_task(const TaskRequest& request, const CallContext&) override {
    tasks.push_back(request);
    if (auto fault = record_.enter("runtime.run_task", request.name); !fault) return fail(fault.error());
    return on_task ? on_task(request) : 0;
  }
  Result<std::vector<std::string>> list_owned(const CallContext&) override {
    if (auto fault = record_.enter("runtime.list_owned", ""); !fault) return fail(fault.error());
    std::vector<std::string> owned;
    for (const auto& [name, group] : groups)
      owned.push_back(std::string(group.owner_kind == OwnerKind::kApp ? "app/" : "service/") + group.owner +
                      "/" + group.revision + "/" + group.process_type);
    return owned;
  }
  Result<TextMap> describe(const CallContext&) override { return facts; }
  [[nodiscard]] bool runs_images() const override { return takes_images; }
  Result<> make_stack(const std::string& name, const std::vector<std::string>& packages, bool anew,
                      const CallContext&) override {
    if (anew || !stacks.contains(name)) stacks[name] = packages;
    return {};
  }
  TextMap facts{{"isolation", "none"}};
  std::map<std::string, std::vector<std::string>> stacks;
  bool takes_images = false;

  std::map<std::string, Group> groups;  ///< by "OWNER.REVISION.TYPE"
  std::vector<Instance> instances;
  std::vector<TaskRequest> tasks;
  std::vector<LogLine> log_lines;
  InstanceState instances_start_as = InstanceState::kUp;
  Listening instances_listen = Listening::kUnknown;
  unsigned exits_at_start = 0;
  std::uint32_t next_port = 20'000;
  std::function<void(FakeRuntime&)> on_wait;  ///< lets the world move on while the engine waits
  std::function<void(const CallContext&)> on_remove;
  std::function<int(const ExecRequest&)> on_exec;
  std::function<int(const TaskRequest&)> on_task;

 private:
  /// Nothing but count differs.
  static bool is_same(const Group& before, const Group& now) {
    return before.argv == now.argv && before.env == now.env &&
           before.limits.memory_bytes == now.limits.memory_bytes && before.limits.pids == now.limits.pids &&
           before.restart == now.restart && before.stop_timeout_ms == now.stop_timeout_ms;
  }
  static std::string owner_of(const Instance& instance) {
    const std::string tail =
        "." + instance.revision + "." + instance.process_type + "." + std::to_string(instance.number);
    return instance.id.substr(0, instance.id.size() - tail.size());
  }
  static bool matches(const Instance& instance, const Selector& selector) {
    return owner_of(instance) == selector.owner &&
           (selector.revision.empty() || instance.revision == selector.revision) &&
           (selector.process_type.empty() || instance.process_type == selector.process_type) &&
           (selector.number == 0 || instance.number == selector.number);
  }
  static std::string text_of(const Selector& selector) {
    std::string text = selector.owner;
    if (!selector.revision.empty()) text += "." + selector.revision;
    if (!selector.process_type.empty()) text += "." + selector.process_type;
    if (selector.number != 0) text += "." + std::to_string(selector.number);
    return text;
  }
  CallRecord& record_;
  std::string id_;
};

/// Tokens hold the route that was there at prepare, so that undo works in a "fresh process" (another fake).
class FakeProxy final : public Proxy {
 public:
  explicit FakeProxy(CallRecord& record, std::string id = "fake-proxy")
      : record_(record), id_(std::move(id)) {}
  [[nodiscard]] std::string_view id() const override { return id_; }

  Result<> ensure(const CallContext&) override { return record_.enter("proxy.ensure", ""); }
  Result<std::string> prepare(const Route& route, const CallContext&) override {
    if (auto fault = record_.enter("proxy.prepare", text_of(route)); !fault) return fail(fault.error());
    const auto present = routes.find(route.app);
    const std::string token = "token-" + std::to_string(++tokens_made);
    saved[token] = present == routes.end() ? std::vector<Route>{} : std::vector<Route>{present->second};
    if (const auto other = routes.find(route.replaces); other != routes.end())
      replaced[token] = other->second;
    if (auto fault = record_.leave("proxy.prepare"); !fault) return fail(fault.error());
    return token;
  }
  Result<> apply(const Route& route, std::string_view, const CallContext&) override {
    DAVIT_TRY(record_.enter("proxy.apply", text_of(route)));
    routes.insert_or_assign(route.app, route);
    routes.erase(route.replaces);
    return record_.leave("proxy.apply");
  }
  Result<> undo(std::string_view app, std::string_view token, const CallContext&) override {
    DAVIT_TRY(record_.enter("proxy.undo", std::string(app)));
    if (const auto before = saved.find(std::string(token)); before != saved.end()) {
      if (before->second.empty())
        routes.erase(std::string(app));
      else
        routes.insert_or_assign(std::string(app), before->second.front());
    }
    if (const auto other = replaced.find(std::string(token)); other != replaced.end())
      routes.insert_or_assign(other->second.app, other->second);
    return record_.leave("proxy.undo");
  }
  Result<> drain(const Route& route, std::uint64_t, const CallContext&) override {
    DAVIT_TRY(record_.enter("proxy.drain", text_of(route)));
    return record_.leave("proxy.drain");
  }
  Result<> remove(std::string_view app, const CallContext&) override {
    DAVIT_TRY(record_.enter("proxy.remove", std::string(app)));
    routes.erase(std::string(app));
    return record_.leave("proxy.remove");
  }
  Result<std::vector<std::string>> list_owned(const CallContext&) override {
    std::vector<std::string> apps;
    for (const auto& [app, route] : routes) apps.push_back(app);
    return apps;
  }
  Result<TextMap> describe(const CallContext&) override {
    return TextMap{
        {"url", "http://HOST:8080"}, {"http-port", "8080"}, {"mode", "private"}, {"switching", "socket"}};
  }

  std::map<std::string, Route> routes;  ///< by app: what is live
  std::map<std::string, std::vector<Route>> saved;
  std::map<std::string, Route> replaced;  ///< by token: of the app that a rename took away
  unsigned tokens_made = 0;

 private:
  static std::string text_of(const Route& route) {
    return route.app + "." + route.revision + "=" + std::to_string(route.endpoints.size());
  }
  CallRecord& record_;
  std::string id_;
};

class FakeCapabilities final : public Capabilities {
 public:
  FakeCapabilities()
      : builder_fake(record),
        runtime_fake(record),
        other_runtime(record, "other-runtime"),
        proxy_fake(record) {}

  Result<std::vector<Builder*>> builders() override {
    std::vector<Builder*> all{&builder_fake};
    for (auto& more : more_builders) all.push_back(more.get());
    return all;
  }
  Result<Builder*> builder(std::string_view id) override {
    if (id == builder_fake.id()) return &builder_fake;
    for (auto& more : more_builders)
      if (more->id() == id) return more.get();
    return fail(Code::kNotFound, "Builder " + std::string(id) + " is not enabled", {}, "plugin-not-enabled");
  }
  Result<Runtime*> runtime(std::string_view id) override {
    if (id.empty() || id == runtime_fake.id()) return &runtime_fake;
    if (id == other_runtime.id() && has_other_runtime) return &other_runtime;
    return fail(Code::kNotFound, "Runtime " + std::string(id) + " is not enabled", {}, "plugin-not-enabled");
  }
  Result<Proxy*> proxy() override { return has_proxy ? &proxy_fake : nullptr; }
  Result<std::vector<Doctor*>> doctors() override { return std::vector<Doctor*>{}; }
  Result<ServiceKind*> service_kind(std::string_view id) override {
    if (service != nullptr && service->id() == id) return service;
    return fail(Code::kNotFound, std::string(id) + " is not an enabled kind of service", {},
                "plugin-not-enabled");
  }
  Result<int> run_command(const PluginCommandCall& command, const CallContext&) override {
    if (auto fault = record.enter("command", command.name); !fault) return fail(fault.error());
    return on_command ? on_command(command) : 0;
  }

  CallRecord record;
  FakeBuilder builder_fake;
  FakeRuntime runtime_fake;
  FakeRuntime other_runtime;  ///< "other-runtime": never the default
  FakeProxy proxy_fake;
  std::vector<std::unique_ptr<FakeBuilder>> more_builders;
  ServiceKind* service = nullptr;  ///< borrowed; none: no kind is enabled
  bool has_proxy = true;
  bool has_other_runtime = true;
  std::function<int(const PluginCommandCall&)> on_command;
};

/// A UserOutput that keeps everything, one string a stream.
class RecordedOutput final : public UserOutput {
 public:
  void result(std::string_view bytes) override { results += bytes; }
  void header(std::string_view line) override { headers.emplace_back(line); }
  void step(std::string_view line) override { steps.emplace_back(line); }
  void detail(std::string_view bytes) override { details += bytes; }
  void warning(std::string_view line) override { warnings.emplace_back(line); }
  void progress(std::string_view label, std::uint64_t done, std::uint64_t, std::string_view) override {
    last_progress = std::string(label) + " " + std::to_string(done);
  }

  std::string results, details, last_progress;
  std::vector<std::string> headers, steps, warnings;
};

}  // namespace davit::fakes
