/*
 * The root task and those above it, each with the id it had, so that getpid, getppid, getpgrp and getsid answer as before:
 * [session leader, gone again] -> fake parent -> [group leader, gone again], root task.
 */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "launcher.h"

void family_failed(struct launch *l, enum step step, long err)
{
	struct family *f = &l->r->status->family;

	f->step = step;
	f->error = (int32_t)err;
	status_event(l->r);
}

/* With an id where that is possible, with any id otherwise. */
static long clone_perhaps(struct launch *l, uint64_t flags, int32_t id)
{
	long ret = -1;

	if (l->sets_ids && id > 0)
		ret = clone_with_id(flags, id, 0);
	return ret < 0 ? clone_plain(flags, 0) : ret;
}

/*
 * Does the root lead its session itself? On a terminal of its own it leads only if it did: a group whose members have no parent in
 * the session is orphaned, and such groups are not stopped by ctrl-Z (setpgid(2)). So its parent leads, where it has one of ours,
 * and lives on: a terminal is lost with the leader of its session.
 */
static int leads_session(const struct launch *l)
{
	const struct frore_task *t = l->root;

	if (!l->new_session || t->sid == t->pid)
		return l->new_session;
	if (l->own.slave >= 0)
		return t->ppid <= 1 && t->sid != t->ppid;
	return !l->sets_ids || l->leads_anyway;
}

static _Noreturn void root_main(struct launch *l)
{
	struct status *s = l->r->status;
	long ret;

	sys_close(l->marker);
	sys_close(l->event);
	if (l->announce >= 0)
		sys_close(l->announce);
	if (l->r->dry_run) {
		__atomic_fetch_add(&s->ready, 1, __ATOMIC_SEQ_CST);
		sys_futex(&s->ready, 1 /* FUTEX_WAKE */, 1, 0);
		while (__atomic_load_n(&s->go, __ATOMIC_SEQ_CST) == 0)
			sys_futex(&s->go, 0 /* FUTEX_WAIT */, 0, 0);
		sys_exit_group(0);
	}
	devpts_enter(l);
	if (leads_session(l))
		own_tty_session(l);
	if (l->own.slave >= 0)
		own_tty_streams(l);
	if (l->own_ipc && l->r->way != WAY_PRIVATE && (ret = sys1(__NR_unshare, CLONE_NEWIPC)) < 0) {
		refuse(l->r, "cannot separate", "System V IPC objects", -ret, "run it as root, or where user namespaces are allowed");
		sys_exit_group(EXIT_OWN_FAILURE);
	}
	engine_resume(l->r, l->root_row);
}

/* The process group is made by its leader, which need not live on: the root keeps it in being. */
static long make_group(struct launch *l)
{
	long leader = clone_with_id(CLONE_FILES, l->root->pgid, 0);

	if (leader == 0)
		for (;;)
			sys0(__NR_pause);
	if (leader > 0)
		sys2(__NR_setpgid, leader, leader);
	return leader;
}

static void end_group_leader(long leader)
{
	if (leader <= 0)
		return;
	sys_kill((int)leader, SIGKILL);
	sys_wait((int)leader, 0, 0);
}

/* Which process group the root is to join; `leader` is set when that had to be made. */
static int32_t choose_group(struct launch *l, long *leader)
{
	const struct frore_task *t = l->root;

	if (t->pgid <= 0 || t->pgid == t->pid || !l->sets_ids)
		return 0;
	if (t->pgid == (int32_t)sys0(__NR_getpgrp))
		return t->pgid;
	if (t->pgid == (int32_t)sys0(__NR_getpid))
		return sys2(__NR_setpgid, 0, 0) < 0 ? 0 : t->pgid;
	*leader = make_group(l);
	return *leader > 0 ? t->pgid : 0;
}

static long clone_root(struct launch *l, int *pidfd)
{
	int32_t wanted = l->root->pid;
	long pid;

	if (l->sets_ids)
		return clone_with_id(0, wanted, pidfd);
	if (l->r->way != WAY_WALK)
		return clone_plain(0, pidfd);
	for (;;) {
		if (walk_to(wanted) < 0)
			return -62; /* ETIME */
		pid = clone_plain(0, pidfd);
		if (pid == 0 && sys0(__NR_getpid) != wanted) /* somebody else was quicker: once more */
			sys_exit_group(0);
		if (pid <= 0 || pid == wanted)
			return pid;
		sys_close(*pidfd);
		sys_wait((int)pid, 0, 0);
	}
}

