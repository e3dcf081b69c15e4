/* eventfd(2). */
#define EFD_SEMAPHORE 1

#include "kinds.h"

/* eventfd2(2) takes 32 bits of the counter; the rest is written. */
long eventfd_open(struct fds *f, uint32_t d, const struct frore_eventfd *row)
{
	uint64_t count = row->count;

	if (stage(f, d, sys2(__NR_eventfd2, 0, (row->flags & EFD_SEMAPHORE) | O_CLOEXEC), "cannot make", "an eventfd", 0) < 0)
		return -1;
	if (count && sys_write(staged(f, d), &count, sizeof(count)) < 0)
		return refuse_fd(f, d, "cannot set", "an eventfd's counter", 0, 0);
	return 0;
}
