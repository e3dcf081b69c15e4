/*
 * The story of a resume, for one task. Stages, and what is true after each:
 *   describe   the tables are bounded, the processor fits; nothing has changed
 *   open       every description is open, what descendants share is staged, they are forked and have it
 *   place      process groups are joined, every descriptor is in its place
 *   enter      we run in the working area, on our own stack
 *   clear      nothing but the working area is mapped
 *   fill       memory is as it was, the checksum of all that has been read compared
 *   threads    all threads exist with their ids and wait in the resident code
 *   finish     all other state is in place; the launcher knows (ready)
 *   go         timers run; the program runs
 * Until go any failure ends this process with a line in the status page, and nothing has been resumed.
 */
#include <linux/futex.h>

#include "engine.h"
#include "fd/fd.h"

long refuse_range(struct resume *r, const char *what, uint64_t start, uint64_t end, long err, const char *hint)
{
	char line[48];
	struct text t = text_in(line, sizeof(line));

	text_hex(&t, start);
	text_char(&t, '-');
	text_hex(&t, end);
	return refuse(r, what, line, -err, hint);
}

static long describe(struct engine *e, struct resume *r, uint32_t task)
{
	uint64_t tasks, mms, threads, vmas, i;
	const struct frore_task *t = ROWS(&r->artefact, TASK, &tasks);
	const struct frore_mm *m = ROWS(&r->artefact, MM, &mms);
	const struct frore_thread *h = ROWS(&r->artefact, THREAD, &threads);
	const struct frore_vma *v = ROWS(&r->artefact, VMA, &vmas);

	memset(e, 0, sizeof(*e));
	e->r = r;
	e->task_row = task;
	if (task >= tasks || t[task].mm >= mms || t[task].first_thread >= threads || t[task].nthreads == 0 ||
	    t[task].nthreads > threads - t[task].first_thread)
		return refuse(r, "cannot resume this file: it is damaged,", "a task points outside", 0, 0);
	e->task = &t[task];
	e->mm = &m[t[task].mm];
	e->threads = &h[t[task].first_thread];
	e->thread_count = t[task].nthreads;
	for (i = 0; i < e->thread_count; i++)
		if (e->threads[i].regs.length < 216)
			return refuse(r, "cannot resume this file: it is damaged,", "a thread has no registers", 0, 0);
	for (i = 0; i < vmas; i++) {
		if (v[i].mm != t[task].mm)
			continue;
		if (!e->vma_count++)
			e->vmas = &v[i];
		if (v[i].start >= v[i].end || (v[i].start | v[i].end) & (PAGE - 1) ||
		    (e->vma_count > 1 && v[i].start < v[i - 1].end))
			return refuse(r, "cannot resume this file: it is damaged,", "its mappings overlap", 0, 0);
	}
	registers_prepare(e);
	return pages_prepare(e);
}

/* Takes back what is visible outside: files that were made. The line that says why stands in the status page. */
_Noreturn static void give_up(struct resume *r, uint32_t task)
{
	descriptors_undo(r, task);
	sys_exit_group(EXIT_OWN_FAILURE);
}

static void ready(struct engine *e)
{
	struct status *s = e->r->status;
	int64_t look[2] = {0, 50000000};

	tree_ready(e->r);
	while (__atomic_load_n(&s->go, __ATOMIC_SEQ_CST) == 0 && !tree_given_up(e->r)) {
		uint32_t not_yet = 0;

		sys_futex(&s->go, FUTEX_WAIT, 0, look);
		if (__atomic_load_n(&s->go, __ATOMIC_SEQ_CST) == 0 && tree_lost_child(e->r)) /* either all go, or none */
			__atomic_compare_exchange_n(&s->go, &not_yet, 2, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	if (__atomic_load_n(&s->go, __ATOMIC_SEQ_CST) != 1)
		give_up(e->r, e->task_row);
}

/* The seals of a memfd forbid mappings that others may still have to make. */
static long seal(struct engine *e)
{
	if (tree_meet(e->r, MEETING_MAPPED) < 0)
		return -1;
	return tree_is_root(e->r, e->task_row) ? contents_seal(e->r) : 0;
}

static void story(struct engine *e)
{
	if (vdso_park(e) < 0 || vmas_unmap_all(e) < 0 || vmas_set_mm(e) < 0 || /* clear */
	    vmas_mark(e) < 0 || contents_map(e) < 0 || vmas_map(e) < 0 || lazy_map(e) < 0 || pages_fill(e) < 0 || contents_unmap(e) < 0 ||
	    seal(e) < 0 || vmas_finish(e) < 0 || guards_install(e) < 0 || vdso_place(e) < 0 || vmas_seal(e) < 0) /* fill */
		give_up(e->r, e->task_row);
	tree_await_zombies(e->r, e->task_row);
	if (signals_actions(e) < 0 || registers_permission(e) < 0 || threads_create(e) < 0 || /* threads */
	    timers_create(e) < 0 || process_finish(e) < 0 || tree_meet_sharers(e->r, MEETING_READ) < 0 ||
	    descriptors_finish(e->r, e->task_row) < 0 ||
	    limits_restore(e) < 0 || threads_leader(e) < 0) /* finish */
		give_up(e->r, e->task_row);
	ready(e);
	tree_foreground(e->r, e->task_row);
	tree_await_stops(e->r, e->task_row);
	timers_arm(e);
	threads_go(e);
}

/* Opens what this task shares with its descendants, then forks them: true in a child, which begins in its turn. */
static int begin(struct engine *e, struct resume *r, uint32_t *task)
{
	long forked;

	if (describe(e, r, *task) < 0 || vdso_find(r, &e->vdso) < 0 || (tree_is_root(r, *task) && contents_stage(r) < 0) ||
	    descriptors_open(r, *task) < 0)
		sys_exit_group(EXIT_OWN_FAILURE);
	pty_session(r, e->task, *task);
	if ((tree_is_root(r, *task) && cow_stage(e) < 0) || cow_fill(e) < 0)
		give_up(r, *task);
	forked = tree_fork(r, task);
	if (forked < 0)
		give_up(r, *task);
	return forked > 0;
}

/* Who shares a table opens nothing, not even for a moment, before every descriptor in it has its number. */
static long place(struct engine *e, struct resume *r, uint32_t task)
{
	if (tree_shares(r, task, FRORE_TASK_SHARES_FILES))
		return tree_meet_sharers(r, MEETING_PLACED) < 0 ? -1 : process_place(e);
	if (process_place(e) < 0 || descriptors_place(r, task) < 0)
		return -1;
	return tree_meet_sharers(r, MEETING_PLACED);
}

_Noreturn void engine_resume(struct resume *r, uint32_t task)
{
	struct engine e;

	while (begin(&e, r, &task))
		;
	if (tree_groups(r, task) < 0)
		give_up(r, task);
	pty_foreground(r, e.task, task);
	if (place(&e, r, task) < 0 || area_find(&e) < 0)
		give_up(r, task);
	area_enter(&e, story);
}
