// What follows something for a reader ends with that reader, also where nothing more is written that would
// fail: the client of a `logs --tail` over ssh is killed, and the app is silent.
#pragma once

#include <poll.h>
#include <unistd.h>

#include "worker/workshop.hpp"

namespace davit {

/// From now on the call is cancelled too when nobody can read our standard output any more.
inline void end_with_reader(Workshop& shop) {
  shop.context().cancelled = [outer = shop.context().cancelled] {
    pollfd reader{STDOUT_FILENO, 0, 0};
    return outer() || (::poll(&reader, 1, 0) == 1 && (reader.revents & (POLLERR | POLLHUP)) != 0);
  };
}

}  // namespace davit
