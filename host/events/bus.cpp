// The bus: sorted hooks, asked in turn.
#include "events/bus.hpp"

#include <algorithm>
#include <utility>

namespace davit {
namespace {

bool earlier(const std::unique_ptr<Hook>& left, const std::unique_ptr<Hook>& right) {
  return std::pair(left->order(), left->plugin()) < std::pair(right->order(), right->plugin());
}

Error from_hook(Error error, const Hook& hook, std::string_view event_id) {
  error.context.push_back("plugin " + std::string(hook.plugin()) + ", " + std::string(event_id));
  return error;
}

}  // namespace

void EventBus::subscribe(std::string_view event_id, std::unique_ptr<Hook> hook) {
  auto& hooks = hooks_[std::string(event_id)];
  hooks.insert(std::upper_bound(hooks.begin(), hooks.end(), hook, earlier), std::move(hook));
}

Result<> EventBus::ask(const Event& event, const CallContext& context) {
  const auto hooks = hooks_.find(event.id);
  if (hooks == hooks_.end()) return {};
  for (const auto& hook : hooks->second) {
    // Which gate it was means nothing to who is refused; whose it is does.
    if (auto answer = hook->handle(event, context); !answer)
      return fail(std::move(answer).error(), "plugin " + std::string(hook->plugin()));
  }
  return {};
}

Result<> EventBus::filter(const Event& event, const CallContext& context) {
  // The same walk: what differs is what handlers may do, and that is theirs to keep.
  return ask(event, context);
}

void EventBus::tell(const Event& event, const CallContext& context) {
  const auto hooks = hooks_.find(event.id);
  if (hooks == hooks_.end()) return;
  for (const auto& hook : hooks->second) {
    if (auto answer = hook->handle(event, context); !answer)
      context.out.warning(from_hook(std::move(answer).error(), *hook, event.id).text());
  }
}

std::vector<Hook*> EventBus::steps(std::string_view event_id) const {
  std::vector<Hook*> steps;
  if (const auto hooks = hooks_.find(event_id); hooks != hooks_.end())
    for (const auto& hook : hooks->second) steps.push_back(hook.get());
  return steps;
}

}  // namespace davit
