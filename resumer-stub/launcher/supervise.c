/* The launcher while the program comes up and while it runs: signals pass through, and it ends as the program ends. */
#include <asm/signal.h>
#include <asm/siginfo.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/signalfd.h>
#include <linux/wait.h>

#include "launcher.h"

#define EARLY (BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGTERM) | BIT(SIGHUP) | BIT(SIGCHLD))
#define SA_RESTORER_FLAG 0x04000000
#define BACK_IN_CALL_MS 10
#define SI_KERNEL_CODE 0x80
#define SI_QUEUE_CODE (-1)

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
void supervise_signals(struct launch *l)
{
	struct kernel_sigaction act = {(uint64_t)on_early_signal, SA_RESTORER_FLAG, (uint64_t)stub_sigreturn, 0}, old;
	int signo;

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
void supervise_tear_down(struct launch *l)
{
	struct status *s = l->r->status;

	__atomic_store_n(&s->go, 2, __ATOMIC_SEQ_CST);
	sys_futex(&s->go, FUTEX_WAKE, 0x7fffffff, 0);
	if (l->r->way == WAY_PRIVATE || !s->family.launched)
		sys_kill(l->child, SIGKILL);
	else
		sys_kill(l->child, SIGTERM);
	sys_wait(l->child, 0, __WALL);
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
	supervise_tear_down(l);
	return -1;
}

/* Our own child ended before it could tell anything, or it is the root itself. */
static void look_after_child(struct launch *l)
{
	struct family *f = &l->r->status->family;
	int status;

	if (f->ended || f->step || sys_wait(l->child, &status, WNOHANG | __WALL) != l->child)
		return;
	if (f->ended || f->step)
		return;
	f->wait_status = status;
	f->ended = 1;
}

long supervise_until_ready(struct launch *l)
{
	struct status *s = l->r->status;
	struct family *f = &s->family;
	uint32_t seen = __atomic_load_n(&s->ready, __ATOMIC_SEQ_CST);

	for (;;) {
		if ((seen & READY_MASK) >= l->task_count && __atomic_load_n(&f->launched, __ATOMIC_SEQ_CST))
			return 0;
		look_after_child(l);
		if (f->step) {
			sys_wait(l->child, 0, __WALL);
			l->why[l->r->way].step = f->step;
			l->why[l->r->way].error = f->error;
			return 1;
		}
		if (f->ended)
			return engine_failed(l, f->wait_status);
		if (f->interrupted) {
			supervise_tear_down(l);
			end_like((int)f->interrupted);
		}
		seen = wait_for_change(l, seen);
	}
}

/* Dies of the same signal, without a core of our own, so that the shell says what it would have said. */
_Noreturn void end_like(int status)
{
	struct rlimit none = {0, 0};
	struct kernel_sigaction act = {0, 0, 0, 0};
	int signo = status & 0x7f;

	if (signo) {
		sys2(__NR_setrlimit, RLIMIT_CORE, (long)&none);
		sys4(__NR_rt_sigaction, signo, (long)&act, 0, 8);
		sys_kill((int)sys0(__NR_getpid), signo);
		sys_sigmask(SIG_UNBLOCK, BIT(signo));
	}
	sys_exit_group(signo ? 128 + signo : status >> 8 & 0xff);
}

static void send(struct launch *l, int signo, void *info)
{
	sys4(__NR_pidfd_send_signal, l->r->status->family.pidfd, signo, (long)info, 0);
}

static void forward(struct launch *l, const struct signalfd_siginfo *s)
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
		send(l, SIGCONT, 0);
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
	send(l, signo, s->ssi_code == SI_QUEUE_CODE ? &info : 0);
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
			send(l, SIGCONT, 0);
		return;
	}
	own_tty_disconnect(l);
	stop_too(signo);
	own_tty_connect(l, l->tty);
	send(l, SIGCONT, 0);
}

