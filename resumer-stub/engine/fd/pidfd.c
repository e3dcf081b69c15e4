/* pidfd_open(2): opened last, when the processes exist; until then something harmless stands at the number. */
#include <linux/sched.h>
#include <linux/wait.h>

#include "kinds.h"

#define PIDFD_FLAGS (O_NONBLOCK | O_EXCL)

/* A pidfd of a process that has ended: of a child that ends at once, without a signal to anybody. */
static long ended_process(int flags)
{
	long pid = sys5(__NR_clone, 0, 0, 0, 0, 0), fd;

	if (pid == 0)
		sys_exit_group(0);
	if (pid < 0)
		return pid;
	fd = sys2(__NR_pidfd_open, pid, flags & O_NONBLOCK);
	sys4(__NR_wait4, pid, 0, __WALL, 0);
	return fd;
}

long pidfd_open(struct fds *f, uint32_t d, const struct frore_pidfd *row)
{
	long fd = row->pid <= 0 ? ended_process((int)row->flags & PIDFD_FLAGS) : sys2(__NR_eventfd2, 0, O_CLOEXEC);

	return stage(f, d, fd, "cannot make", "a pidfd", 0);
}

long pidfd_finish(struct fds *f, uint32_t d, const struct frore_pidfd *row)
{
	uint64_t tasks;
	const struct frore_task *task = artefact_table(f->a, FRORE_TABLE_TASK, &tasks);
	int flags = (int)row->flags & PIDFD_FLAGS, pid = row->pid;
	long fd;

	if (pid <= 0)
		return 0;
	if (f->r->way == WAY_RENUMBER && f->task < tasks && task[f->task].pid == pid)
		pid = (int)sys0(__NR_getpid);
	fd = sys2(__NR_pidfd_open, pid, flags);
	if (fd < 0)
		return refuse_fd(f, d, "cannot open", "a pidfd", fd, 0);
	replace_staged(f, d, (int)fd);
	return 0;
}
