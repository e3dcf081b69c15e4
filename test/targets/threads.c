/*
 * Threads: thread-local storage, names, signal masks, ids as the kernel, the C library and a cached
 * value tell them, pthread_kill by cached id, a robust mutex whose owner dies after the resume, a
 * barrier that some had reached before, rseq, set_tid_address (pthread_join).
 *
 *   threads COUNT      COUNT includes the main thread
 */
#include "judge.h"
#include <semaphore.h>
#include <sys/prctl.h>
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#define HAVE_RSEQ 1
#endif
#endif

struct worker {
	pthread_t thread;
	pid_t tid;
	int index;
	volatile int killed;
	volatile int arrived;
	int result;
};

static __thread uint64_t own_value;
static __thread struct worker *self;
static __thread char own_text[64];

static struct worker *workers;
static int count;
static pthread_barrier_t barrier;
static pthread_mutex_t robust;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int phase;
static volatile int stay_busy = 1;

static void on_poke(int signo)
{
	(void)signo;
	self->killed = syscall(SYS_gettid);
}

static void expect_identity(struct worker *me)
{
	sigset_t mask;
	char name[32] = "", want[32];

	if (syscall(SYS_gettid) != me->tid)
		FAIL("thread %d: gettid is %ld, expected %d", me->index, syscall(SYS_gettid), me->tid);
	if (own_value != 0x1234567000ull + me->index)
		FAIL("thread %d: its thread-local value is %llx", me->index,
		     (unsigned long long)own_value);
	snprintf(want, sizeof(want), "text of %d", me->index);
	if (strcmp(own_text, want) != 0)
		FAIL("thread %d: its thread-local text is \"%s\"", me->index, own_text);
	prctl(PR_GET_NAME, name);
	snprintf(want, sizeof(want), "worker-%d", me->index);
	if (me->index && strcmp(name, want) != 0)
		FAIL("thread %d: its name is \"%s\"", me->index, name);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	for (int bit = 0; bit < 8; bit++)
		if (sigismember(&mask, SIGRTMIN + 4 + bit) != (me->index >> bit & 1))
			FAIL("thread %d: the mask bit of SIGRTMIN+%d is wrong", me->index, 4 + bit);
#ifdef HAVE_RSEQ
	if (__rseq_size) {
		struct rseq *area = (void *)((char *)__builtin_thread_pointer() + __rseq_offset);

		/* The kernel keeps it up to date only while the area is registered. */
		area->cpu_id_start = 99999;
		for (int i = 0; i < 2000 && area->cpu_id_start == 99999; i++)
			sleep_ms(1);
		if (area->cpu_id_start == 99999)
			FAIL("thread %d: rseq is no longer registered", me->index);
	}
#endif
}

static void be(struct worker *me)
{
	char name[16];
	sigset_t mask;

	self = me;
	me->tid = syscall(SYS_gettid);
	own_value = 0x1234567000ull + me->index;
	snprintf(own_text, sizeof(own_text), "text of %d", me->index);
	snprintf(name, sizeof(name), "worker-%d", me->index);
	if (me->index)
		prctl(PR_SET_NAME, name);
	sigemptyset(&mask);
	for (int bit = 0; bit < 8; bit++)
		if (me->index >> bit & 1)
			sigaddset(&mask, SIGRTMIN + 4 + bit);
	sigaddset(&mask, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	__atomic_store_n(&me->arrived, 1, __ATOMIC_SEQ_CST);
}

/* Waits for the phase in four different ways: computing, sleeping, a condition, a barrier. */
static void *work(void *argument)
{
	struct worker *me = argument;

	be(me);
	if (me->index == 1)
		pthread_mutex_lock(&robust);
	if (me->index == 2) {
		volatile double x = 1;

		while (stay_busy)
			x = x * 1.0000001 + 1e-9;
	} else if (me->index % 4 == 3) {
		while (__atomic_load_n(&phase, __ATOMIC_SEQ_CST) == 0)
			sleep_ms(50);
	} else {
		pthread_mutex_lock(&lock);
		while (phase == 0)
			pthread_cond_wait(&changed, &lock);
		pthread_mutex_unlock(&lock);
	}
	expect_identity(me);
	pthread_barrier_wait(&barrier);
	me->result = me->index * 7;
	/* Thread 1 ends here and still owns the robust mutex. */
	return &me->result;
}

int main(int argc, char **argv)
{
	pthread_mutexattr_t attributes;
	pthread_attr_t small;
	struct sigaction action = {.sa_handler = on_poke, .sa_flags = SA_RESTART};

	judge_subject = "threads";
	count = argc > 1 ? atoi(argv[1]) : 4;
	workers = calloc(count, sizeof(*workers));
	pthread_barrier_init(&barrier, NULL, count);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attributes);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	sigaction(SIGRTMIN + 1, &action, NULL);
	be(&workers[0]);
	for (int i = 1; i < count; i++) {
		workers[i].index = i;
		if (pthread_create(&workers[i].thread, &small, work, &workers[i]) != 0)
			CANNOT("only %d threads can be made here", i);
	}
	for (int i = 0; i < count; i++)
		while (!__atomic_load_n(&workers[i].arrived, __ATOMIC_SEQ_CST))
			sleep_ms(1);
	sigset_t told;

	sigemptyset(&told);
	sigaddset(&told, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &told, NULL);
	sleep_ms(100);
	ready();
	judge_wait();

	workers[0].thread = pthread_self();
	for (int i = 0; i < count; i++) {
		if (pthread_kill(workers[i].thread, SIGRTMIN + 1) != 0)
			FAIL("thread %d: pthread_kill by its cached id fails", i);
		for (int tries = 0; tries < 5000 && !workers[i].killed; tries++)
			sleep_ms(1);
		if (workers[i].killed != workers[i].tid)
			FAIL("thread %d: its signal arrived at %d, expected %d", i, workers[i].killed,
			     workers[i].tid);
	}
	stay_busy = 0;
	pthread_mutex_lock(&lock);
	phase = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	expect_identity(&workers[0]);
	pthread_barrier_wait(&barrier);
	if (count > 1) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 10;
		EQUAL(pthread_mutex_timedlock(&robust, &until), EOWNERDEAD,
		      "locking the robust mutex of a dead owner");
	}
	for (int i = 1; i < count; i++) {
		void *result = NULL;

		pthread_join(workers[i].thread, &result);
		if (result != &workers[i].result || workers[i].result != i * 7)
			FAIL("thread %d: wrong result", i);
	}
	return verdict("threads");
}
