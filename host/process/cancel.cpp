// CancelToken on an eventfd.
#include "process/cancel.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>

namespace davit {

Result<CancelToken> CancelToken::create() {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return fail(system_error("eventfd", errno));
  return CancelToken(std::make_shared<UniqueFd>(std::move(event)));
}

void CancelToken::cancel() const {
  const int saved = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_->get(), &one, sizeof one);
  errno = saved;
}

bool CancelToken::cancelled() const {
  pollfd watched{event_->get(), POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1;
}

}  // namespace davit
