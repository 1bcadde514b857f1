// A process that cannot be mistaken for another.
#include "lifecycle/identity.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/unique_fd.hpp"

namespace davit {
namespace {

TEST(Identity, WeAreAlive) {
  const auto self = own_identity();
  ASSERT_TRUE(self);
  EXPECT_EQ(self->pid, getpid());
  EXPECT_NE(self->start_time_ticks, 0U);
  EXPECT_FALSE(self->boot_id.empty());
  EXPECT_TRUE(is_alive(*self));
  EXPECT_EQ(*own_identity(), *self);
}

TEST(Identity, ALaterProcessWithOurPidIsNotUs) {
  auto other = *own_identity();
  other.start_time_ticks += 1;
  EXPECT_FALSE(is_alive(other));
  other = *own_identity();
  other.boot_id = "another boot";
  EXPECT_FALSE(is_alive(other));
  EXPECT_FALSE(is_alive(ProcessIdentity{}));
}

TEST(Identity, AZombieIsDead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  UniqueFd from(ends[0]), to(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    const auto self = own_identity();
    (void)!write(ends[1], &self->start_time_ticks, sizeof self->start_time_ticks);
    _exit(0);
  }
  ProcessIdentity identity{own_identity()->boot_id, child, 0};
  ASSERT_EQ(read(ends[0], &identity.start_time_ticks, sizeof identity.start_time_ticks),
            static_cast<ssize_t>(sizeof identity.start_time_ticks));
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);  // ended, not reaped
  EXPECT_FALSE(is_alive(identity));
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(is_alive(identity));
}

TEST(Identity, AHandleIsOfExactlyThatProcess) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  UniqueFd from(ends[0]), to(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    to.reset();
    char byte = 0;
    (void)!read(from.get(), &byte, 1);  // until we close our end
    _exit(0);
  }
  const auto identity = identity_of(child);
  ASSERT_TRUE(identity);
  EXPECT_TRUE(is_alive(*identity));
  const UniqueFd handle = open_process(*identity);
  ASSERT_TRUE(handle.valid());
  pollfd ended{handle.get(), POLLIN, 0};
  EXPECT_EQ(poll(&ended, 1, 0), 0);
  auto later = *identity;
  later.start_time_ticks += 1;  // the pid is that of a living process, but not of ours
  EXPECT_FALSE(open_process(later).valid());
  EXPECT_FALSE(open_process(ProcessIdentity{}).valid());
  to.reset();
  EXPECT_EQ(poll(&ended, 1, 60'000), 1);
  EXPECT_FALSE(open_process(*identity).valid());  // a zombie
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(identity_of(child));
}

}  // namespace
}  // namespace davit
