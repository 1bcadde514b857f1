/* davit.runtime/1 in C++: derive from Runtime beside Plugin. The contract of each function is in
 * davit/runtime.h. */
#ifndef DAVIT_RUNTIME_HPP
#define DAVIT_RUNTIME_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "davit/call.hpp"
#include "davit/instances.hpp"
#include "davit/plugin.h"

namespace davit::sdk {

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual void apply(const Call& call, const Group& group) = 0;
  virtual std::vector<Instance> inspect(const Call& call, const Selector& selector) = 0;
  virtual void wait_change(const Call& call, const Selector& selector, uint64_t timeout_ms) = 0;
  virtual void stop(const Call& call, const Selector& selector) = 0;
  virtual void start(const Call& call, const Selector& selector) = 0;
  virtual void remove(const Call& call, const Selector& selector, bool forget_logs) = 0;
  virtual void logs(const Call& call, const Selector& selector, const LogQuery& query,
                    const LogOutput& out) = 0;
  /* Both return the exit code, 128 + signal for a signal. */
  virtual int32_t exec(const Call& call, const Exec& exec) = 0;
  virtual int32_t run_task(const Call& call, const Task& task) = 0;
  virtual Strings list_owned(const Call& call) = 0;
  virtual Pairs describe(const Call& call) = 0;
  virtual void make_stack(const Call&, const std::string& name, const Strings& packages, bool anew) {
    (void)packages, (void)anew;
    throw Failure(DAVIT_UNSUPPORTED, "no-stacks", "this runtime makes no stack " + name);
  }
  virtual std::string build_stack(const Call&, const std::string& app) {
    (void)app;
    return {};
  }
};

namespace detail {

template <class P>
struct RuntimeTable {
  static Runtime& self(davit_plugin* plugin) noexcept { return *reinterpret_cast<P*>(plugin); }

  static davit_status apply(davit_plugin* plugin, const davit_call* call, const davit_group* group) noexcept {
    return guard(call, [&] { self(plugin).apply(Call(call), copy(*group)); });
  }
  static davit_status inspect(davit_plugin* plugin, const davit_call* call, const davit_selector* selector,
                              const davit_instance_sink* sink) noexcept {
    return guard(call, [&] {
      for (const Instance& instance : self(plugin).inspect(Call(call), copy(*selector))) put(sink, instance);
    });
  }
  static davit_status wait_change(davit_plugin* plugin, const davit_call* call,
                                  const davit_selector* selector, uint64_t timeout_ms) noexcept {
    return guard(call, [&] { self(plugin).wait_change(Call(call), copy(*selector), timeout_ms); });
  }
  static davit_status stop(davit_plugin* plugin, const davit_call* call,
                           const davit_selector* selector) noexcept {
    return guard(call, [&] { self(plugin).stop(Call(call), copy(*selector)); });
  }
  static davit_status start(davit_plugin* plugin, const davit_call* call,
                            const davit_selector* selector) noexcept {
    return guard(call, [&] { self(plugin).start(Call(call), copy(*selector)); });
  }
  static davit_status remove(davit_plugin* plugin, const davit_call* call, const davit_selector* selector,
                             uint32_t forget_logs) noexcept {
    return guard(call, [&] { self(plugin).remove(Call(call), copy(*selector), forget_logs != 0); });
  }
  static davit_status logs(davit_plugin* plugin, const davit_call* call, const davit_selector* selector,
                           const davit_log_query* query, const davit_log_sink* sink) noexcept {
    return guard(call, [&] {
      self(plugin).logs(Call(call), copy(*selector), copy(*query),
                        [sink](const LogLine& line) { put(sink, line); });
    });
  }
  static davit_status exec(davit_plugin* plugin, const davit_call* call, const davit_exec* what,
                           int32_t* exit_code) noexcept {
    return guard(call, [&] { *exit_code = self(plugin).exec(Call(call), copy(*what)); });
  }
  static davit_status run_task(davit_plugin* plugin, const davit_call* call, const davit_task* task,
                               int32_t* exit_code) noexcept {
    return guard(call, [&] { *exit_code = self(plugin).run_task(Call(call), copy(*task)); });
  }
  static davit_status list_owned(davit_plugin* plugin, const davit_call* call,
                                 const davit_str_sink* sink) noexcept {
    return guard(call, [&] { put_all(sink, self(plugin).list_owned(Call(call))); });
  }
  static davit_status describe(davit_plugin* plugin, const davit_call* call,
                               const davit_kv_sink* sink) noexcept {
    return guard(call, [&] { put_all(sink, self(plugin).describe(Call(call))); });
  }
  static davit_status make_stack(davit_plugin* plugin, const davit_call* call, davit_str name,
                                 davit_strs packages, uint32_t anew) noexcept {
    return guard(call, [&] { self(plugin).make_stack(Call(call), copy(name), copy(packages), anew != 0); });
  }
  static davit_status build_stack(davit_plugin* plugin, const davit_call* call, davit_str app,
                                  const davit_sink* stack) noexcept {
    return guard(call, [&] { write_all(stack, self(plugin).build_stack(Call(call), copy(app))); });
  }
  static const void* get() noexcept {
    static constexpr davit_runtime table{sizeof(davit_runtime),
                                         0,
                                         &apply,
                                         &inspect,
                                         &wait_change,
                                         &stop,
                                         &start,
                                         &remove,
                                         &logs,
                                         &exec,
                                         &run_task,
                                         &list_owned,
                                         &describe,
                                         &make_stack,
                                         &build_stack};
    return &table;
  }
};

}  // namespace detail
}  // namespace davit::sdk
#endif
