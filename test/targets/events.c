/* Descriptors that tell of events: epoll, timerfd, signalfd, inotify; and memfd and pidfd. */
#include "judge.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <poll.h>

static int fd, e[6], p[2];
static int64_t started;

static void watch(int epoll, int of, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};

	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, of, &event));
}

/* Collects the data of all that is ready, or-ed; each entry has a bit of its own. */
static uint64_t ready_set(int epoll)
{
	struct epoll_event events[16];
	uint64_t set = 0;
	int got = epoll_wait(epoll, events, 16, 0);

	for (int i = 0; i < got; i++)
		set |= events[i].data.u64;
	return set;
}

static void epoll_prepare(void)
{
	fd = MUST(epoll_create1(EPOLL_CLOEXEC));
	for (int i = 0; i < 6; i++)
		e[i] = MUST(eventfd(i == 5 ? 1 : 0, EFD_NONBLOCK));
	MUST(pipe(p));
	watch(fd, e[0], EPOLLIN, 1);
	watch(fd, e[1], EPOLLIN | EPOLLET, 1ull << 63);
	watch(fd, e[2], EPOLLIN | EPOLLONESHOT, 4);
	watch(fd, e[3], EPOLLIN | EPOLLEXCLUSIVE, 8);
	watch(fd, p[0], EPOLLIN | EPOLLRDHUP | EPOLLPRI, 16);
	watch(fd, e[4], 0, 32);
	/* This one has fired already and is silent until it is armed again. */
	watch(fd, e[5], EPOLLIN | EPOLLONESHOT, 64);
	EQUAL(ready_set(fd), 64, "what is ready at first");
	EQUAL(ready_set(fd), 0, "what is ready after a one-shot");
}

static void epoll_check(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 128};

	EQUAL(ready_set(fd), 0, "what is ready although nothing happened");
	for (int i = 0; i < 5; i++)
		eventfd_write(e[i], 1);
	EQUAL(write(p[1], "x", 1), 1, "write");
	EQUAL(ready_set(fd), 1 | 1ull << 63 | 4 | 8 | 16, "what is ready");
	EQUAL(ready_set(fd), 1 | 8 | 16, "what is ready again (edge and one-shot are not)");
	EQUAL(epoll_ctl(fd, EPOLL_CTL_MOD, e[5], &event), 0, "arming the one-shot again");
	EQUAL(ready_set(fd) & 128, 128, "the one-shot armed again");
	EQUAL(epoll_ctl(fd, EPOLL_CTL_DEL, e[4], NULL), 0, "removing an entry");
	CHECK(epoll_ctl(fd, EPOLL_CTL_DEL, e[4], NULL) == -1 && errno == ENOENT, "an entry stays");
	EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC, "close-on-exec");
}

/* Entries that stand for a description: registered through a number that now means something else. */
static void epoll_odd_prepare(void)
{
	int outer, copy;

	fd = MUST(epoll_create1(0));
	outer = MUST(epoll_create1(0));
	e[0] = MUST(eventfd(0, EFD_NONBLOCK));
	e[1] = MUST(eventfd(0, EFD_NONBLOCK));
	watch(fd, e[0], EPOLLIN, 1);
	watch(outer, fd, EPOLLIN, 2);
	e[2] = outer;
	/* The same description twice, by two numbers, of which one is closed and taken by another. */
	copy = MUST(dup(e[1]));
	watch(fd, copy, EPOLLIN, 4);
	watch(fd, e[1], EPOLLIN, 8);
	MUST(dup2(e[0], copy));
	e[3] = copy;
}

static void epoll_odd_check(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 16};

	EQUAL(ready_set(e[2]), 0, "the outer epoll although nothing happened");
	eventfd_write(e[0], 1);
	EQUAL(ready_set(e[2]), 2, "an epoll inside an epoll");
	EQUAL(ready_set(fd), 1, "the inner epoll");
	eventfd_write(e[1], 1);
	EQUAL(ready_set(fd), 1 | 4 | 8, "a description registered by two numbers");
	EQUAL(epoll_ctl(fd, EPOLL_CTL_ADD, e[3], &event), 0, "the number taken over can be registered");
}

