/*
 * Trees that never stand still: tasks fork, execute and end as fast as they can. Every child must be waited for by the parent that
 * made it, with the code that it ended with: one that escaped from the cut, or was taken twice, breaks the count.
 */
#include "judge.h"
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define WORKERS 3

struct shared {
	volatile int stop;
	volatile long made[WORKERS], hops, alive, most;
};

static struct shared *shared;
static pid_t workers[WORKERS];
static char self[256];
extern char **environ;

static void expect_end(pid_t pid, int code)
{
	int status = 0;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got == -1 && errno == EINTR);
	EQUAL(got, pid, "the child that was waited for");
	EQUAL(status, code << 8, "how it ended");
}

static void fork_one(long n)
{
	pid_t pid = MUST(fork());

	if (pid == 0)
		_exit(n & 63);
	expect_end(pid, n & 63);
}

/* Two generations: the grandchild is made by a child that may not have been stopped yet. */
static void fork_two(long n)
{
	pid_t pid = MUST(fork());

	if (pid == 0) {
		fork_one(n);
		_exit(judge_failures ? 99 : n & 63);
	}
	expect_end(pid, n & 63);
}

static void spawn_one(long n)
{
	char code[8], *argv[] = {self, "exit", code, NULL};
	pid_t pid;

	snprintf(code, sizeof(code), "%ld", n & 63);
	EQUAL(posix_spawn(&pid, self, NULL, NULL, argv, environ), 0, "posix_spawn");
	expect_end(pid, n & 63);
}

static void work(int which, void (*one)(long))
{
	while (!shared->stop && !judge_failures)
		one(shared->made[which]++);
	_exit(judge_failures ? 1 : 0);
}

static void prepare_workers(void (*one)(long))
{
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = MUST(fork());
		if (workers[i] == 0)
			work(i, one);
	}
	while (shared->made[WORKERS - 1] < 3)
		sleep_ms(1);
}

static void check_workers(void)
{
	long before[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		before[i] = shared->made[i];
	for (int i = 0; i < WORKERS; i++) {
		for (int tries = 0; shared->made[i] < before[i] + 2 && tries < 10000; tries++)
			sleep_ms(1);
		CHECK(shared->made[i] >= before[i] + 2, "worker %d stands still", i);
	}
	shared->stop = 1;
	for (int i = 0; i < WORKERS; i++)
		expect_end(workers[i], 0);
	EQUAL(waitpid(-1, NULL, WNOHANG), -1, "a child that nobody made");
}

static void prepare_forks(void)
{
	prepare_workers(fork_one);
}

static void prepare_generations(void)
{
	prepare_workers(fork_two);
}

static void prepare_spawns(void)
{
	prepare_workers(spawn_one);
}

/* Each makes the next and ends: only ever one or two of them live, and all end up as children of this process. */
static void hop(void)
{
	while (!shared->stop) {
		long now = __atomic_add_fetch(&shared->alive, 1, __ATOMIC_SEQ_CST);

		if (now > shared->most)
			shared->most = now;
		shared->hops++;
		__atomic_sub_fetch(&shared->alive, 1, __ATOMIC_SEQ_CST);
		if (fork() != 0)
			_exit(7);
	}
	_exit(8);
}

static void reap_hops(int signo)
{
	int status, saved = errno;

	(void)signo;
	while (waitpid(-1, &status, WNOHANG) > 0)
		if (status != 7 << 8 && status != 8 << 8)
			FAIL("a hop ended with %#x", status);
	errno = saved;
}

static void prepare_hops(void)
{
	signal(SIGCHLD, reap_hops);
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	if (MUST(fork()) == 0)
		hop();
	while (shared->hops < 10)
		sleep_ms(1);
}

static void check_hops(void)
{
	long before = shared->hops;

	for (int tries = 0; shared->hops < before + 2 && tries < 10000; tries++)
		sleep_ms(1);
	CHECK(shared->hops >= before + 2, "the chain is broken after %ld hops", before);
	EQUAL(shared->most, 1, "how many of them were at it at once");
	shared->stop = 1;
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	EQUAL(errno, ECHILD, "when all have ended");
}

static const struct judge_case cases[] = {
	{"forks", prepare_forks, check_workers},
	{"generations", prepare_generations, check_workers},
	{"spawns", prepare_spawns, check_workers},
	{"hops", prepare_hops, check_hops},
};

int main(int argc, char **argv)
{
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc == 3 && strcmp(argv[1], "exit") == 0)
		return atoi(argv[2]);
	self[length > 0 ? length : 0] = 0;
	shared = MUST(mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	return judge_cases(argc, argv, cases, COUNT(cases));
}
