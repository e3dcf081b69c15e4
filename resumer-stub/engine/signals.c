/* Signal dispositions and pending signals. Masks and alternate stacks come back with the signal frames (registers.c). */
#include "engine.h"

#define IGNORE 1
#define SIGNAL_CHILD 17

struct kernel_sigaction {
	uint64_t handler, flags, restorer, mask;
};

/* All 64: what the launcher's parent ignored must not leak into the target. */
long signals_actions(struct engine *e)
{
	uint64_t count, i;
	const struct frore_sigaction *row = ROWS(&e->r->artefact, SIGACTION, &count);
	struct kernel_sigaction act;
	uint32_t signo;
	long ret;

	memset(&act, 0, sizeof(act));
	act.handler = IGNORE; /* which also discards what is pending from the making of the tree */
	sys4(__NR_rt_sigaction, SIGNAL_CHILD, (long)&act, 0, 8);
	act.handler = 0;
	for (signo = 1; signo <= 64; signo++)
		if (signo != 9 && signo != 19)
			sys4(__NR_rt_sigaction, signo, (long)&act, 0, 8);
	for (i = 0; i < count; i++) {
		if (row[i].task != e->task_row || row[i].signo == 9 || row[i].signo == 19)
			continue;
		act.handler = row[i].handler;
		act.flags = row[i].flags;
		act.restorer = row[i].restorer;
		act.mask = row[i].mask;
		ret = sys4(__NR_rt_sigaction, row[i].signo, (long)&act, 0, 8);
		if (ret < 0)
			return refuse(e->r, "cannot set", "a signal handler", -ret, 0);
	}
	return 0;
}

/*
 * Queues again what was pending for this thread, and for the process when this is its leader. Everything is blocked now;
 * a task may send itself any siginfo (kernel/signal.c, do_rt_sigqueueinfo).
 */
long signals_pending(struct engine *e, uint32_t thread)
{
	uint64_t count, i;
	const struct frore_pending *row = ROWS(&e->r->artefact, PENDING, &count);
	uint32_t own = e->task->first_thread + thread;
	long pid = sys0(__NR_getpid), tid = sys0(__NR_gettid), ret;

	for (i = 0; i < count; i++) {
		const int32_t *info = artefact_bytes(&e->r->artefact, row[i].siginfo);
		int shared = row[i].thread == FRORE_NONE;

		if (row[i].task != e->task_row || (shared ? thread != 0 : row[i].thread != own))
			continue;
		ret = shared ? sys3(__NR_rt_sigqueueinfo, pid, info[0], (long)info)
			     : sys4(__NR_rt_tgsigqueueinfo, pid, tid, info[0], (long)info);
		if (ret < 0)
			return refuse(e->r, "cannot queue", "a pending signal", -ret, "raise ulimit -i");
	}
	return 0;
}
