/* The launcher while the program runs: it waits for everything that can happen, and ends as the program ends. */
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/signalfd.h>
#include <linux/wait.h>

#include "launcher.h"

#define BACK_IN_CALL_MS 10

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
		job_stopped(l, f->stop_status);
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
			job_send(l, SIGKILL, 0);
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
				job_forward(l, &s);
		}
		handle_own_terminal(l, polled);
		if (polled[POLL_EVENT].revents)
			handle_news(l);
	}
}
