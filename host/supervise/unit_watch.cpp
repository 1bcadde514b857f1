// inotify on a unit's folders.
#include "supervise/unit_watch.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace davit::detail {
namespace {

constexpr std::uint32_t kChanges =
    IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;

constexpr std::int64_t kLookEveryMs = 1000;  // on a full disk nothing changes in it

}  // namespace

Result<UnitWatch> UnitWatch::open(const std::filesystem::path& unit_folder) {
  UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd.valid()) {
    auto error = system_error("watch a unit", errno);
    error.hint = "Raise fs.inotify.max_user_instances";
    return fail(std::move(error));
  }
  if (::inotify_add_watch(fd.get(), unit_folder.c_str(), kChanges) < 0) {
    return fail(system_error(fmt::format("watch {}", unit_folder.native()), errno));
  }
  UnitWatch watch(std::move(fd), unit_folder);
  watch.add_supervise();
  return watch;
}

void UnitWatch::add_supervise() {
  ::inotify_add_watch(fd_.get(), (folder_ / "supervise").c_str(), kChanges);
}

Result<> UnitWatch::wait(MonoMs until_mono_ms, const std::optional<CancelToken>& cancel) {
  const SystemClock clock;
  while (true) {
    const auto left =
        until_mono_ms == 0 ? -1 : std::max<std::int64_t>(0, until_mono_ms - clock.now_mono_ms());
    pollfd watched[2] = {{fd_.get(), POLLIN, 0}, {cancel ? cancel->fd() : -1, POLLIN, 0}};
    const auto patience = left < 0 ? kLookEveryMs : std::min<std::int64_t>(left, kLookEveryMs);
    const int ready = ::poll(watched, 2, static_cast<int>(patience));
    if (ready < 0 && errno == EINTR) continue;
    if (watched[1].revents != 0) return fail(Code::kCancelled, "stopped on request");
    if (watched[0].revents != 0) break;
    if (left == 0) return fail(Code::kTimeout, "waited too long");
    if (ready == 0) return {};
  }
  alignas(inotify_event) std::array<char, 16 * 1024> events;
  while (::read(fd_.get(), events.data(), events.size()) > 0) {
  }
  add_supervise();  // adding it twice is one watch
  return {};
}

}  // namespace davit::detail
