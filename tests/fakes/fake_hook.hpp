// FakeHook: a plugin's handler of one event. Its steps leave a mark in a world that is shared by all hooks,
// as the effects of a real step outlive the process that made them; undo takes the mark away.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

#include "events/bus.hpp"
#include "tests/fakes/fake_capabilities.hpp"

namespace davit::fakes {

class FakeHook final : public Hook {
 public:
  using Marks = std::set<std::string>;

  FakeHook(CallRecord& record, Marks& marks, std::string plugin, int order = 0)
      : record_(record), marks_(marks), plugin_(std::move(plugin)), order_(order) {}

  [[nodiscard]] std::string_view plugin() const override { return plugin_; }
  [[nodiscard]] std::string_view version() const override { return "1.0"; }
  [[nodiscard]] int order() const override { return order_; }
  Result<> handle(const Event& event, const CallContext&) override {
    DAVIT_TRY(record_.enter("hook.handle", what(event)));
    if (on_handle) return on_handle(event);
    return {};
  }
  Result<std::string> prepare(const Event& event, const CallContext&) override {
    if (auto fault = record_.enter("hook.prepare", what(event)); !fault) return fail(fault.error());
    return what(event) + " #" + std::to_string(record_.calls.size());  // one of its own for each deployment
  }
  Result<> apply(const Event& event, std::string_view token, const CallContext&) override {
    DAVIT_TRY(record_.enter("hook.apply", what(event)));
    marks_.insert(std::string(token));
    return record_.leave("hook.apply");
  }
  Result<> undo(const Event& event, std::string_view token, const CallContext&) override {
    DAVIT_TRY(record_.enter("hook.undo", what(event)));
    marks_.erase(std::string(token));
    return record_.leave("hook.undo");
  }

  std::function<Result<>(const Event&)> on_handle;

 private:
  [[nodiscard]] std::string what(const Event& event) const { return plugin_ + " " + std::string(event.id); }

  CallRecord& record_;
  Marks& marks_;
  std::string plugin_;
  int order_;
};

}  // namespace davit::fakes
