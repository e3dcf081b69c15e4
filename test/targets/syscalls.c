/*
 * System calls that block: each case is a thread that waits in one of them. Timed ones must take as
 * long as undisturbed, time frozen left out; the others are woken after SIGUSR1 and must return what
 * they would have returned anyway.
 *
 *   syscalls CASE...      "syscalls" alone lists the cases
 */
#include "judge.h"
#include <poll.h>
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>

#define TIMEOUT_MS 3500
#define BEFORE_READY_MS 1200
/* Wide, for busy machines; starting anew would be late by BEFORE_READY_MS, not waiting early by more. */
#define EARLY_MS 400
#define LATE_MS 700
/* A jump of the clock this long between two looks is time frozen. */
#define JUMP_MS 700

struct run {
	const struct blocked *what;
	pthread_t thread;
	pid_t tid;
	int fd[4];
	volatile int done;
	long result;
	int error;
	int64_t start_ns, took_awake_ns, deadline_ns, ended_ns;
	pid_t child;
	int word;
	char buffer[64];
	char path[108];
};

struct blocked {
	const char *name;
	int timed;
	void (*prepare)(struct run *);
	long (*block)(struct run *);
	void (*wake)(struct run *);
	long result;
	int error;
	/* Says whether another end is right as well, as where the other side did not come along. */
	int (*excused)(struct run *);
};

/* Time during which this process has been running or waiting, not frozen. */
static volatile int64_t awake_ns;

static void *keep_awake_time(void *unused)
{
	int64_t before = now_ns(CLOCK_MONOTONIC);

	(void)unused;
	for (;;) {
		sleep_ms(5);
		int64_t now = now_ns(CLOCK_MONOTONIC), step = now - before;

		if (step < JUMP_MS * 1000000ll)
			awake_ns += step;
		before = now;
	}
	return NULL;
}

static struct timespec after_ms(clockid_t clock, long ms)
{
	int64_t at = now_ns(clock) + ms * 1000000ll;

	return (struct timespec){at / 1000000000, at % 1000000000};
}

static void with_pipe(struct run *run)
{
	MUST(pipe2(run->fd, O_CLOEXEC));
}

static void write_x(struct run *run)
{
	EQUAL(write(run->fd[1], "x", 1), 1, "write");
}

static void with_pair(struct run *run)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, run->fd));
}

static void with_datagram_pair(struct run *run)
{
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, run->fd));
}

static long do_read(struct run *run)
{
	long got = read(run->fd[0], run->buffer, sizeof(run->buffer));

	if (got == 1 && run->buffer[0] != 'x')
		FAIL("read another byte: %d", run->buffer[0]);
	return got;
}

static long do_read_tty(struct run *run)
{
	long got = read(0, run->buffer, sizeof(run->buffer));

	if (got == 6 && memcmp(run->buffer, "hello\n", 6) != 0)
		FAIL("read another line");
	return got;
}

/* Whoever holds the other side of the terminal types a line at this word. */
static void ask_for_line(struct run *run)
{
	(void)run;
	say("type");
}

static void full_pipe(struct run *run)
{
	char page[4096];

	with_pipe(run);
	MUST(fcntl(run->fd[1], F_SETFL, O_NONBLOCK));
	memset(page, 'f', sizeof(page));
	while (write(run->fd[1], page, sizeof(page)) > 0)
		run->word++;
	MUST(fcntl(run->fd[1], F_SETFL, 0));
}

static long do_write_full(struct run *run)
{
	return write(run->fd[1], "tail", 4);
}

static void drain(struct run *run)
{
	char page[4096];

	for (int i = 0; i < run->word; i++) {
		EQUAL(read(run->fd[0], page, sizeof(page)), (long)sizeof(page), "read of a full page");
		CHECK(page[0] == 'f' && page[4095] == 'f', "the pipe holds other bytes");
	}
	EQUAL(read(run->fd[0], page, sizeof(page)), 4, "read of what waited outside the pipe");
	CHECK(memcmp(page, "tail", 4) == 0, "the pipe holds another tail");
}