/* The fake parent leads the session of the program's own terminal; only a member of the session may do this. */
static void give_foreground(struct launch *l, int32_t group)
{
	sys_ioctl(l->own.slave, TIOCSPGRP, &group);
}

/* By the root's parent. Returns its pid. */
static long start_root(struct launch *l)
{
	struct family *f = &l->r->status->family;
	long leader = 0, pid;
	int32_t group = choose_group(l, &leader);
	int pidfd = -1;

	pid = clone_root(l, &pidfd);
	if (pid == 0)
		root_main(l);
	if (pid > 0) {
		if (!leads_session(l)) /* a group leader could not */
			sys2(__NR_setpgid, pid, group);
		if (l->own.slave >= 0 && !leads_session(l))
			give_foreground(l, group ? group : (int32_t)pid);
		f->pid = (int32_t)pid;
		f->pidfd = pidfd;
		__atomic_store_n(&f->launched, 1, __ATOMIC_SEQ_CST);
		status_event(l->r); /* the root may have been ready before */
	}
	end_group_leader(leader);
	if (pid < 0)
		family_failed(l, l->sets_ids ? STEP_SET_TID : l->r->way == WAY_WALK ? STEP_WALK : STEP_FORK, -pid);
	return pid;
}

static _Noreturn void parent_main(struct launch *l)
{
	const struct frore_task *t = l->root;
	long root;

	helper_prepare(l, "frore-parent");
	if (l->r->way != WAY_PRIVATE)
		sys_prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0); /* in the private way the relay's end is everybody's */
	if (l->new_session && !leads_session(l) && (l->own.slave >= 0 || t->sid == t->ppid)) /* also without its old id */
		own_tty_session(l);
	if (l->r->way != WAY_PRIVATE)
		clock_continue(l);
	root = start_root(l);
	if (root < 0)
		sys_exit_group(EXIT_OWN_FAILURE);
	helper_wait(l, (int)root, (int)root);
}

/* The session is made by its leader, whose child the fake parent must be; CLONE_PARENT makes it ours all the same. */
static long start_in_session(struct launch *l, uint64_t flags)
{
	struct family *f = &l->r->status->family;
	long leader = clone_with_id(flags, l->root->sid, 0), parent;

	if (leader < 0)
		return -1;
	if (leader == 0) {
		sys0(__NR_setsid);
		parent = clone_perhaps(l, flags | CLONE_PARENT, l->root->ppid);
		if (parent == 0)
			parent_main(l);
		f->parent = (int32_t)parent;
		sys_exit_group(0);
	}
	sys_wait((int)leader, 0, 0);
	return f->parent;
}

static int needs_session_leader(struct launch *l)
{
	const struct frore_task *t = l->root;

	return l->new_session && l->sets_ids && l->own.slave < 0 && t->sid > 1 && t->sid != t->pid && t->sid != t->ppid;
}

long family_start(struct launch *l)
{
	long parent = -1;

	l->leads_anyway = 0;
	if (needs_session_leader(l)) {
		parent = start_in_session(l, CLONE_FILES);
		if (parent > 0)
			return parent;
		l->leads_anyway = 1; /* the session's id is in use */
	}
	parent = clone_perhaps(l, CLONE_FILES, l->root->ppid);
	if (parent == 0)
		parent_main(l);
	if (parent < 0)
		family_failed(l, STEP_FORK, -parent);
	return parent;
}

/* pid 1 of the own namespace; when that was the root's parent, it plays this part too. */
_Noreturn void family_relay(struct launch *l)
{
	int direct = l->root->ppid <= 1;
	long watched;

	helper_prepare(l, "frore-relay");
	sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (namespaces_enter(l) < 0)
		sys_exit_group(EXIT_OWN_FAILURE);
	clock_continue(l);
	if (direct && l->new_session && l->root->sid == 1 && l->root->ppid == 1)
		own_tty_session(l);
	watched = direct ? start_root(l) : family_start(l);
	if (watched < 0)
		sys_exit_group(EXIT_OWN_FAILURE);
	helper_wait(l, (int)watched, direct ? (int)watched : 0);
}

/* The root was itself pid 1: it gets that id by being the first in its namespace, with the launcher as parent outside. */
_Noreturn void family_init(struct launch *l)
{
	struct family *f = &l->r->status->family;

	sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (namespaces_enter(l) < 0)
		sys_exit_group(EXIT_OWN_FAILURE);
	if (!leads_session(l))
		sys2(__NR_setpgid, 0, 0);
	__atomic_store_n(&f->launched, 1, __ATOMIC_SEQ_CST);
	root_main(l);
}
