/* Giving up rights for good. Shared by davit-unit and davit-init. */
#ifndef DAVIT_NATIVE_DROP_H
#define DAVIT_NATIVE_DROP_H

#include <stddef.h>
#include <sys/types.h>

/* Bounding set, groups, gid, uid, capabilities, no-new-privs, in the order that works. 0 or an errno value.
 */
int davit_drop(uid_t uid, gid_t gid, const gid_t* groups, size_t group_count);

/* All signals to their defaults and unblocked. */
void davit_reset_signals(void);

#endif
