// See ticking.hpp.
#include "service/ticking.hpp"

#include <chrono>
#include <csignal>
#include <utility>

namespace davit {
namespace {

constexpr std::chrono::milliseconds kEvery{500};

}  // namespace

void Ticking::LockedOutput::result(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  out_.result(bytes);
}
void Ticking::LockedOutput::header(std::string_view line) {
  const std::lock_guard lock(mutex_);
  out_.header(line);
}
void Ticking::LockedOutput::step(std::string_view line) {
  const std::lock_guard lock(mutex_);
  out_.step(line);
}
void Ticking::LockedOutput::detail(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  out_.detail(bytes);
}
void Ticking::LockedOutput::warning(std::string_view line) {
  const std::lock_guard lock(mutex_);
  out_.warning(line);
}
void Ticking::LockedOutput::progress(std::string_view label, std::uint64_t done, std::uint64_t total,
                                     std::string_view unit) {
  const std::lock_guard lock(mutex_);
  out_.progress(label, done, total, unit);
}

Ticking::Ticking(const CallContext& context, std::string label, std::function<std::uint64_t()> amount)
    : out_(context.out),
      context_{.actor = context.actor,
               .app = context.app,
               .deployment = context.deployment,
               .deadline_mono_ms = context.deadline_mono_ms,
               .quiet = context.quiet,
               .force = context.force,
               .trace = context.trace,
               .tty = context.tty,
               .out = out_,
               .cancelled = context.cancelled} {
  thread_ = std::thread([this, label = std::move(label), amount = std::move(amount)] {
    sigset_t all;  // signals are for the thread that waits
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::unique_lock lock(mutex_);
    while (!over_changed_.wait_for(lock, kEvery, [this] { return over_; }))
      out_.progress(label, amount(), 0, "bytes");
  });
}

Ticking::~Ticking() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  over_changed_.notify_one();
  thread_.join();
}

}  // namespace davit
