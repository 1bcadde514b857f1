// Breadcrumb: a page of shared memory in which the worker notes which plugin it is about to call, and which
// the guard reads when the worker is dead or hangs. Not a log and not a profile: only the innermost call that
// runs now.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "process/unique_fd.hpp"

namespace davit {

inline constexpr std::size_t kCrumbPluginBytes = 64;  ///< with the final NUL
inline constexpr std::size_t kCrumbEventBytes = 64;
inline constexpr std::size_t kCrumbDeploymentBytes = 64;
inline constexpr std::size_t kCrumbStepBytes = 64;

/// The text of the page; names that are too long are cut.
struct Crumb {
  std::string plugin;           ///< "" while no plugin is being called
  std::string event;            ///< the event or function: "route.switch", "davit.builder/1.build"
  std::string deployment;       ///< "" outside a deployment
  std::string step;             ///< the journal's phase or step
  MonoMs started_mono_ms = 0;   ///< of this call; coarse (about 4 ms)
  MonoMs deadline_mono_ms = 0;  ///< 0: none
  std::uint64_t sequence = 0;   ///< grows with every change; odd: read in the middle of one
  bool finished = false;        ///< the worker made its own end mark
  int exit_code = 0;            ///< with `finished`
};

/// What lies in the memfd: plain bytes behind a sequence counter that is odd while they change. One writer.
struct CrumbPage {
  std::uint32_t magic;
  std::uint32_t bytes;
  std::atomic<std::uint64_t> sequence;
  std::atomic<std::int64_t> started_mono_ms;
  std::atomic<std::int64_t> deadline_mono_ms;
  std::atomic<std::int32_t> finished;
  std::atomic<std::int32_t> exit_code;
  char plugin[kCrumbPluginBytes];
  char event[kCrumbEventBytes];
  char deployment[kCrumbDeploymentBytes];
  char step[kCrumbStepBytes];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// The writer's side, owned by the worker's main. Without a page (tests, in-process tools) every call is a
/// no-op. Threads: only the thread that made it writes; calls from another are ignored.
class Breadcrumb {
 public:
  /// Writes nowhere.
  Breadcrumb() = default;
  /// Maps the page that the guard handed down as `fd` (and closes fd).
  static Result<Breadcrumb> map(int fd);
  Breadcrumb(Breadcrumb&& other) noexcept;
  Breadcrumb& operator=(Breadcrumb&&) = delete;
  ~Breadcrumb();

  /// RAII: the call that runs now; its destructor puts the outer call back. Costs a few ns, no system call.
  class Call {
   public:
    Call(Call&& other) noexcept;
    Call& operator=(Call&&) = delete;
    ~Call();

   private:
    friend class Breadcrumb;
    Call() = default;
    CrumbPage* page_ = nullptr;
    std::int64_t outer_started_ = 0;
    std::int64_t outer_deadline_ = 0;
    unsigned char outer_plugin_bytes_ = 0;
    unsigned char outer_event_bytes_ = 0;
    char outer_plugin_[kCrumbPluginBytes];
    char outer_event_[kCrumbEventBytes];
  };
  /// `limit_ms`: from now; 0 keeps the outer call's deadline, if any. Past it the guard kills the worker.
  [[nodiscard]] Call enter(std::string_view plugin, std::string_view event, std::int64_t limit_ms = 0);

  void set_deployment(std::string_view deployment);
  void set_step(std::string_view step);
  /// The end mark, right before the worker's main returns `exit_code`. An exit() without it counts as a
  /// plugin's.
  void finish(int exit_code);

  [[nodiscard]] bool mapped() const { return page_ != nullptr; }

 private:
  explicit Breadcrumb(CrumbPage* page);
  CrumbPage* page_ = nullptr;
  int thread_ = 0;
};

/// The guard's side: makes the memfd, reads it at any moment (also while the worker writes, or died while
/// writing).
class BreadcrumbReader {
 public:
  static Result<BreadcrumbReader> create();
  BreadcrumbReader(BreadcrumbReader&& other) noexcept;
  BreadcrumbReader& operator=(BreadcrumbReader&&) = delete;
  ~BreadcrumbReader();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] Crumb read() const;
  /// Only the deadline of the running call (0: none) and its sequence: for the guard's timer.
  [[nodiscard]] std::pair<MonoMs, std::uint64_t> deadline() const;

 private:
  BreadcrumbReader(UniqueFd fd, CrumbPage* page) : fd_(std::move(fd)), page_(page) {}
  UniqueFd fd_;
  CrumbPage* page_ = nullptr;
};

}  // namespace davit
