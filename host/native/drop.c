/* Giving up rights for good. */
#include "native/drop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int davit_drop(uid_t uid, gid_t gid, const gid_t* groups, size_t group_count) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) return errno;
  }
  /* Raw calls: the process has one thread, and glibc's wrappers would signal others. */
  if (getuid() != uid || getgid() != gid || group_count > 0 || geteuid() == 0) {
    if (syscall(SYS_setgroups, group_count, groups) != 0) return errno;
    if (syscall(SYS_setresgid, gid, gid, gid) != 0) return errno;
    if (syscall(SYS_setresuid, uid, uid, uid) != 0) return errno;
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2];
  memset(none, 0, sizeof none);
  if (syscall(SYS_capset, &header, none) != 0) return errno;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return 0;
}

void davit_reset_signals(void) {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}
