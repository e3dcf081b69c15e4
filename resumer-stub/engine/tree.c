/*
 * The tree: every task forks its children before it turns into itself, so that descriptors and shared memory are inherited as they
 * were; all of them meet before process groups are joined, before seals are set, and before the first instruction.
 */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/wait.h>

#include "engine.h"

#define LOOK_NS 50000000LL

struct clone_arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static const struct frore_task *tasks_of(const struct resume *r, uint64_t *count)
{
	return ROWS(&r->artefact, TASK, count);
}

int tree_is_root(const struct resume *r, uint32_t task)
{
	uint64_t count;
	const struct frore_machine *m = ROWS(&r->artefact, MACHINE, &count);

	return count && m->root_task == task;
}

int tree_given_up(struct resume *r)
{
	return __atomic_load_n(&r->status->failed, __ATOMIC_SEQ_CST) || __atomic_load_n(&r->status->go, __ATOMIC_SEQ_CST) == 2;
}

/* Waits until as many have come as there are tasks; -1 when the resume is given up meanwhile. */
long tree_meet(struct resume *r, enum meeting meeting)
{
	uint32_t *open = &r->status->open[meeting];
	int64_t look[2] = {0, LOOK_NS};
	uint64_t count;

	tasks_of(r, &count);
	if (count == 1)
		return 0;
	/* only the last one wakes: if each did, n tasks would be woken n times */
	if (__atomic_add_fetch(&r->status->arrived[meeting], 1, __ATOMIC_SEQ_CST) >= count) {
		__atomic_store_n(open, 1, __ATOMIC_SEQ_CST);
		sys_futex(open, FUTEX_WAKE, 0x7fffffff, 0);
	}
	while (!__atomic_load_n(open, __ATOMIC_SEQ_CST)) {
		if (tree_given_up(r))
			return -1;
		sys_futex(open, FUTEX_WAIT, 0, look);
	}
	return 0;
}

/* Tells the launcher, who waits for all. */
void tree_ready(struct resume *r)
{
	uint32_t *ready = &r->status->ready;
	uint64_t count;

	tasks_of(r, &count);
	if ((__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST) & READY_MASK) >= count)
		sys_futex(ready, FUTEX_WAKE, 1, 0);
}

/* The group a task belongs to now: the root's may be another than at the freeze, because the launcher chose it. */
static int32_t group_now(struct resume *r, const struct frore_task *t)
{
	uint64_t count, one;
	const struct frore_task *all = tasks_of(r, &count);
	const struct frore_machine *m = ROWS(&r->artefact, MACHINE, &one);
	const struct frore_task *root = &all[m->root_task];

	return t->pgid == root->pgid ? (int32_t)sys1(__NR_getpgid, root->pid) : t->pgid;
}

/* Joins the process group when all of them exist; returns when everybody has. */
long tree_groups(struct resume *r, uint32_t task)
{
	uint64_t count;
	const struct frore_task *t = &tasks_of(r, &count)[task];
	int32_t group;
	long ret = 0;

	if (tree_meet(r, MEETING_EXIST) < 0)
		return -1;
	if (!tree_is_root(r, task) && t->pgid > 0) {
		group = group_now(r, t);
		if (group > 0 && group != (int32_t)sys0(__NR_getpgrp))
			ret = sys2(__NR_setpgid, 0, group);
		if (ret < 0)
			warn(r, "cannot give back a process group", "", -ret, "its leader had ended; signals to the group miss this process");
	}
	return tree_meet(r, MEETING_GROUPS);
}

static void end_as(uint32_t status)
{
	uint64_t none[2] = {0, 0}, mask;
	uint32_t signo = status & 0x7f;
	struct {
		uint64_t handler, flags, restorer, mask;
	} act = {0, 0, 0, 0};

	if (signo) {
		sys2(__NR_setrlimit, 4 /* RLIMIT_CORE */, (long)none);
		sys4(__NR_rt_sigaction, signo, (long)&act, 0, 8);
		sys2(__NR_kill, sys0(__NR_getpid), signo);
		mask = 1ULL << (signo - 1);
		sys4(__NR_rt_sigprocmask, SIG_UNBLOCK, (long)&mask, 0, 8);
	}
	sys_exit_group((int)(status >> 8 & 0xff));
}

