// process: the embedded default of davit.runtime/1. Instances are units of the home's supervision, each in a
// sandbox of bubblewrap with its own copy of the slug. This file only joins the parts; read instances.hpp and
// tasks.hpp.
#include <davit/plugin.hpp>

#include <memory>
#include <string>

#include "config.hpp"
#include "instances.hpp"
#include "log_merge.hpp"
#include "machine.hpp"
#include "records.hpp"
#include "report.hpp"
#include "tasks.hpp"

namespace davit::process_plugin {
namespace {

constexpr int kFollowWaitMs = 200;  // between two looks whether somebody wants `logs` to stop

/// What lives from start to stop.
struct Parts {
  Parts(const sdk::Host& host, const sdk::Call& call)
      : config(read_config(host, call)),
        records(config.run),
        machine(host, config, records),
        instances(host, config, records, machine),
        tasks(host, records, machine) {}

  Config config;
  Records records;
  Machine machine;
  Instances instances;
  Tasks tasks;
};

class ProcessRuntime : public sdk::Plugin, public sdk::Runtime, public sdk::Doctor, public sdk::Hooks {
 public:
  void on_start(const sdk::Call& call) override { parts_ = std::make_unique<Parts>(host(), call); }
  void on_stop(const sdk::Call& call) override {
    (void)call;
    parts_.reset();
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
    if (selector.owner.empty()) call.fail(DAVIT_INVALID, "selector", "logs were asked for without an owner");
    LogMerge logs(parts_->instances.log_folder(selector.owner_kind, selector.owner), selector);
    logs.read_present(query, out);
    if (!query.follow) return;
    while (!call.cancelled()) logs.read_new(kFollowWaitMs, out);
  }

  int32_t exec(const sdk::Call& call, const sdk::Exec& what) override {
    return parts_->tasks.exec(call, what);
  }
  int32_t run_task(const sdk::Call& call, const sdk::Task& task) override {
    return parts_->tasks.run_task(call, task);
  }
  sdk::Strings list_owned(const sdk::Call& call) override { return parts_->instances.list_owned(call); }

  sdk::Pairs describe(const sdk::Call& call) override {
    return describe_machine(parts_->config, parts_->machine.verdict(call), parts_->instances.firewall());
  }
  void examine(const sdk::Call& call, const sdk::Findings& findings) override {
    examine_machine(call, findings, parts_->config, parts_->machine, parts_->instances.firewall());
  }

  // system.start: what does not survive a reboot. The instances themselves are the supervision's to bring
  // back.
  void apply_step(const sdk::Call& call, const sdk::Event& event, std::string_view token) override {
    (void)token;
    if (event.which() != sdk::EventId::kSystemStart) return;
    parts_->tasks.sweep();
    for (const FirewallTable& table : parts_->instances.firewall().sweep(call).removed) {
      call.log_info("removed the nftables table " + table.name + " of " + table.home + ", which is gone");
    }
    parts_->instances.refresh_firewall(call);
  }

  // The system stops.
  void undo_step(const sdk::Call& call, const sdk::Event& event, std::string_view token) override {
    (void)token;
    if (event.which() != sdk::EventId::kSystemStart) return;
    const std::string trouble = parts_->instances.firewall().drop(call);
    if (!trouble.empty()) call.log_warn(trouble);
  }

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace
}  // namespace davit::process_plugin

using davit::process_plugin::ProcessRuntime;
DAVIT_PLUGIN(ProcessRuntime, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
