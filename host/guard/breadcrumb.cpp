// The breadcrumb page: a sequence lock with one writer.
#include "guard/breadcrumb.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace davit {
namespace {

constexpr std::uint32_t kMagic = 0xDA517BC1;
constexpr std::size_t kPageBytes = 4096;
static_assert(sizeof(CrumbPage) <= kPageBytes);

// The thread id without a system call in the hot path: gettid() is one, this is not.
int this_thread() {
  thread_local const int id = static_cast<int>(::syscall(SYS_gettid));
  return id;
}

// Coarse: a few ns instead of twenty, and 4 ms are fine for a deadline of seconds.
std::int64_t coarse_mono_ms() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// The text lies between two increments of the sequence. The stores themselves are plain: a reader in another
// process that sees a torn text sees an odd or a changed sequence too.
void begin_change(CrumbPage& page) {
  page.sequence.store(page.sequence.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
}

void end_change(CrumbPage& page) {
  page.sequence.store(page.sequence.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

template <std::size_t Size>
std::size_t put(char (&target)[Size], std::string_view text) {
  const auto count = std::min(text.size(), Size - 1);
  std::memcpy(target, text.data(), count);
  target[count] = '\0';
  return count;
}

template <std::size_t Size>
std::string text_of(const char (&bytes)[Size]) {
  return {bytes, ::strnlen(bytes, Size)};
}

CrumbPage* map_page(int fd) {
  void* memory = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<CrumbPage*>(memory);
}

}  // namespace

Breadcrumb::Breadcrumb(CrumbPage* page) : page_(page), thread_(this_thread()) {}

Breadcrumb::Breadcrumb(Breadcrumb&& other) noexcept
    : page_(std::exchange(other.page_, nullptr)), thread_(other.thread_) {}

Breadcrumb::~Breadcrumb() {
  if (page_ != nullptr) ::munmap(page_, kPageBytes);
}

Result<Breadcrumb> Breadcrumb::map(int fd) {
  const UniqueFd owned(fd);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || static_cast<std::size_t>(info.st_size) < kPageBytes) {
    return fail(Code::kInternal, "the breadcrumb's descriptor is not a page");
  }
  auto* page = map_page(fd);
  if (page == nullptr) return fail(system_error("map the breadcrumb", errno));
  if (page->magic != kMagic || page->bytes != sizeof(CrumbPage)) {
    ::munmap(page, kPageBytes);
    return fail(Code::kInternal, "the breadcrumb's page is from another version of davit");
  }
  return Breadcrumb(page);
}

Breadcrumb::Call Breadcrumb::enter(std::string_view plugin, std::string_view event, std::int64_t limit_ms) {
  Call call;
  if (page_ == nullptr || this_thread() != thread_) return call;
  auto& page = *page_;
  call.page_ = page_;
  call.outer_started_ = page.started_mono_ms.load(std::memory_order_relaxed);
  call.outer_deadline_ = page.deadline_mono_ms.load(std::memory_order_relaxed);
  call.outer_plugin_bytes_ = static_cast<unsigned char>(put(call.outer_plugin_, page.plugin));
  call.outer_event_bytes_ = static_cast<unsigned char>(put(call.outer_event_, page.event));
  const auto now_ms = coarse_mono_ms();
  begin_change(page);
  put(page.plugin, plugin);
  put(page.event, event);
  page.started_mono_ms.store(now_ms, std::memory_order_relaxed);
  if (limit_ms > 0) page.deadline_mono_ms.store(now_ms + limit_ms, std::memory_order_relaxed);
  end_change(page);
  return call;
}

Breadcrumb::Call::Call(Call&& other) noexcept
    : page_(std::exchange(other.page_, nullptr)),
      outer_started_(other.outer_started_),
      outer_deadline_(other.outer_deadline_),
      outer_plugin_bytes_(other.outer_plugin_bytes_),
      outer_event_bytes_(other.outer_event_bytes_) {
  std::memcpy(outer_plugin_, other.outer_plugin_, outer_plugin_bytes_);
  std::memcpy(outer_event_, other.outer_event_, outer_event_bytes_);
}

Breadcrumb::Call::~Call() {
  if (page_ == nullptr) return;
  auto& page = *page_;
  begin_change(page);
  put(page.plugin, {outer_plugin_, outer_plugin_bytes_});
  put(page.event, {outer_event_, outer_event_bytes_});
  page.started_mono_ms.store(outer_started_, std::memory_order_relaxed);
  page.deadline_mono_ms.store(outer_deadline_, std::memory_order_relaxed);
  end_change(page);
}

void Breadcrumb::set_deployment(std::string_view deployment) {
  if (page_ == nullptr || this_thread() != thread_) return;
  begin_change(*page_);
  put(page_->deployment, deployment);
  end_change(*page_);
}

void Breadcrumb::set_step(std::string_view step) {
  if (page_ == nullptr || this_thread() != thread_) return;
  begin_change(*page_);
  put(page_->step, step);
  end_change(*page_);
}

void Breadcrumb::finish(int exit_code) {
  if (page_ == nullptr) return;
  page_->exit_code.store(exit_code, std::memory_order_relaxed);
  page_->finished.store(1, std::memory_order_release);
}

Result<BreadcrumbReader> BreadcrumbReader::create() {
  UniqueFd fd(::memfd_create("davit-breadcrumb", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid() || ::ftruncate(fd.get(), kPageBytes) != 0)
    return fail(system_error("make the breadcrumb", errno));
  // A plugin that shrinks the file would kill the guard by SIGBUS.
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return fail(system_error("seal the breadcrumb", errno));
  }
  auto* page = map_page(fd.get());
  if (page == nullptr) return fail(system_error("map the breadcrumb", errno));
  new (page) CrumbPage{};
  page->magic = kMagic;
  page->bytes = sizeof(CrumbPage);
  return BreadcrumbReader(std::move(fd), page);
}

BreadcrumbReader::BreadcrumbReader(BreadcrumbReader&& other) noexcept
    : fd_(std::move(other.fd_)), page_(std::exchange(other.page_, nullptr)) {}

BreadcrumbReader::~BreadcrumbReader() {
  if (page_ != nullptr) ::munmap(page_, kPageBytes);
}

Crumb BreadcrumbReader::read() const {
  Crumb crumb;
  // A writer that died inside a change leaves an odd sequence for ever: after enough tries what is there must
  // do.
  for (int tries = 0; tries < 1000; ++tries) {
    const auto before = page_->sequence.load(std::memory_order_acquire);
    crumb.plugin = text_of(page_->plugin);
    crumb.event = text_of(page_->event);
    crumb.deployment = text_of(page_->deployment);
    crumb.step = text_of(page_->step);
    crumb.started_mono_ms = page_->started_mono_ms.load(std::memory_order_relaxed);
    crumb.deadline_mono_ms = page_->deadline_mono_ms.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    const bool changed = page_->sequence.load(std::memory_order_relaxed) != before;
    crumb.sequence = changed ? before | 1 : before;
    if (crumb.sequence % 2 == 0) break;
  }
  crumb.finished = page_->finished.load(std::memory_order_acquire) != 0;
  crumb.exit_code = page_->exit_code.load(std::memory_order_relaxed);
  return crumb;
}

std::pair<MonoMs, std::uint64_t> BreadcrumbReader::deadline() const {
  const auto sequence = page_->sequence.load(std::memory_order_acquire);
  return {page_->deadline_mono_ms.load(std::memory_order_relaxed), sequence};
}

}  // namespace davit