static void listen_unix(struct run *run)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(at.sun_path, sizeof(at.sun_path), "%s.socket", run->what->name);
	strcpy(run->path, at.sun_path);
	unlink(at.sun_path);
	run->fd[0] = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(run->fd[0], (void *)&at, sizeof(at)));
	MUST(listen(run->fd[0], 0));
}

static int connect_unix(struct run *run, int flags)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM | flags, 0));

	strcpy(at.sun_path, run->path);
	if (connect(fd, (void *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

static long do_accept(struct run *run)
{
	int fd = accept(run->fd[0], NULL, NULL);

	return fd >= 0 ? 0 : fd;
}

static void knock(struct run *run)
{
	run->fd[1] = connect_unix(run, 0);
	CHECK(run->fd[1] >= 0, "connect to the listening socket: %s", strerror(errno));
}

static void listen_tcp(struct run *run)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);

	run->fd[0] = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(bind(run->fd[0], (void *)&at, size));
	MUST(listen(run->fd[0], 4));
	MUST(getsockname(run->fd[0], (void *)&at, &size));
	run->word = ntohs(at.sin_port);
}

static void knock_tcp(struct run *run)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(run->word)};

	run->fd[1] = MUST(socket(AF_INET, SOCK_STREAM, 0));
	CHECK(connect(run->fd[1], (void *)&at, sizeof(at)) == 0, "connect: %s", strerror(errno));
}

/* The queue of the listening socket is full, so that one more connect blocks. */
static void full_backlog(struct run *run)
{
	listen_unix(run);
	run->fd[1] = connect_unix(run, SOCK_NONBLOCK);
	CHECK(connect_unix(run, SOCK_NONBLOCK) == -1, "the backlog is not full");
}

static long do_connect(struct run *run)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	strcpy(at.sun_path, run->path);
	run->fd[2] = socket(AF_UNIX, SOCK_STREAM, 0);
	return connect(run->fd[2], (void *)&at, sizeof(at));
}

static void accept_all(struct run *run)
{
	fcntl(run->fd[0], F_SETFL, O_NONBLOCK);
	for (int tries = 0; tries < 200 && !run->done; tries++) {
		accept(run->fd[0], NULL, NULL);
		sleep_ms(10);
	}
}

static long do_recvmsg(struct run *run)
{
	struct iovec part = {run->buffer, sizeof(run->buffer)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return recvmsg(run->fd[0], &message, 0);
}

static long do_poll(struct run *run)
{
	struct pollfd one = {.fd = run->fd[0], .events = POLLIN};

	return poll(&one, 1, run->what->timed ? TIMEOUT_MS : -1);
}

static long do_ppoll(struct run *run)
{
	struct pollfd one = {.fd = run->fd[0], .events = POLLIN};
	struct timespec limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000000};

	return ppoll(&one, 1, run->what->timed ? &limit : NULL, NULL);
}

static long do_select(struct run *run)
{
	struct timeval limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(run->fd[0], &set);
	return select(run->fd[0] + 1, &set, NULL, NULL, run->what->timed ? &limit : NULL);
}

static long do_pselect(struct run *run)
{
	struct timespec limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000000};
	sigset_t mask;
	fd_set set;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	FD_ZERO(&set);
	FD_SET(run->fd[0], &set);
	return pselect(run->fd[0] + 1, &set, NULL, NULL, run->what->timed ? &limit : NULL, &mask);
}

static void with_epoll(struct run *run)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0xfeedbeefcafe};

	with_pipe(run);
	run->fd[2] = MUST(epoll_create1(0));
	MUST(epoll_ctl(run->fd[2], EPOLL_CTL_ADD, run->fd[0], &event));
}

static long do_epoll_wait(struct run *run)
{
	struct epoll_event event = {0};
	long got = epoll_wait(run->fd[2], &event, 1, run->what->timed ? TIMEOUT_MS : -1);

	CHECK(got != 1 || event.data.u64 == 0xfeedbeefcafe, "epoll gave other data");
	return got;
}