/* A task that has ended and whose parent has not asked yet: lives until the groups are joined. */
static _Noreturn void be_zombie(struct resume *r, uint32_t task)
{
	uint64_t count, threads;
	const struct frore_task *t = &tasks_of(r, &count)[task];
	const struct frore_thread *h = ROWS(&r->artefact, THREAD, &threads);

	if (t->nthreads && t->first_thread < threads)
		sys_prctl(PR_SET_NAME, (unsigned long)artefact_text(&r->artefact, h[t->first_thread].comm), 0, 0, 0);
	sys3(__NR_close_range, 0, ~0U, 0);
	if (tree_groups(r, task) == 0 && tree_meet(r, MEETING_MAPPED) == 0)
		tree_ready(r);
	end_as(t->wait_status);
	sys_exit_group(EXIT_OWN_FAILURE);
}

static void become_child(const struct frore_task *t)
{
	if (t->sid == t->pid)
		sys0(__NR_setsid);
	else if (t->pgid == t->pid)
		sys2(__NR_setpgid, 0, 0);
}

static long clone_child(struct resume *r, const struct frore_task *t)
{
	int32_t pid = t->pid;
	struct clone_arguments args = {.exit_signal = t->exit_signal ? t->exit_signal : SIGCHLD};

	if (r->way != WAY_HOST && r->way != WAY_PRIVATE)
		return refuse(r, "cannot resume", "several processes with new pids", 0,
			      "run it as root, or where user namespaces are allowed");
	args.set_tid = (uint64_t)&pid;
	args.set_tid_size = 1;
	return sys2(__NR_clone3, (long)&args, sizeof(args));
}

/* The root's group is set by its parent; what is forked earlier would miss it. */
static void await_launch(struct resume *r)
{
	while (!__atomic_load_n(&r->status->family.launched, __ATOMIC_SEQ_CST) && !tree_given_up(r))
		sys0(__NR_sched_yield);
}

/*
 * Forks the children of *task. Returns 0 in the parent; in each child 1, with *task set to it (zombies never return), and -1 after
 * a refusal.
 */
long tree_fork(struct resume *r, uint32_t *task)
{
	uint64_t count;
	const struct frore_task *all = tasks_of(r, &count);
	uint32_t i, parent = *task;

	if (count > 1 && tree_is_root(r, parent))
		await_launch(r);
	for (i = 0; i < count; i++) {
		long pid;

		if (all[i].parent != parent)
			continue;
		pid = clone_child(r, &all[i]);
		if (pid < 0) {
			if (pid == -17)
				r->status->pid_taken = 1;
			return r->status->failed ? -1
						 : refuse(r, "cannot create", "a process with its old id", -pid,
							  pid == -17 ? "the id is in use: run it with --pid private" : 0);
		}
		if (pid > 0)
			continue;
		become_child(&all[i]);
		if (all[i].flags & FRORE_TASK_ZOMBIE)
			be_zombie(r, i);
		*task = i;
		return 1;
	}
	return 0;
}

/* Their ends are pending signals for us, which are discarded when the dispositions are set (signals.c). */
void tree_await_zombies(struct resume *r, uint32_t task)
{
	uint64_t count, i;
	const struct frore_task *all = tasks_of(r, &count);
	uint8_t info[128];

	for (i = 0; i < count; i++)
		if (all[i].parent == task && all[i].flags & FRORE_TASK_ZOMBIE)
			sys5(__NR_waitid, P_PID, all[i].pid, (long)info, WEXITED | WNOWAIT | __WALL, 0);
}

/* A job in the foreground: its group gets the terminal that the launcher has just given to the root's. */
void tree_foreground(struct resume *r, uint32_t task)
{
	uint64_t count, one;
	const struct frore_task *all = tasks_of(r, &count), *t = &all[task];
	const struct frore_machine *m = ROWS(&r->artefact, MACHINE, &one);
	int32_t group = t->pgid;
	long fd;

	if (!(t->flags & FRORE_TASK_FOREGROUND) || t->pgid != t->pid || t->pgid == all[m->root_task].pgid)
		return;
	fd = sys_open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY, 0);
	if (fd < 0)
		return;
	sys_ioctl((int)fd, TIOCSPGRP, &group);
	sys_close((int)fd);
}
