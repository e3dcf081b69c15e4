/* Job control: signals pass to the program, its stops become ours, and the terminal goes to and fro. */
#include <asm/signal.h>
#include <asm/siginfo.h>
#include <linux/signalfd.h>

#include "launcher.h"

#define SI_KERNEL_CODE 0x80
#define SI_QUEUE_CODE (-1)

void job_send(struct launch *l, int signo, void *info)
{
	sys4(__NR_pidfd_send_signal, l->r->status->family.pidfd, signo, (long)info, 0);
}

void job_forward(struct launch *l, const struct signalfd_siginfo *s)
{
	siginfo_t info;
	int signo = (int)s->ssi_signo;

	if (signo < 32 && l->ignored & BIT(signo))
		return;
	if (signo == SIGWINCH && l->own.master >= 0) {
		own_tty_resize(l);
		return;
	}
	/* from the terminal to a group that the root is in too: it has its own */
	if (s->ssi_code == SI_KERNEL_CODE && l->outer_group == (int32_t)sys0(__NR_getpgrp))
		return;
	if (signo == SIGCONT) {
		if (!l->lazy_terminal)
			terminal_hand_over(l);
		job_send(l, SIGCONT, 0);
		return;
	}
	/* a root that leads its own session would ignore the terminal's stop */
	if (l->new_session && (signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU))
		signo = SIGSTOP;
	memset(&info, 0, sizeof(info));
	info.si_signo = signo;
	info.si_code = SI_QUEUE_CODE;
	info.si_pid = (int)s->ssi_pid;
	info.si_uid = s->ssi_uid;
	info.si_value.sival_ptr = (void *)s->ssi_ptr;
	job_send(l, signo, s->ssi_code == SI_QUEUE_CODE ? &info : 0);
}

/* Stops as the root has stopped; returns when we are continued, or at once where stopping has no effect (orphaned group). */
static void stop_too(int signo)
{
	struct kernel_sigaction act = {0, 0, 0, 0}, old;

	sys4(__NR_rt_sigaction, signo, (long)&act, (long)&old, 8);
	sys_kill((int)sys0(__NR_getpid), signo);
	sys_sigmask(SIG_UNBLOCK, BIT(signo));
	sys_sigmask(SIG_BLOCK, BIT(signo));
	sys4(__NR_rt_sigaction, signo, (long)&old, 0, 8);
}

/* With a terminal of its own we stop and go on with it; detached, nobody could continue it after a ctrl-Z. */
static void own_terminal_stopped(struct launch *l, int signo)
{
	if (l->r->options.detach) {
		if (signo != SIGSTOP)
			job_send(l, SIGCONT, 0);
		return;
	}
	own_tty_disconnect(l);
	stop_too(signo);
	own_tty_connect(l, l->tty);
	job_send(l, SIGCONT, 0);
}

void job_stopped(struct launch *l, int status)
{
	int signo = status >> 8 & 0xff;

	/* it wants the terminal, which it did not get so far because somebody else might have needed it, or we were in the background */
	if ((signo == SIGTTIN || signo == SIGTTOU) && !l->handed && terminal_is_ours(l)) {
		terminal_hand_over(l);
		job_send(l, SIGCONT, 0);
		return;
	}
	if (l->own.master >= 0) {
		own_terminal_stopped(l, signo);
		return;
	}
	terminal_take_back(l);
	stop_too(signo);
	if (!l->lazy_terminal || signo == SIGTTIN || signo == SIGTTOU)
		terminal_hand_over(l);
	job_send(l, SIGCONT, 0);
}