static long do_epoll_pwait(struct run *run)
{
	struct epoll_event event = {0};
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	sigaddset(&mask, SIGWINCH);
	return epoll_pwait(run->fd[2], &event, 1, run->what->timed ? TIMEOUT_MS : -1, &mask);
}

static void nothing(struct run *run)
{
	run->word = 5;
}

static long do_futex(struct run *run)
{
	struct timespec limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000000};

	return syscall(SYS_futex, &run->word, FUTEX_WAIT_PRIVATE, 5, run->what->timed ? &limit : NULL);
}

static long do_futex_absolute(struct run *run)
{
	struct timespec at = after_ms(CLOCK_MONOTONIC, TIMEOUT_MS);

	run->deadline_ns = at.tv_sec * 1000000000ll + at.tv_nsec;
	return syscall(SYS_futex, &run->word, FUTEX_WAIT_BITSET_PRIVATE, 5, &at, NULL,
		       FUTEX_BITSET_MATCH_ANY);
}

static void wake_futex(struct run *run)
{
	run->word = 6;
	EQUAL(syscall(SYS_futex, &run->word, FUTEX_WAKE_PRIVATE, 1), 1, "futex wake");
}

static long do_nanosleep(struct run *run)
{
	struct timespec limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000000};

	(void)run;
	return nanosleep(&limit, NULL);
}

static long do_nanosleep_remaining(struct run *run)
{
	struct timespec limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000000}, left = {7, 7};

	(void)run;
	return nanosleep(&limit, &left);
}

static long do_clock_nanosleep(struct run *run)
{
	struct timespec limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000000};

	(void)run;
	return -clock_nanosleep(CLOCK_MONOTONIC, 0, &limit, NULL);
}

static long do_clock_nanosleep_absolute(struct run *run)
{
	struct timespec at = after_ms(CLOCK_MONOTONIC, TIMEOUT_MS);

	run->deadline_ns = at.tv_sec * 1000000000ll + at.tv_nsec;
	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void with_child(struct run *run)
{
	MUST(pipe(run->fd));
	run->child = MUST(fork());
	if (run->child == 0) {
		close(run->fd[1]);
		if (read(run->fd[0], run->buffer, 1) < 0)
			_exit(1);
		_exit(42);
	}
}

static long do_wait4(struct run *run)
{
	int status = 0;
	pid_t got = wait4(run->child, &status, 0, NULL);

	if (got == -1)
		return -1;
	CHECK(got == run->child, "wait4 gave %d, expected %d", got, run->child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42, "the child's status is %x", status);
	return 0;
}

static long do_waitid(struct run *run)
{
	siginfo_t info = {0};
	long got = waitid(P_PID, run->child, &info, WEXITED);

	if (got == 0)
		EQUAL(info.si_status, 42, "the child's status");
	return got;
}

/* A copy without the children (--no-children) is told that it has none, once they are gone. */
static int childless(struct run *run)
{
	return run->result == -1 && run->error == ECHILD && kill(run->child, 0) == -1;
}

/* Connections that nobody had accepted do not come along, so the copy finds room in the queue. */
static int connected(struct run *run)
{
	return run->result == 0;
}

/* The kernel would give EINTR to a receive with a time limit that is stopped: it starts anew. */
static int timed_out_later(struct run *run)
{
	return run->result == -1 && run->error == EAGAIN && run->took_awake_ns < 2 * TIMEOUT_MS * 1000000ll;
}

static volatile sig_atomic_t caught;

static void on_caught(int signo)
{
	caught = signo;
}

static void with_handler(struct run *run)
{
	struct sigaction action = {.sa_handler = on_caught};

	(void)run;
	sigaction(SIGUSR2, &action, NULL);
}

static long do_pause(struct run *run)
{
	(void)run;
	return pause();
}

static long do_sigsuspend(struct run *run)
{
	sigset_t mask, before, after;
	long got;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &mask, &before);
	sigfillset(&mask);
	sigdelset(&mask, SIGUSR2);
	(void)run;
	got = sigsuspend(&mask);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	CHECK(sigismember(&after, SIGUSR2) == 1, "sigsuspend has not put the mask back");
	CHECK(sigismember(&after, SIGCHLD) == 0, "sigsuspend has left its own mask");
	return got;
}

