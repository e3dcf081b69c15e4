/* F_SETOWN_EX, F_SETSIG and FASYNC: who gets SIGIO for a description. */
#include "kinds.h"

long owner_finish(struct fds *f, uint32_t d)
{
	const struct frore_description *row = &f->description[d];
	uint64_t tasks;
	const struct frore_task *task = artefact_table(f->a, FRORE_TABLE_TASK, &tasks);
	struct f_owner_ex owner = {(int)row->owner_type, row->owner};
	int fd = staged(f, d);

	if (row->kind == FRORE_KIND_INHERIT || row->status & O_PATH)
		return 0;
	if (f->r->way == WAY_RENUMBER && f->task < tasks && task[f->task].pid == row->owner)
		owner.pid = (int)sys0(__NR_getpid);
	if (row->owner && sys_fcntl(fd, F_SETOWN_EX, (long)&owner) < 0)
		warn_fd(f, d, "has no owner for its signals any more:", "F_SETOWN", 0, 0);
	if (row->owner_sig)
		sys_fcntl(fd, F_SETSIG, row->owner_sig);
	/* the signal tells the number through which it was asked for */
	if (row->status & FASYNC && wanted_fd(f, d) >= 0)
		fd = wanted_fd(f, d);
	if (row->status & FASYNC)
		sys_fcntl(fd, F_SETFL, sys_fcntl(fd, F_GETFL, 0) | FASYNC);
	return 0;
}