static void timerfd_prepare(void)
{
	struct itimerspec in = {{0, 100000000}, {2, 0}}, soon = {{0, 20000000}, {0, 20000000}}, off = {0};
	struct itimerspec at = {{0, 0}, {0, 0}};

	started = now_ns(CLOCK_MONOTONIC);
	e[0] = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
	MUST(timerfd_settime(e[0], 0, &in, NULL));
	e[1] = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	MUST(timerfd_settime(e[1], 0, &soon, NULL));
	e[2] = MUST(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	MUST(timerfd_settime(e[2], 0, &off, NULL));
	e[3] = MUST(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	at.it_value.tv_sec = now_ns(CLOCK_REALTIME) / 1000000000 + 1;
	MUST(timerfd_settime(e[3], TFD_TIMER_ABSTIME, &at, NULL));
	e[4] = MUST(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK));
	in.it_value.tv_sec = 1000;
	MUST(timerfd_settime(e[4], 0, &in, NULL));
	/* Has fired three times at least, not read. */
	sleep_ms(100);
}

static void timerfd_check(void)
{
	struct itimerspec left;
	uint64_t ticks = 0;

	timerfd_gettime(e[4], &left);
	CHECK(left.it_value.tv_sec >= 900 && left.it_value.tv_sec < 1000, "%lld s are left of 1000",
	      (long long)left.it_value.tv_sec);
	EQUAL(left.it_interval.tv_nsec, 100000000, "its interval");
	timerfd_gettime(e[0], &left);
	EQUAL(left.it_interval.tv_nsec, 100000000, "the interval");
	CHECK(left.it_value.tv_sec < 2, "%lld s are left of 2", (long long)left.it_value.tv_sec);
	EQUAL(read(e[1], &ticks, 8), 8, "read of the one that has fired");
	CHECK(ticks >= 3, "only %llu ticks", (unsigned long long)ticks);
	ticks = 0;
	EQUAL(read(e[2], &ticks, 8), -1, "read of the one that is off");
	for (int i = 0; i < 300 && read(e[3], &ticks, 8) != 8; i++)
		sleep_ms(10);
	EQUAL(ticks, 1, "ticks of the absolute one");
	for (int i = 0; i < 300 && read(e[0], &ticks, 8) != 8; i++)
		sleep_ms(10);
	CHECK(ticks >= 1, "the one of 2 s has not fired");
	EQUAL(fcntl(e[0], F_GETFD), FD_CLOEXEC, "close-on-exec");
}

static void signalfd_prepare(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigaddset(&mask, SIGRTMIN + 5);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fd = MUST(signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC));
	sigqueue(getpid(), SIGRTMIN + 5, (union sigval){.sival_int = 99});
}

static void signalfd_check(void)
{
	struct signalfd_siginfo info = {0};

	EQUAL(read(fd, &info, sizeof(info)), (long)sizeof(info), "read of what was pending");
	EQUAL(info.ssi_signo, SIGRTMIN + 5, "the signal");
	EQUAL(info.ssi_int, 99, "its value");
	kill(getpid(), SIGUSR2);
	EQUAL(read(fd, &info, sizeof(info)), (long)sizeof(info), "read of a new one");
	EQUAL(info.ssi_signo, SIGUSR2, "the new signal");
	EQUAL(read(fd, &info, sizeof(info)), -1, "read when none is left");
}

static int wd[3];

static void inotify_prepare(void)
{
	mkdir("watched", 0755);
	close(MUST(open("watched/file", O_CREAT | O_RDWR, 0644)));
	fd = MUST(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	int gone = MUST(inotify_add_watch(fd, ".", IN_ATTRIB));

	wd[0] = MUST(inotify_add_watch(fd, "watched", IN_CREATE | IN_DELETE));
	wd[1] = MUST(inotify_add_watch(fd, "watched/file", IN_MODIFY));
	inotify_rm_watch(fd, gone);
	char drop[256];

	EQUAL(read(fd, drop, sizeof(drop)), 16, "read of IN_IGNORED");
}

/* Events that nobody has read yet cannot be put back; the freeze has to say so. */
static void inotify_unread_prepare(void)
{
	inotify_prepare();
	close(MUST(open("watched/unread", O_CREAT | O_RDWR, 0644)));
}

static void inotify_unread_check(void)
{
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK, "O_NONBLOCK");
}

static const struct inotify_event *next_event(void)
{
	static char buffer[4096] __attribute__((aligned(8)));
	static ssize_t have, at;
	const struct inotify_event *event;

	if (at >= have) {
		have = read(fd, buffer, sizeof(buffer));
		at = 0;
		if (have <= 0)
			return NULL;
	}
	event = (void *)(buffer + at);
	at += sizeof(*event) + event->len;
	return event;
}

static void expect_event(int of, uint32_t mask, const char *name)
{
	const struct inotify_event *event = next_event();

	if (!event) {
		FAIL("no event %x of watch %d", mask, of);
		return;
	}
	EQUAL(event->wd, of, "the watch");
	EQUAL(event->mask, mask, "the event");
	SAME_TEXT(event->len ? event->name : "", name, "its name");
}

static void inotify_check(void)
{
	int file;

	CHECK(next_event() == NULL, "events although nothing happened");
	close(open("watched/new", O_CREAT | O_RDWR, 0644));
	expect_event(wd[0], IN_CREATE, "new");
	unlink("watched/new");
	expect_event(wd[0], IN_DELETE, "new");
	file = open("watched/file", O_WRONLY);
	EQUAL(write(file, "x", 1), 1, "write");
	close(file);
	expect_event(wd[1], IN_MODIFY, "");
	EQUAL(inotify_rm_watch(fd, wd[1]), 0, "removing a watch by its number");
	expect_event(wd[1], IN_IGNORED, "");
	CHECK(inotify_add_watch(fd, ".", IN_CREATE) > wd[1], "a new watch gets an old number");
	/* For the copy that runs later in the same directory. */
	close(open("watched/file", O_CREAT, 0644));
}

