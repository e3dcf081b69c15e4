/*
 * The tree: every task forks its children before it turns into itself, so that descriptors and shared memory are inherited as they
 * were; all of them meet before process groups are joined, before seals are set, and before the first instruction.
 */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "engine.h"

#define CHILD_STOPPED 5 /* CLD_STOPPED, asm-generic/siginfo.h */
#define EEXIST 17
#define EINVAL 22
#define LOOK_NS 50000000LL

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

int tree_shares(const struct resume *r, uint32_t task, uint32_t flag)
{
	uint64_t count;
	const struct frore_task *all = tasks_of(r, &count);

	return (all[task].flags & flag) != 0;
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

static void warn_group(struct resume *r, const struct frore_task *t, long err)
{
	char line[64];
	struct text text = text_in(line, sizeof(line));

	text_dec(&text, t->pgid);
	text_str(&text, " of process ");
	text_dec(&text, t->pid);
	warn(r, "cannot give back process group", line, err, "signals to the group miss this process");
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
			warn_group(r, t, -ret);
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
	uint64_t count;
	const struct frore_task *t = &tasks_of(r, &count)[task];

	if (t->cmdline.length)
		sys_prctl(PR_SET_NAME, (unsigned long)artefact_bytes(&r->artefact, t->cmdline), 0, 0, 0);
	sys3(__NR_close_range, 0, ~0U, 0);
	tree_arrive(r, MEETING_PLACED);
	tree_arrive(r, MEETING_READ);
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

static long clone_child(struct resume *r, const struct frore_task *maker, const struct frore_task *t)
{
	uint64_t count;
	const struct frore_task *all = tasks_of(r, &count);
	int32_t pid = t->pid;
	struct clone_arguments args = {.exit_signal = t->exit_signal ? t->exit_signal : SIGCHLD};

	if (r->way != WAY_HOST && r->way != WAY_PRIVATE)
		return refuse(r, "cannot resume", "several processes with new pids", 0,
			      "run it as root, or where user namespaces are allowed");
	if (t->parent >= count)
		return refuse(r, "cannot resume this file: it is damaged,", "a task has no parent", 0, 0);
	args.flags = (t->flags & FRORE_TASK_SHARES_FILES ? CLONE_FILES : 0) | (t->flags & FRORE_TASK_SHARES_FS ? CLONE_FS : 0);
	if (&all[t->parent] != maker) { /* it is to be the maker's brother; the exit signal comes from the maker's own */
		args.flags = CLONE_PARENT;
		args.exit_signal = 0;
	}
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

static int is_made_by(const struct frore_task *all, uint32_t i, uint32_t maker, int early)
{
	return all[i].maker == maker && i != maker && !!(all[i].flags & FRORE_TASK_EARLY) == early;
}

static int makes_early_ones(struct resume *r, uint32_t task)
{
	uint64_t count, i;
	const struct frore_task *all = tasks_of(r, &count);

	for (i = 0; i < count; i++)
		if (is_made_by(all, (uint32_t)i, task, 1))
			return 1;
	return 0;
}

/* Ids in use, and those above kernel.pid_max (which namespaces have each for themselves since 6.14), may be free another way. */
static long refuse_child(struct resume *r, const struct frore_task *t, long err)
{
	char line[64];
	struct text text = text_in(line, sizeof(line));

	text_dec(&text, t->pid);
	text_str(&text, " with its old id");
	if (err == -EEXIST || err == -EINVAL)
		r->status->pid_taken = 1;
	return r->status->failed ? -1 : refuse(r, "cannot create process", line, -err, id_hint(err));
}

/* Forks those that *task makes, early or not. In each of them 1, with *task set to it. */
static long fork_those(struct resume *r, uint32_t *task, int early)
{
	uint64_t count;
	const struct frore_task *all = tasks_of(r, &count);
	uint32_t i, maker = *task;
	long pid;

	for (i = 0; i < count; i++) {
		if (!is_made_by(all, i, maker, early))
			continue;
		pid = clone_child(r, &all[maker], &all[i]);
		if (pid < 0)
			return refuse_child(r, &all[i], pid);
		if (pid > 0)
			continue;
		*task = i;
		if (!makes_early_ones(r, i))
			become_child(&all[i]);
		return 1;
	}
	return 0;
}

/*
 * Forks what *task is to make. Returns 0 in the maker; in each of the others 1, with *task set to it, and -1 after a refusal. What
 * has ended makes the brothers that only it can make, ends, and never returns.
 */
long tree_fork(struct resume *r, uint32_t *task)
{
	uint64_t count;
	const struct frore_task *all = tasks_of(r, &count);
	long forked;

	if (count > 1 && tree_is_root(r, *task))
		await_launch(r);
	for (;;) {
		forked = fork_those(r, task, 1);
		if (forked == 0 && !tree_is_root(r, *task) && makes_early_ones(r, *task))
			become_child(&all[*task]);
		if (forked == 0)
			forked = fork_those(r, task, 0);
		if (!(all[*task].flags & FRORE_TASK_ZOMBIE) || forked < 0)
			return forked;
		if (forked == 0)
			be_zombie(r, *task);
	}
}

/* The parent's SIGCHLDs are discarded with the dispositions set after this; what stood in for others is gone for good. */
void tree_await_zombies(struct resume *r, uint32_t task)
{
	uint64_t count, i;
	const struct frore_task *all = tasks_of(r, &count);
	uint8_t info[128];

	for (i = 0; i < count; i++) {
		if (all[i].parent != task || !(all[i].flags & FRORE_TASK_ZOMBIE))
			continue;
		sys5(__NR_waitid, P_PID, all[i].pid, (long)info,
		     WEXITED | __WALL | (all[i].flags & FRORE_TASK_TEMPORARY ? 0 : WNOWAIT), 0);
	}
}

static int has_recorded(struct resume *r, uint32_t task, int32_t signo)
{
	uint64_t count, i;
	const struct frore_pending *row = ROWS(&r->artefact, PENDING, &count);

	for (i = 0; i < count; i++)
		if (row[i].task == task && *(const int32_t *)artefact_bytes(&r->artefact, row[i].siginfo) == signo)
			return 1;
	return 0;
}

/*
 * After go: children that were stopped stop again, which is no news for us: the kernel's word to wait(2) is taken where the program
 * had heard it, and so is the SIGCHLD, unless another child has ended meanwhile and is hidden behind it.
 */
void tree_await_stops(struct resume *r, uint32_t task)
{
	uint64_t count, i, mask = 1ULL << (SIGCHLD - 1);
	const struct frore_task *all = tasks_of(r, &count);
	int64_t none[2] = {0, 0};
	uint8_t info[128];
	int32_t signo;
	int stops = 0;

	for (i = 0; i < count; i++) {
		if (all[i].parent != task || !(all[i].flags & FRORE_TASK_STOPPED))
			continue;
		if (child_news(all[i].pid, WSTOPPED | WEXITED, &signo) == CHILD_STOPPED && !(all[i].flags & FRORE_TASK_STOP_UNTOLD))
			sys5(__NR_waitid, P_PID, all[i].pid, (long)info, WSTOPPED | WNOHANG, 0);
		stops++;
	}
	if (!stops || has_recorded(r, task, SIGCHLD))
		return;
	sys4(__NR_rt_sigtimedwait, (long)&mask, 0, (long)none, 8);
	for (i = 0; i < count; i++)
		if (all[i].parent == task && !(all[i].flags & FRORE_TASK_ZOMBIE) && child_news(all[i].pid, WEXITED | WNOHANG, &signo))
			sys2(__NR_kill, sys0(__NR_getpid), SIGCHLD);
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
