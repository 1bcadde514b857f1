/* davit_task in both directions: a builder sends tasks to the host, a runtime is sent them. */
#ifndef DAVIT_TASK_HPP
#define DAVIT_TASK_HPP

#include <cstddef>
#include <vector>

#include "davit/values.hpp"

namespace davit::sdk {

/* The C form of a Task. Lives on the stack around one host call; call rethrow() after it, so that an
 * exception of the Task's `out` or `err` is not lost. */
class CTask {
 public:
  explicit CTask(const Task& task)
      : argv_(task.argv),
        env_(task.env),
        mounts_(to_c_list<davit_mount>(task.mounts)),
        out_(task.out),
        err_(task.err) {
    if (task.artifact) artifact_ = to_c(*task.artifact);
    if (task.limits) limits_ = to_c(*task.limits);
    raw_.struct_size = sizeof(raw_);
    raw_.flags = task.flags;
    raw_.owner_kind = task.owner_kind;
    raw_.network = task.network;
    raw_.owner = str(task.owner);
    raw_.name = str(task.name);
    raw_.artifact = task.artifact ? &artifact_ : nullptr;
    raw_.argv = argv_.get();
    raw_.env = env_.get();
    raw_.cwd = str(task.cwd);
    raw_.mounts = list_of(mounts_);
    raw_.limits = task.limits ? &limits_ : nullptr;
    raw_.user = str(task.user);
    raw_.stop_timeout_ms = task.stop_timeout_ms;
    for (std::size_t i = 0; i < 3; ++i) raw_.fds[i] = task.fds[i];
    raw_.out = out_.get();
    raw_.err = err_.get();
  }
  CTask(const CTask&) = delete;
  CTask& operator=(const CTask&) = delete;

  const davit_task* get() const noexcept { return &raw_; }
  void rethrow() const {
    out_.rethrow();
    err_.rethrow();
  }

 private:
  StrArray argv_;
  KvArray env_;
  std::vector<davit_mount> mounts_;
  davit_artifact artifact_{};
  davit_limits limits_{};
  OutputSink out_;
  OutputSink err_;
  davit_task raw_{};
};

/* `out` and `err` of the copy write to the host's sinks: valid during the call only. */
inline Task copy(const davit_task& raw) {
  Task out;
  out.flags = DAVIT_SDK_READ(&raw, davit_task, flags);
  out.owner_kind = DAVIT_SDK_READ(&raw, davit_task, owner_kind);
  out.network = DAVIT_SDK_READ(&raw, davit_task, network);
  out.owner = copy(DAVIT_SDK_READ(&raw, davit_task, owner));
  out.name = copy(DAVIT_SDK_READ(&raw, davit_task, name));
  out.artifact = copy_optional<Artifact>(DAVIT_SDK_READ(&raw, davit_task, artifact));
  out.argv = copy(DAVIT_SDK_READ(&raw, davit_task, argv));
  out.env = copy(DAVIT_SDK_READ(&raw, davit_task, env));
  out.cwd = copy(DAVIT_SDK_READ(&raw, davit_task, cwd));
  out.mounts = copy_list<Mount, davit_mount>(DAVIT_SDK_READ(&raw, davit_task, mounts));
  out.limits = copy_optional<Limits>(DAVIT_SDK_READ(&raw, davit_task, limits));
  out.user = copy(DAVIT_SDK_READ(&raw, davit_task, user));
  out.stop_timeout_ms = DAVIT_SDK_READ(&raw, davit_task, stop_timeout_ms);
  if (DAVIT_HAS(&raw, davit_task, fds)) out.fds = Fds{raw.fds[0], raw.fds[1], raw.fds[2]};
  out.out = detail::output_to(DAVIT_SDK_READ(&raw, davit_task, out));
  out.err = detail::output_to(DAVIT_SDK_READ(&raw, davit_task, err));
  return out;
}

}  // namespace davit::sdk
#endif
