/* The ways in which a program gets its old ids back. What is allowed here is found out by doing it. */
#include <linux/futex.h>
#include <linux/sched.h>

#include "launcher.h"

#define EPERM 1
#define ESRCH 3
#define EEXIST 17

static void note(struct launch *l, enum way way, enum step step, long err)
{
	l->why[way].step = step;
	l->why[way].error = (int32_t)err;
}

/* First id of the tree that somebody has in our pid namespace, 0 none. */
static int32_t id_in_use(struct launch *l)
{
	uint64_t count, i;
	const struct frore_thread *t = artefact_table(&l->r->artefact, FRORE_TABLE_THREAD, &count);

	for (i = 0; i < count; i++)
		if (sys_kill(t[i].tid, 0) != -ESRCH)
			return t[i].tid;
	return 0;
}

/* May we ask for ids here at all? pid 1 exists always, so a permitted request ends in EEXIST and has no effect. */
static long may_choose(const struct launch *l)
{
	long ret = l->uid == 0 ? -EEXIST : clone_with_id(0, 1, 0);

	return ret == -EEXIST ? 0 : ret;
}

/* Tried by a child that ends at once. */
static long may_separate_ipc(void)
{
	long child = clone_plain(CLONE_NEWIPC, 0);

	if (child == 0)
		sys_exit_group(0);
	if (child > 0)
		sys_wait((int)child, 0, 0);
	return child;
}

int way_hopeless(struct launch *l, enum way way)
{
	int32_t busy = 0;
	long ret = 0;

	if (l->foreign && way != WAY_PRIVATE)
		note(l, way, STEP_USER, 0);
	else if (way == WAY_WALK && l->task_count > 1)
		note(l, way, STEP_TREE, 0);
	else if ((way == WAY_HOST || way == WAY_WALK) && (busy = id_in_use(l)))
		note(l, way, STEP_BUSY, busy);
	else if (way == WAY_HOST && (ret = may_choose(l)) < 0)
		note(l, way, STEP_SET_TID, -ret);
	else if (way != WAY_PRIVATE && l->own_ipc && (ret = may_separate_ipc()) < 0)
		note(l, way, STEP_IPC, -ret);
	else
		return 0;
	return 1;
}

static void give_maps(struct launch *l, int child)
{
	struct family *f = &l->r->status->family;
	long ret = namespaces_write_maps(l, child);

	f->error = (int32_t)-ret;
	__atomic_store_n(&f->maps, ret < 0 ? 2 : 1, __ATOMIC_SEQ_CST);
	sys_futex(&f->maps, FUTEX_WAKE, 1, 0);
}

static long start_private(struct launch *l)
{
	struct family *f = &l->r->status->family;
	int is_init = l->root->pid == 1, pidfd = -1;
	uint64_t namespaces = CLONE_NEWPID | CLONE_NEWNS | (l->own_ipc ? CLONE_NEWIPC : 0), shared = is_init ? 0 : CLONE_FILES;
	int *pidfd_for_init = is_init ? &pidfd : 0;
	long child = -EPERM;

	l->user_namespace = l->uid != 0;
	l->r->own_user_namespace = l->user_namespace;
	if (!l->user_namespace)
		child = clone_plain(namespaces | shared, pidfd_for_init);
	if (child == -EPERM) {
		l->user_namespace = l->r->own_user_namespace = 1;
		child = clone_plain(namespaces | CLONE_NEWUSER | shared, pidfd_for_init);
	}
	if (child == 0 && is_init)
		family_init(l);
	if (child == 0)
		family_relay(l);
	if (child < 0) {
		note(l, WAY_PRIVATE, STEP_NAMESPACES, -child);
		return -1;
	}
	if (is_init)
		f->pidfd = pidfd;
	if (l->user_namespace)
		give_maps(l, (int)child);
	return child;
}

long way_start(struct launch *l, enum way way)
{
	struct family *f = &l->r->status->family;
	long child;

	memset(f, 0, sizeof(*f));
	f->pidfd = -1;
	l->r->way = way;
	l->r->own_user_namespace = l->user_namespace = 0;
	l->sets_ids = way == WAY_HOST || way == WAY_PRIVATE;
	child = way == WAY_PRIVATE ? start_private(l) : family_start(l);
	if (child < 0) {
		if (l->why[way].step == STEP_NONE)
			note(l, way, f->step ? (enum step)f->step : STEP_FORK, f->error);
		return -1;
	}
	l->child = (int)child;
	return 0;
}
