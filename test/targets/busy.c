/*
 * A program that is never at rest: whatever moment it is frozen at, no call may fail or be cut
 * short, no value may be lost, and no thread may stand still.
 */
#include "judge.h"
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <semaphore.h>

enum { PING, PONG, COMPUTE, CLOCK, MEMORY, EPOLL, BREED, CONDITION_A, CONDITION_B, SLEEP, SYSCALLS, COUNT_OF_WORK };

static volatile int stop;
static volatile unsigned long turns[COUNT_OF_WORK];
static int there[2], back[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int whose;
static volatile unsigned long alarms;

static void pass(int from, int to, uint64_t want)
{
	uint64_t value = 0;
	ssize_t got = read(from, &value, sizeof(value));

	if (got != sizeof(value) || value != want)
		FAIL("read gives %zd (%s), value %llu, expected %llu", got, got < 0 ? strerror(errno) : "",
		     (unsigned long long)value, (unsigned long long)want);
	value++;
	if (to >= 0 && write(to, &value, sizeof(value)) != sizeof(value))
		FAIL("write: %s", strerror(errno));
}

static void ping(void)
{
	static uint64_t next = 1;

	pass(back[0], there[1], next);
	next += 2;
}

static void pong(void)
{
	static uint64_t next = 2;

	pass(there[0], back[1], next);
	next += 2;
}

static double mix(unsigned seed)
{
	double x = 1 + seed % 7, y = 0;

	for (int i = 0; i < 20000; i++) {
		x = x * 1.000001 + 0.5 / (x + i);
		y += x - (long)x;
	}
	return y;
}

static void compute(void)
{
	unsigned seed = turns[COMPUTE];
	double first = mix(seed), second = mix(seed);

	CHECK(memcmp(&first, &second, sizeof(first)) == 0, "the same sum gives %.17g and %.17g", first, second);
}

static void clock_forward(void)
{
	static int64_t before;

	for (int i = 0; i < 2000; i++) {
		int64_t now = now_ns(CLOCK_MONOTONIC);

		if (now < before)
			FAIL("the clock goes back by %lld ns", (long long)(before - now));
		before = now;
	}
}

static void memory(void)
{
	size_t size = 4096 * (1 + turns[MEMORY] % 64);
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED) {
		FAIL("mmap: %s", strerror(errno));
		return;
	}
	memset(at, 0x5a, size);
	CHECK(at[size - 1] == 0x5a, "memory has lost a byte");
	CHECK(madvise(at, size, MADV_DONTNEED) == 0, "madvise: %s", strerror(errno));
	CHECK(at[size / 2] == 0, "dropped memory is not zero");
	CHECK(munmap(at, size) == 0, "munmap: %s", strerror(errno));
}

static void wait_epoll(void)
{
	static int epoll = -1;
	struct epoll_event event;
	int got;

	if (epoll < 0)
		epoll = epoll_create1(0);
	got = epoll_wait(epoll, &event, 1, 2);
	CHECK(got == 0, "epoll_wait gives %d (%s)", got, strerror(errno));
}

static void *child(void *argument)
{
	return argument;
}

static void breed(void)
{
	pthread_t thread;
	void *result = NULL;

	if (pthread_create(&thread, NULL, child, (void *)turns[BREED]) != 0) {
		FAIL("pthread_create fails");
		return;
	}
	pthread_join(thread, &result);
	CHECK(result == (void *)turns[BREED], "a thread has another result");
}

static void take_turns(int me)
{
	pthread_mutex_lock(&lock);
	while (whose != me && !stop)
		pthread_cond_wait(&changed, &lock);
	whose = !me;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static void condition_a(void)
{
	take_turns(0);
}

static void condition_b(void)
{
	take_turns(1);
}

static void nap(void)
{
	struct timespec for_a_while = {0, 1500000};

	CHECK(nanosleep(&for_a_while, NULL) == 0, "nanosleep: %s", strerror(errno));
}

static void system_calls(void)
{
	static int fd = -1;
	char byte;

	if (fd < 0)
		fd = open("/proc/self/exe", O_RDONLY);
	for (int i = 0; i < 200; i++) {
		if (syscall(SYS_getpid) != judge_pid)
			FAIL("getpid gives %ld", syscall(SYS_getpid));
		if (pread(fd, &byte, 1, 1) != 1 || byte != 'E')
			FAIL("pread gives another byte: %s", strerror(errno));
	}
}

static void (*const work[COUNT_OF_WORK])(void) = {
	ping, pong, compute, clock_forward, memory, wait_epoll, breed, condition_a, condition_b, nap, system_calls,
};

static void *run(void *argument)
{
	long me = (long)argument;

	while (!stop) {
		work[me]();
		turns[me]++;
	}
	return NULL;
}

static void on_alarm(int signo)
{
	(void)signo;
	alarms++;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, 3000}, {0, 3000}};
	pthread_t threads[COUNT_OF_WORK];
	unsigned long before[COUNT_OF_WORK];
	sigset_t all;

	judge_subject = "busy";
	MUST(pipe(there));
	MUST(pipe(back));
	judge_pid = getpid();
	sigaction(SIGALRM, &action, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (long i = 0; i < COUNT_OF_WORK; i++)
		pthread_create(&threads[i], NULL, run, (void *)i);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	MUST(write(back[1], &(uint64_t){1}, 8));
	setitimer(ITIMER_REAL, &often, NULL);
	ready();
	judge_wait();
	unsigned long alarms_before = alarms;

	memcpy(before, (void *)turns, sizeof(before));
	for (int i = 0; i < COUNT_OF_WORK; i++) {
		for (int tries = 0; tries < 1000 && turns[i] == before[i]; tries++)
			sleep_ms(5);
		CHECK(turns[i] != before[i], "worker %d stands still at turn %lu", i, turns[i]);
	}
	for (int tries = 0; tries < 1000 && alarms == alarms_before; tries++)
		sleep_ms(5);
	CHECK(alarms != alarms_before, "the interval timer no longer fires");
	/* The pipe workers may wait for each other's last word for ever: the process just ends. */
	return verdict("busy");
}
