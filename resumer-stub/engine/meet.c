/* Meeting points of all tasks of a tree: nobody goes on before everybody has come, unless the resume is given up. */
#include <linux/futex.h>
#include <linux/wait.h>

#include "engine.h"

#define LOOK_NS 50000000LL

int tree_given_up(struct resume *r)
{
	return __atomic_load_n(&r->status->failed, __ATOMIC_SEQ_CST) || __atomic_load_n(&r->status->go, __ATOMIC_SEQ_CST) == 2;
}

/* Waits for what `options` name without taking it; returns si_code, 0 when there is nothing. */
int32_t child_news(int32_t pid, int options, int32_t *signo)
{
	int32_t info[32]; /* siginfo_t */

	info[2] = info[6] = 0;
	if (sys5(__NR_waitid, P_PID, pid, (long)info, options | WNOWAIT | __WALL, 0) < 0)
		return 0;
	*signo = info[6]; /* or the exit code */
	return info[2];
}

/* Has somebody killed one of our children? It would be waited for at every meeting point for ever. */
int tree_lost_child(struct resume *r)
{
	uint64_t count, i;
	const struct frore_task *all = ROWS(&r->artefact, TASK, &count);
	int32_t own = (int32_t)sys0(__NR_getpid), signo = 0;
	char line[80];
	struct text t = text_in(line, sizeof(line));

	for (i = 0; i < count; i++) {
		if (all[i].parent >= count || all[all[i].parent].pid != own)
			continue;
		if (all[i].flags & FRORE_TASK_ZOMBIE && __atomic_load_n(&r->status->open[MEETING_MAPPED], __ATOMIC_SEQ_CST))
			continue;
		if (!child_news(all[i].pid, WEXITED | WNOHANG, &signo) || tree_given_up(r))
			continue;
		text_str(&t, "process ");
		text_dec(&t, all[i].pid);
		text_str(&t, " was killed (");
		text_signal(&t, signo);
		text_str(&t, ") before it was complete");
		refuse(r, "cannot resume:", line, 0, 0);
		return 1;
	}
	return 0;
}

/* Comes without waiting for the others. Only the last one wakes: if each did, n tasks would be woken n times. */
void tree_arrive(struct resume *r, enum meeting meeting)
{
	uint32_t *open = &r->status->open[meeting];
	uint64_t count;

	ROWS(&r->artefact, TASK, &count);
	if (__atomic_add_fetch(&r->status->arrived[meeting], 1, __ATOMIC_SEQ_CST) < count)
		return;
	__atomic_store_n(open, 1, __ATOMIC_SEQ_CST);
	sys_futex(open, FUTEX_WAKE, 0x7fffffff, 0);
}

/* Waits until as many have come as there are tasks; -1 when the resume is given up meanwhile. */
long tree_meet(struct resume *r, enum meeting meeting)
{
	uint32_t *open = &r->status->open[meeting];
	int64_t look[2] = {0, LOOK_NS};
	uint64_t count;

	ROWS(&r->artefact, TASK, &count);
	if (count == 1)
		return 0;
	tree_arrive(r, meeting);
	while (!__atomic_load_n(open, __ATOMIC_SEQ_CST)) {
		if (tree_given_up(r) || tree_lost_child(r))
			return -1;
		sys_futex(open, FUTEX_WAIT, 0, look);
	}
	return 0;
}

long tree_meet_sharers(struct resume *r, enum meeting meeting)
{
	uint64_t count;
	const struct frore_task *all = ROWS(&r->artefact, TASK, &count);
	uint32_t i;

	for (i = 0; i < count; i++)
		if (all[i].flags & FRORE_TASK_SHARES_FILES)
			return tree_meet(r, meeting);
	return 0;
}

/* Tells the launcher, who waits for all. */
void tree_ready(struct resume *r)
{
	uint32_t *ready = &r->status->ready;
	uint64_t count;

	ROWS(&r->artefact, TASK, &count);
	if ((__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST) & READY_MASK) >= count)
		sys_futex(ready, FUTEX_WAKE, 1, 0);
}
