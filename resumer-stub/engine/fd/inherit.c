/* Descriptors of the launcher: its stdio takes the place of what led outside. */
#include "kinds.h"

#define EBADF 9

long inherit_open(struct fds *f, uint32_t d, const struct frore_inherit *row)
{
	long ret = sys_dup3((int)row->launcher_fd, staged(f, d), O_CLOEXEC);

	if (ret == -EBADF && row->launcher_fd <= 2) {
		warn_fd(f, d, "is closed here and becomes /dev/null:", 0, 0, 0);
		return stage(f, d, sys_open("/dev/null", O_RDWR | O_CLOEXEC, 0), "cannot open", "/dev/null", 0);
	}
	if (ret < 0)
		return refuse_fd(f, d, "cannot inherit", 0, ret, "open it when starting this file, as in 5<>FILE ./job.frore");
	return 0;
}
