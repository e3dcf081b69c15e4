/*
 * crowd PROCESSES THREADS [stay]: so many processes (this one is their parent) with so many threads each, all asleep but the first,
 * which says "ready" and looks at the time of day. When that has jumped, as it has after a freeze, it writes one byte and ends, and all
 * end with it; with `stay` it goes on for ever.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* Longer than a busy machine keeps a program waiting. */
#define JUMP_NS 1000000000LL
#define STACK 65536

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int start_threads(int count)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (int i = 1; i < count; i++)
		if (pthread_create(&thread, &attr, sleeper, NULL) != 0)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	int processes = argc > 1 ? atoi(argv[1]) : 1, threads = argc > 2 ? atoi(argv[2]) : 1, ends[2];
	struct timespec moment = {0, 1000000};
	int64_t last, at;
	char byte = 0;

	if (pipe(ends) < 0)
		return 1;
	for (int i = 1; i < processes; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (start_threads(threads) < 0)
				_exit(1);
			if (write(ends[1], &byte, 1) == 1)
				sleeper(NULL);
			_exit(1);
		}
	if (start_threads(threads) < 0)
		return 1;
	for (int i = 1; i < processes; i++)
		if (read(ends[0], &byte, 1) != 1)
			return 1;
	close(ends[0]);
	close(ends[1]);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	for (last = now();; last = at) {
		nanosleep(&moment, NULL);
		at = now();
		if (at - last > JUMP_NS && argc <= 3)
			return write(1, "x", 1) != 1;
	}
}
