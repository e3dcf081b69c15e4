/* signalfd(2): the signals themselves are pending in the process. */
#include <linux/signalfd.h>

#include "kinds.h"

long signalfd_open(struct fds *f, uint32_t d, const struct frore_signalfd *row)
{
	uint64_t mask = row->mask;

	return stage(f, d, sys4(__NR_signalfd4, -1, (long)&mask, sizeof(mask), SFD_CLOEXEC), "cannot make", "a signalfd", 0);
}
