/* davit.hooks/1 in C++: derive from Hooks beside Plugin, override what the note declares. */
#ifndef DAVIT_HOOKS_HPP
#define DAVIT_HOOKS_HPP

#include <string>
#include <string_view>

#include "davit/call.hpp"
#include "davit/events.hpp"

namespace davit::sdk {

class Hooks {
 public:
  virtual ~Hooks() = default;
  /* Gates (veto: call.veto()), filters (edit the payload's Map or tree) and notices. An unknown event:
   * return. */
  virtual void on_event(const Call& call, const Event& event) {
    (void)call;
    (void)event;
  }
  /* Steps. prepare has no effect and returns a token of at most 64 KiB; apply acts; undo works on what never,
   * half or fully happened, in a fresh process, twice. */
  virtual std::string prepare_step(const Call& call, const Event& event) {
    (void)call;
    (void)event;
    return std::string();
  }
  virtual void apply_step(const Call& call, const Event& event, std::string_view token) {
    (void)call;
    (void)event;
    (void)token;
  }
  virtual void undo_step(const Call& call, const Event& event, std::string_view token) {
    (void)call;
    (void)event;
    (void)token;
  }
};

namespace detail {

template <class P>
struct HooksTable {
  static Hooks& self(davit_plugin* plugin) noexcept { return *reinterpret_cast<P*>(plugin); }

  static davit_status handle(davit_plugin* plugin, const davit_call* call,
                             const davit_event* event) noexcept {
    return guard(call, [&] { self(plugin).on_event(Call(call), Event(event, call)); });
  }
  static davit_status prepare(davit_plugin* plugin, const davit_call* call, const davit_event* event,
                              const davit_sink* token) noexcept {
    return guard(call, [&] { write_all(token, self(plugin).prepare_step(Call(call), Event(event, call))); });
  }
  static davit_status apply(davit_plugin* plugin, const davit_call* call, const davit_event* event,
                            davit_str token) noexcept {
    return guard(call, [&] { self(plugin).apply_step(Call(call), Event(event, call), view(token)); });
  }
  static davit_status undo(davit_plugin* plugin, const davit_call* call, const davit_event* event,
                           davit_str token) noexcept {
    return guard(call, [&] { self(plugin).undo_step(Call(call), Event(event, call), view(token)); });
  }
  static const void* get() noexcept {
    static constexpr davit_hooks table{sizeof(davit_hooks), 0, &handle, &prepare, &apply, &undo};
    return &table;
  }
};

}  // namespace detail
}  // namespace davit::sdk
#endif