static void root_stopped(struct launch *l, int status)
{
	int signo = status >> 8 & 0xff;

	/* it wants the terminal, which it did not get so far because somebody else might have needed it, or we were in the background */
	if ((signo == SIGTTIN || signo == SIGTTOU) && !l->handed && terminal_is_ours(l)) {
		terminal_hand_over(l);
		send(l, SIGCONT, 0);
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
	send(l, SIGCONT, 0);
}

/* Keeps the descriptors in `keep` (ascending after sorting) and closes all others, so that pipes end when the program's ends close. */
static void close_others(int *keep, int count)
{
	int i, j, from = 0;

	for (i = 1; i < count; i++)
		for (j = i; j > 0 && keep[j - 1] > keep[j]; j--) {
			int swap = keep[j];

			keep[j] = keep[j - 1];
			keep[j - 1] = swap;
		}
	for (i = 0; i < count; i++) {
		if (keep[i] > from)
			sys3(__NR_close_range, from, keep[i] - 1, 0);
		if (keep[i] >= from)
			from = keep[i] + 1;
	}
	sys3(__NR_close_range, from, 0x7fffffff, 0);
}

static void reap_child(struct launch *l)
{
	if (l->child)
		sys_wait(l->child, 0, __WALL);
}

static void handle_news(struct launch *l)
{
	struct family *f = &l->r->status->family;
	uint64_t count;

	sys_read(l->event, &count, sizeof(count));
	if (__atomic_load_n(&f->ended, __ATOMIC_SEQ_CST)) {
		int had_terminal = l->handed && l->job_control, signo = f->wait_status & 0x7f;

		terminal_take_back(l);
		own_tty_drain(l);
		attach_farewell(l, 1, f->wait_status);
		attach_unlisten(l);
		/* ctrl-C would have reached the script that started us, too */
		if (had_terminal && (signo == SIGINT || signo == SIGQUIT))
			sys_kill(0, signo);
		if (l->r->way != WAY_PRIVATE) /* nobody must find the old parent's pid in use; the relay may stay for orphans */
			reap_child(l);
		if (l->r->status->failed) /* it failed after go: nothing but its last steps can */
			sys_exit_group(EXIT_OWN_FAILURE);
		end_like(f->wait_status);
	}
	if (__atomic_exchange_n(&f->stopped, 0, __ATOMIC_SEQ_CST))
		root_stopped(l, f->stop_status);
}

/* Our child is the root itself (it was pid 1), or a helper that somebody has killed. */
static void handle_child(struct launch *l)
{
	struct family *f = &l->r->status->family;
	int status;

	while (l->child && sys_wait(l->child, &status, WNOHANG | WUNTRACED | __WALL) == l->child) {
		uint64_t one = 1;

		if ((status & 0xff) == 0x7f) {
			if (f->pid == 0) {
				f->stop_status = status;
				f->stopped = 1;
				sys_write(l->event, &one, sizeof(one));
			}
			continue;
		}
		if (!f->ended) {
			if (!f->root_reaped)
				f->wait_status = status;
			send(l, SIGKILL, 0);
			f->ended = 1;
			sys_write(l->event, &one, sizeof(one));
		}
		l->child = 0;
		return;
	}
}

enum { POLL_EVENT, POLL_SIGNALS, POLL_MASTER, POLL_TERMINAL, POLL_LISTENING, POLL_CLIENT, POLLS };

static void fill_polls(struct launch *l, struct pollfd *polled, int signals)
{
	int fds[POLLS] = {l->event, signals, l->own.master, l->own.connected, l->own.listening, l->own.client}, i;

	for (i = 0; i < POLLS; i++) {
		polled[i].fd = fds[i];
		polled[i].events = POLLIN;
		polled[i].revents = 0;
	}
	if (l->own.pending_length) { /* first what was typed before */
		polled[POLL_MASTER].events |= POLLOUT;
		polled[POLL_TERMINAL].fd = -1;
	}
}

static void handle_own_terminal(struct launch *l, const struct pollfd *polled)
{
	if (polled[POLL_MASTER].revents & POLLIN)
		own_tty_output(l);
	if (polled[POLL_MASTER].revents & POLLOUT)
		own_tty_push(l);
	if (polled[POLL_TERMINAL].revents && own_tty_input(l))
		attach_farewell(l, 0, 0);
	if (polled[POLL_CLIENT].revents && l->own.client >= 0)
		attach_client(l);
	if (polled[POLL_LISTENING].revents)
		attach_accept(l);
}

_Noreturn void supervise(struct launch *l)
{
	uint64_t all = ~0ULL;
	int signals = (int)sys4(__NR_signalfd4, -1, (long)&all, 8, O_CLOEXEC | O_NONBLOCK);
	int keep[] = {l->marker,     l->event,	   signals,	     l->r->status->family.pidfd, l->tty,
		      l->own.master, l->own.slave, l->own.listening, l->own.client};
	int timeout = -1;
	struct pollfd polled[POLLS];

	close_others(keep, sizeof(keep) / sizeof(keep[0]));
	sys1(__NR_chdir, (long)"/");
	sys_munmap((uint64_t)l->r->artefact.base, l->r->artefact.base_length);
	for (;;) {
		struct signalfd_siginfo s;

		if (l->redraw == REDRAW_DUE)
			timeout = BACK_IN_CALL_MS;
		fill_polls(l, polled, signals);
		if (sys3(__NR_poll, (long)polled, POLLS, timeout) == 0)
			timeout = terminal_redraw(l);
		while (sys_read(signals, &s, sizeof(s)) == sizeof(s)) {
			if (s.ssi_signo == SIGCHLD)
				handle_child(l);
			else
				forward(l, &s);
		}
		handle_own_terminal(l, polled);
		if (polled[POLL_EVENT].revents)
			handle_news(l);
	}
}