static char *shown;

static void memfd_prepare(void)
{
	fd = MUST(memfd_create("my memfd", MFD_ALLOW_SEALING | MFD_CLOEXEC));
	MUST(ftruncate(fd, 1 << 20));
	shown = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pattern_fill(shown, 300000, 7);
	MUST(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
	lseek(fd, 4242, SEEK_SET);
	e[0] = MUST(memfd_create("empty", 0));
	e[1] = MUST(memfd_create("written", MFD_ALLOW_SEALING));
	EQUAL(write(e[1], "fixed", 5), 5, "write");
	MUST(fcntl(e[1], F_ADD_SEALS, F_SEAL_WRITE));
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", e[1]);
	e[2] = MUST(open(path, O_RDONLY));
	lseek(e[2], 2, SEEK_SET);
}

static void memfd_check(void)
{
	char link[64], name[64] = "", text[8] = "";
	struct stat now;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	EQUAL(readlink(link, name, sizeof(name) - 1) > 0, 1, "readlink");
	SAME_TEXT(name, "/memfd:my memfd (deleted)", "the name");
	EQUAL(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, "the seals");
	EQUAL(fcntl(e[0], F_GET_SEALS), F_SEAL_SEAL, "the seals of one that forbids them");
	EQUAL(fcntl(e[1], F_GET_SEALS), F_SEAL_WRITE, "the seals of the third");
	fstat(fd, &now);
	EQUAL(now.st_size, 1 << 20, "the size");
	EQUAL(lseek(fd, 0, SEEK_CUR), 4242, "the offset");
	SAME_PATTERN(shown, 300000, 7, "the mapping");
	EQUAL(pwrite(fd, "seen", 4, 500000), 4, "pwrite");
	CHECK(memcmp(shown + 500000, "seen", 4) == 0, "the mapping does not show what was written");
	EQUAL(lseek(e[1], 0, SEEK_CUR), 5, "the offset of the third");
	EQUAL(lseek(e[2], 0, SEEK_CUR), 2, "the offset of a second description of it");
	EQUAL(pread(e[2], text, 8, 0), 5, "pread");
	SAME_TEXT(text, "fixed", "its content");
	EQUAL(write(e[2], "x", 1), -1, "write to what was opened for reading");
}

static void pidfd_prepare(void)
{
	fd = MUST((int)syscall(SYS_pidfd_open, getpid(), 0));
}

static void pidfd_check(void)
{
	struct sigaction action = {.sa_handler = judge_on_signal};

	judge_told = 0;
	sigaction(SIGUSR2, &action, NULL);
	EQUAL(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, NULL, 0), 0, "pidfd_send_signal");
	EQUAL(judge_told, 1, "the signal has come");
	EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC, "close-on-exec");
}

static void pidfd_ended_prepare(void)
{
	pid_t ended = MUST(fork());

	if (ended == 0)
		_exit(0);
	fd = MUST((int)syscall(SYS_pidfd_open, ended, 0));
	waitpid(ended, NULL, 0);
}

static void pidfd_ended_check(void)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	poll(&one, 1, 0);
	CHECK(one.revents & POLLIN, "the process that has ended is not told as ended");
	EQUAL(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), -1, "a signal to it");
}

static pid_t child;

static void pidfd_child_prepare(void)
{
	child = MUST(fork());
	if (child == 0) {
		for (;;)
			pause();
	}
	fd = MUST((int)syscall(SYS_pidfd_open, child, 0));
}

static void pidfd_child_check(void)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};
	int status = 0;

	poll(&one, 1, 0);
	EQUAL(one.revents, 0, "events of the living child");
	EQUAL(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0, "pidfd_send_signal");
	EQUAL(waitpid(child, &status, 0), child, "waitpid");
	EQUAL(WTERMSIG(status), SIGTERM, "the signal that ended the child");
	poll(&one, 1, 1000);
	CHECK(one.revents & POLLIN, "the end of the child is not told");
}

static const struct judge_case cases[] = {
	{"epoll", epoll_prepare, epoll_check},
	{"epoll-odd", epoll_odd_prepare, epoll_odd_check},
	{"timerfd", timerfd_prepare, timerfd_check},
	{"signalfd", signalfd_prepare, signalfd_check},
	{"inotify", inotify_prepare, inotify_check},
	{"inotify-unread", inotify_unread_prepare, inotify_unread_check},
	{"memfd", memfd_prepare, memfd_check},
	{"pidfd", pidfd_prepare, pidfd_check},
	{"pidfd-ended", pidfd_ended_prepare, pidfd_ended_check},
	{"pidfd-child", pidfd_child_prepare, pidfd_child_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
