// The event bus: who listens to what, in which order. It calls; it does not journal (the engine does, for
// steps) and does not load plugins (a Hook may load its plugin at its first call).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/call_context.hpp"
#include "base/result.hpp"
#include "events/event.hpp"

namespace davit {

/// One plugin's handler of one event. Threads: one call at a time.
class Hook {
 public:
  virtual ~Hook() = default;
  [[nodiscard]] virtual std::string_view plugin() const = 0;  ///< id
  [[nodiscard]] virtual std::string_view version() const = 0;
  [[nodiscard]] virtual int order() const = 0;  ///< lower is earlier; ties are broken by plugin id
  /// Gates (Code::kDenied is a veto), filters and notices.
  virtual Result<> handle(const Event& event, const CallContext& context) = 0;
  /// Steps; the token is at most 64 KiB (more is an error here).
  virtual Result<std::string> prepare(const Event& event, const CallContext& context) = 0;
  virtual Result<> apply(const Event& event, std::string_view token, const CallContext& context) = 0;
  virtual Result<> undo(const Event& event, std::string_view token, const CallContext& context) = 0;
};

inline constexpr std::size_t kMaxStepTokenBytes = 64 * 1024;

class EventBus {
 public:
  /// Takes ownership. The order of subscription does not matter.
  void subscribe(std::string_view event_id, std::unique_ptr<Hook> hook);

  /// Asks every gate; the first veto ends it and names the plugin in the error's context.
  Result<> ask(const Event& event, const CallContext& context);
  /// Runs every filter in order; the first failure ends it and names the plugin.
  Result<> filter(const Event& event, const CallContext& context);
  /// Tells everybody; failures become warnings in the context's output.
  void tell(const Event& event, const CallContext& context);
  /// The step hooks of an event in order, for the engine, which journals each part. Borrowed.
  [[nodiscard]] std::vector<Hook*> steps(std::string_view event_id) const;

 private:
  std::map<std::string, std::vector<std::unique_ptr<Hook>>, std::less<>> hooks_;
};

}  // namespace davit
