/* The launcher while the program comes up: whatever goes wrong here, nothing of it is left. */
#include <asm/signal.h>
#include <linux/futex.h>
#include <linux/wait.h>

#include "launcher.h"

#define EARLY (BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGTERM) | BIT(SIGHUP) | BIT(SIGCHLD))
#define SA_RESTORER_FLAG 0x04000000

static void on_early_signal(int signo)
{
	if (signo != SIGCHLD)
		stub_resume.status->family.interrupted = (uint32_t)signo;
	status_event(&stub_resume);
}

/*
 * Everything is blocked from here on but, while we wait, what interrupts the start. A signal that was ignored when we were started
 * (nohup, a background job of a script) goes on being ignored.
 */
void start_signals(struct launch *l)
{
	struct kernel_sigaction act, old;
	int signo;

	act.handler = (uint64_t)on_early_signal; /* not as an initialiser: clang would make it a constant that needs relocation */
	act.restorer = (uint64_t)stub_sigreturn;
	act.flags = SA_RESTORER_FLAG;
	act.mask = 0;
	sys_sigmask(SIG_SETMASK, ~0ULL);
	for (signo = 1; signo < 32; signo++)
		if (sys4(__NR_rt_sigaction, signo, 0, (long)&old, 8) == 0 && old.handler == 1 && signo != SIGCHLD)
			l->ignored |= BIT(signo);
	for (signo = 1; signo < 32; signo++)
		if (EARLY & ~l->ignored & BIT(signo))
			sys4(__NR_rt_sigaction, signo, (long)&act, 0, 8);
}

static uint32_t wait_for_change(struct launch *l, uint32_t seen)
{
	struct status *s = l->r->status;
	uint32_t now = __atomic_load_n(&s->ready, __ATOMIC_SEQ_CST);

	if (now == seen) {
		sys_sigmask(SIG_UNBLOCK, EARLY & ~l->ignored);
		sys_futex(&s->ready, FUTEX_WAIT, seen, 0);
		sys_sigmask(SIG_BLOCK, EARLY);
		now = __atomic_load_n(&s->ready, __ATOMIC_SEQ_CST);
	}
	return now;
}

/* Ends everything that has been started; whatever is said was said before. */
void start_tear_down(struct launch *l)
{
	struct status *s = l->r->status;

	__atomic_store_n(&s->go, 2, __ATOMIC_SEQ_CST);
	sys_futex(&s->go, FUTEX_WAKE, 0x7fffffff, 0);
	if (l->child > 0) {
		sys_kill(l->child, l->r->way == WAY_PRIVATE || !s->family.launched ? SIGKILL : SIGTERM);
		sys_wait(l->child, 0, __WALL);
	}
	if (s->family.pidfd >= 0)
		sys_close(s->family.pidfd);
}

static long engine_failed(struct launch *l, int status)
{
	char line[64];
	struct text t = text_in(line, sizeof(line));

	if (!l->r->status->failed) {
		if (status & 0x7f) {
			text_str(&t, "the restoring process was killed by ");
			text_signal(&t, status & 0x7f);
		} else {
			text_str(&t, "the restoring process ended with code ");
			text_dec(&t, status >> 8 & 0xff);
		}
		refuse(l->r, "cannot resume:", line, 0, 0);
	}
	start_tear_down(l);
	return -1;
}

/* Our own child ended before it could tell anything, or it is the root itself. */
static void look_after_child(struct launch *l)
{
	struct family *f = &l->r->status->family;
	int status;

	if (f->ended || f->step || sys_wait(l->child, &status, WNOHANG | __WALL) != l->child)
		return;
	l->child = 0;
	if (f->ended || f->step)
		return;
	f->wait_status = status;
	f->ended = 1;
}

long start_until_ready(struct launch *l)
{
	struct status *s = l->r->status;
	struct family *f = &s->family;
	uint32_t seen = __atomic_load_n(&s->ready, __ATOMIC_SEQ_CST);

	for (;;) {
		if ((seen & READY_MASK) >= l->awaited && __atomic_load_n(&f->launched, __ATOMIC_SEQ_CST))
			return 0;
		look_after_child(l);
		if (f->step) {
			if (l->child > 0)
				sys_wait(l->child, 0, __WALL);
			l->why[l->r->way].step = f->step;
			l->why[l->r->way].error = f->error;
			return 1;
		}
		if (f->ended)
			return engine_failed(l, f->wait_status);
		if (f->interrupted) {
			start_tear_down(l);
			end_like((int)f->interrupted);
		}
		seen = wait_for_change(l, seen);
	}
}

