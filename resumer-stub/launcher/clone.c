/* New processes: with clone(2) where no id is asked for, because container profiles answer clone3 with ENOSYS. */
#include <asm/signal.h>
#include <linux/sched.h>

#include "launcher.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

long clone_plain(uint64_t flags, int *pidfd)
{
	if (pidfd)
		flags |= CLONE_PIDFD;
	return sys5(__NR_clone, (long)(flags | SIGCHLD), 0, (long)pidfd, 0, 0);
}

long clone_with_id(uint64_t flags, int32_t id, int *pidfd)
{
	struct clone_arguments args = {
		.flags = flags | (pidfd ? CLONE_PIDFD : 0),
		.pidfd = (uint64_t)pidfd,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD, /* with CLONE_PARENT it comes from the caller's own */
		.set_tid = (uint64_t)&id,
		.set_tid_size = 1,
	};

	return sys2(__NR_clone3, (long)&args, sizeof(args));
}
