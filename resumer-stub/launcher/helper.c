/* What relay and fake parent do for the rest of their lives: wait for children, and tell the launcher about the root. */
#include <asm/signal.h>
#include <linux/prctl.h>
#include <linux/wait.h>

#include "launcher.h"

void helper_prepare(struct launch *l, const char *name)
{
	(void)l;
	sys_prctl(PR_SET_NAME, (unsigned long)name, 0, 0, 0);
}

static int is_stop(int status)
{
	return (status & 0xff) == 0x7f;
}

static void wake_launcher(struct launch *l)
{
	uint64_t one = 1;

	status_event(l->r); /* before go it waits on the status page, after it on the eventfd */
	sys_write(l->event, &one, sizeof(one));
}

/* The relay outlives the launcher when orphans are left, so its own life must not hang on the launcher's any more. */
static void tell_end(struct launch *l)
{
	sys_prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	__atomic_store_n(&l->r->status->family.ended, 1, __ATOMIC_SEQ_CST);
	wake_launcher(l);
}

static void tell_stop(struct launch *l, int status)
{
	l->r->status->family.stop_status = status;
	__atomic_store_n(&l->r->status->family.stopped, 1, __ATOMIC_SEQ_CST);
	wake_launcher(l);
}

/* A child's news. `watched` is the root, or for the relay the fake parent, which has written the root's end down before it ended. */
static void reaped(struct launch *l, long pid, int status, int watched, int root)
{
	struct family *f = &l->r->status->family;

	if (pid != watched)
		return;
	if (is_stop(status)) {
		if (root)
			tell_stop(l, status);
		return;
	}
	if (root)
		f->wait_status = status;
	else if (!f->root_reaped)
		f->wait_status = SIGKILL; /* somebody killed the fake parent */
	f->root_reaped = 1;
	if (l->r->way == WAY_PRIVATE && root && sys0(__NR_getpid) != 1)
		sys_exit_group(0); /* the relay tells */
	tell_end(l);
}

static int reap_all(struct launch *l, int watched, int root)
{
	int status;
	long pid;

	while ((pid = sys_wait(-1, &status, WNOHANG | WUNTRACED | __WALL)) > 0)
		reaped(l, pid, status, watched, root);
	return pid == -10; /* ECHILD */
}

/* The launcher is gone without the root having ended, or has given up: take the tree along. */
static void launcher_gone(struct launch *l, int root)
{
	int given_up = __atomic_load_n(&l->r->status->go, __ATOMIC_SEQ_CST) == 2;

	if (root && (given_up || (l->r->way != WAY_PRIVATE && sys0(__NR_getppid) != l->pid)))
		take_down(root);
}

_Noreturn void helper_wait(struct launch *l, int watched, int root)
{
	uint64_t set = BIT(SIGCHLD) | BIT(SIGTERM);

	sys_munmap((uint64_t)l->r->artefact.base, l->r->artefact.base_length);
	sys1(__NR_chdir, (long)"/");
	launcher_gone(l, root); /* it may have ended before PR_SET_PDEATHSIG */
	while (!reap_all(l, watched, root)) {
		long signo = sys4(__NR_rt_sigtimedwait, (long)&set, 0, 0, 8);

		if (signo == SIGTERM)
			launcher_gone(l, root);
	}
	sys_exit_group(0);
}
