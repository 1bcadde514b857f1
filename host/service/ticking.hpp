// Ticking: says every moment how far a program is that runs for long. It has a thread for that: ours waits
// for the program.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/call_context.hpp"

namespace davit {

/// From its making to its end. Threads: one, beside its own.
class Ticking {
 public:
  /// `amount`: bytes so far, 0 if nobody knows; called by the other thread.
  Ticking(const CallContext& context, std::string label, std::function<std::uint64_t()> amount);
  Ticking(const Ticking&) = delete;
  Ticking& operator=(const Ticking&) = delete;
  ~Ticking();

  /// What the program is to be run with meanwhile: two threads write to one output.
  [[nodiscard]] const CallContext& context() const { return context_; }

 private:
  class LockedOutput final : public UserOutput {
   public:
    explicit LockedOutput(UserOutput& out) : out_(out) {}
    void result(std::string_view bytes) override;
    void header(std::string_view line) override;
    void step(std::string_view line) override;
    void detail(std::string_view bytes) override;
    void warning(std::string_view line) override;
    void progress(std::string_view label, std::uint64_t done, std::uint64_t total,
                  std::string_view unit) override;

   private:
    UserOutput& out_;
    std::mutex mutex_;
  };

  LockedOutput out_;
  CallContext context_;
  std::mutex mutex_;
  std::condition_variable over_changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace davit