static void tell(struct run *run)
{
	EQUAL(pthread_kill(run->thread, SIGUSR2), 0, "pthread_kill");
}

static void block_signal(struct run *run)
{
	(void)run;
}

static long do_sigtimedwait(struct run *run)
{
	struct timespec limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000000};
	sigset_t mask;
	siginfo_t info;
	long got;

	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN + 3);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	got = sigtimedwait(&mask, &info, run->what->timed ? &limit : NULL);
	if (got > 0) {
		EQUAL(got, SIGRTMIN + 3, "the signal");
		EQUAL(info.si_value.sival_int, 4711, "its value");
	}
	return got > 0 ? 0 : got;
}

static void queue(struct run *run)
{
	union sigval value = {.sival_int = 4711};

	EQUAL(pthread_sigqueue(run->thread, SIGRTMIN + 3, value), 0, "pthread_sigqueue");
}

static void two_descriptions(struct run *run)
{
	snprintf(run->path, sizeof(run->path), "%s.lock", run->what->name);
	run->fd[0] = MUST(open(run->path, O_RDWR | O_CREAT, 0600));
	run->fd[1] = MUST(open(run->path, O_RDWR));
	MUST(flock(run->fd[0], LOCK_EX));
}

static long do_flock(struct run *run)
{
	return flock(run->fd[1], LOCK_EX);
}

static void unlock(struct run *run)
{
	EQUAL(flock(run->fd[0], LOCK_UN), 0, "unlock");
}

static void locked_by_description(struct run *run)
{
	struct flock all = {.l_type = F_WRLCK};

	snprintf(run->path, sizeof(run->path), "%s.lock", run->what->name);
	run->fd[0] = MUST(open(run->path, O_RDWR | O_CREAT, 0600));
	run->fd[1] = MUST(open(run->path, O_RDWR));
	MUST(fcntl(run->fd[0], F_OFD_SETLK, &all));
}

static long do_setlkw(struct run *run)
{
	struct flock all = {.l_type = F_WRLCK};

	return fcntl(run->fd[1], F_SETLKW, &all);
}

static void unlock_description(struct run *run)
{
	struct flock all = {.l_type = F_UNLCK};

	EQUAL(fcntl(run->fd[0], F_OFD_SETLK, &all), 0, "unlock");
}

static void with_queue(struct run *run)
{
	run->word = MUST(msgget(IPC_PRIVATE, 0600));
	say("ipc -q %d", run->word);
}

static long do_msgrcv(struct run *run)
{
	struct { long type; char text[8]; } message = {0};
	long got = msgrcv(run->word, &message, sizeof(message.text), 5, 0);

	CHECK(got != 2 || strcmp(message.text, "m") == 0, "msgrcv gave another message");
	return got;
}

static void do_msgsnd(struct run *run)
{
	struct { long type; char text[8]; } message = {5, "m"};

	EQUAL(msgsnd(run->word, &message, 2, 0), 0, "msgsnd");
}

static void with_semaphore(struct run *run)
{
	run->word = MUST(semget(IPC_PRIVATE, 1, 0600));
	say("ipc -s %d", run->word);
}

static long do_semop(struct run *run)
{
	struct sembuf down = {0, -1, 0};
	struct timespec limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000000};

	return run->what->timed ? semtimedop(run->word, &down, 1, &limit) : semop(run->word, &down, 1);
}

static void up(struct run *run)
{
	struct sembuf one = {0, 1, 0};

	EQUAL(semop(run->word, &one, 1), 0, "semop");
}

static void nop(struct run *run)
{
	(void)run;
}

static void receive_limit(struct run *run)
{
	struct timeval limit = {TIMEOUT_MS / 1000, TIMEOUT_MS % 1000 * 1000};

	with_pair(run);
	MUST(setsockopt(run->fd[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
}

static const struct blocked cases[] = {
	{"read-pipe", 0, with_pipe, do_read, write_x, 1, 0, NULL},
	{"read-socket", 0, with_pair, do_read, write_x, 1, 0, NULL},
	{"read-tty", 0, nop, do_read_tty, ask_for_line, 6, 0, NULL},
	{"write-full-pipe", 0, full_pipe, do_write_full, drain, 4, 0, NULL},
	{"accept-unix", 0, listen_unix, do_accept, knock, 0, 0, NULL},
	{"accept-tcp", 0, listen_tcp, do_accept, knock_tcp, 0, 0, NULL},
	{"connect", 0, full_backlog, do_connect, accept_all, 0, 0, connected},
	{"recvmsg", 0, with_datagram_pair, do_recvmsg, write_x, 1, 0, NULL},
	{"poll", 0, with_pipe, do_poll, write_x, 1, 0, NULL},
	{"poll-timed", 1, with_pipe, do_poll, NULL, 0, 0, NULL},
	{"ppoll", 0, with_pipe, do_ppoll, write_x, 1, 0, NULL},
	{"ppoll-timed", 1, with_pipe, do_ppoll, NULL, 0, 0, NULL},
	{"select", 0, with_pipe, do_select, write_x, 1, 0, NULL},
	{"select-timed", 1, with_pipe, do_select, NULL, 0, 0, NULL},
	{"pselect", 0, with_pipe, do_pselect, write_x, 1, 0, NULL},
	{"pselect-timed", 1, with_pipe, do_pselect, NULL, 0, 0, NULL},
	{"epoll_wait", 0, with_epoll, do_epoll_wait, write_x, 1, 0, NULL},
	{"epoll_wait-timed", 1, with_epoll, do_epoll_wait, NULL, 0, 0, NULL},
	{"epoll_pwait", 0, with_epoll, do_epoll_pwait, write_x, 1, 0, NULL},
	{"epoll_pwait-timed", 1, with_epoll, do_epoll_pwait, NULL, 0, 0, NULL},
	{"futex", 0, nothing, do_futex, wake_futex, 0, 0, NULL},
	{"futex-timed", 1, nothing, do_futex, NULL, -1, ETIMEDOUT, NULL},
	{"futex-absolute", 1, nothing, do_futex_absolute, NULL, -1, ETIMEDOUT, NULL},
	{"nanosleep", 1, nop, do_nanosleep, NULL, 0, 0, NULL},
	{"nanosleep-remaining", 1, nop, do_nanosleep_remaining, NULL, 0, 0, NULL},
	{"clock_nanosleep", 1, nop, do_clock_nanosleep, NULL, 0, 0, NULL},
	{"clock_nanosleep-absolute", 1, nop, do_clock_nanosleep_absolute, NULL, 0, 0, NULL},
	{"wait4", 0, with_child, do_wait4, write_x, 0, 0, NULL},
	{"waitid", 0, with_child, do_waitid, write_x, 0, 0, NULL},
	{"wait4-alone", 0, with_child, do_wait4, write_x, 0, 0, childless},
	{"waitid-alone", 0, with_child, do_waitid, write_x, 0, 0, childless},
	{"pause", 0, with_handler, do_pause, tell, -1, EINTR, NULL},
	{"sigsuspend", 0, with_handler, do_sigsuspend, tell, -1, EINTR, NULL},
	{"sigtimedwait", 0, block_signal, do_sigtimedwait, queue, 0, 0, NULL},
	{"sigtimedwait-timed", 1, block_signal, do_sigtimedwait, NULL, -1, EAGAIN, NULL},
	{"flock", 0, two_descriptions, do_flock, unlock, 0, 0, NULL},
	{"setlkw", 0, locked_by_description, do_setlkw, unlock_description, 0, 0, NULL},
	{"msgrcv", 0, with_queue, do_msgrcv, do_msgsnd, 2, 0, NULL},
	{"semop", 0, with_semaphore, do_semop, up, 0, 0, NULL},
	{"semtimedop-timed", 1, with_semaphore, do_semop, NULL, -1, EAGAIN, NULL},
	{"recv-SO_RCVTIMEO", 1, receive_limit, do_read, NULL, -1, EAGAIN, timed_out_later},
};

static struct run runs[COUNT(cases)];

static void *run_case(void *argument)
{
	struct run *run = argument;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	run->tid = syscall(SYS_gettid);
	run->start_ns = awake_ns;
	errno = 0;
	run->result = run->what->block(run);
	run->error = run->result == -1 ? errno : 0;
	run->took_awake_ns = awake_ns - run->start_ns;
	run->ended_ns = now_ns(CLOCK_MONOTONIC);
	run->done = 1;
	return NULL;
}

/* True once the thread sleeps in the kernel. */
static int sleeps(pid_t tid)
{
	char path[64], text[512], *behind;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	slurp(path, text, sizeof(text));
	behind = strrchr(text, ')');
	return behind && behind[2] == 'S';
}

static void judge_run(struct run *run)
{
	long took_ms = run->took_awake_ns / 1000000;

	judge_subject = run->what->name;
	for (int tries = 0; tries < 1500 && !run->done; tries++)
		sleep_ms(run->what->timed ? 10 : 3);
	if (!run->done) {
		FAIL("still blocked");
		return;
	}
	if (run->what->excused && run->what->excused(run))
		return;
	took_ms = run->took_awake_ns / 1000000;
	if (run->result != run->what->result || run->error != run->what->error)
		FAIL("gives %ld (%s), expected %ld (%s)", run->result, strerror(run->error),
		     run->what->result, strerror(run->what->error));
	if (!run->what->timed)
		return;
	if (run->deadline_ns)
		CHECK(run->ended_ns >= run->deadline_ns, "ended before its deadline");
	else
		CHECK(took_ms >= TIMEOUT_MS - EARLY_MS, "took %ld ms of %d", took_ms, TIMEOUT_MS);
	CHECK(took_ms <= TIMEOUT_MS + LATE_MS, "took %ld ms instead of %d", took_ms, TIMEOUT_MS);
}

int main(int argc, char **argv)
{
	pthread_t clock;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2) {
		for (size_t i = 0; i < COUNT(cases); i++)
			say("%s", cases[i].name);
		return 2;
	}
	pthread_create(&clock, NULL, keep_awake_time, NULL);
	for (int a = 1; a < argc; a++) {
		size_t i = 0;

		while (i < COUNT(cases) && strcmp(cases[i].name, argv[a]) != 0)
			i++;
		judge_subject = argv[a];
		if (i == COUNT(cases))
			CANNOT("no such case");
		runs[i].what = &cases[i];
		cases[i].prepare(&runs[i]);
		pthread_create(&runs[i].thread, NULL, run_case, &runs[i]);
		while (!runs[i].tid || !sleeps(runs[i].tid))
			sleep_ms(1);
	}
	sleep_ms(BEFORE_READY_MS);
	for (size_t i = 0; i < COUNT(cases); i++) {
		judge_subject = cases[i].name;
		CHECK(!runs[i].what || !runs[i].done, "ended before the freeze");
	}
	ready();
	judge_wait();
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (!runs[i].what)
			continue;
		judge_subject = cases[i].name;
		CHECK(cases[i].timed || !runs[i].done || (cases[i].excused && cases[i].excused(&runs[i])), "returned %ld (%s) too early", runs[i].result,
		      strerror(runs[i].error));
		if (cases[i].wake && !runs[i].done)
			cases[i].wake(&runs[i]);
		judge_run(&runs[i]);
	}
	return verdict("syscalls");
}
