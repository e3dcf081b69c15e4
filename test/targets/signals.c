/* Signals: dispositions, masks, alternate stacks, what is pending with its siginfo, timers. */
#include "judge.h"
#include <sys/mman.h>
#include <sys/time.h>

static volatile sig_atomic_t order[16], values[16], codes[16], arrived;
static volatile pid_t senders[16];
static char other_stack[65536] __attribute__((aligned(16)));
static volatile int on_other_stack;
static sigset_t blocked;

static void note(int signo, siginfo_t *info, void *context)
{
	int i = arrived;

	(void)context;
	order[i] = signo;
	values[i] = info->si_value.sival_int;
	codes[i] = info->si_code;
	senders[i] = info->si_pid;
	arrived = i + 1;
}

static void handle(int signo, int flags)
{
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGURG);
	sigaction(signo, &action, NULL);
}

static void block(int signo)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, signo);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
}

static void unblock(int signo)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, signo);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
}

static void dispositions_prepare(void)
{
	handle(SIGUSR2, SA_RESTART);
	handle(SIGRTMIN + 1, SA_ONSTACK | SA_NODEFER);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT}, NULL);
	block(SIGTERM);
	block(SIGRTMAX);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
}

static void dispositions_check(void)
{
	struct sigaction now;
	sigset_t mask;

	sigaction(SIGUSR2, NULL, &now);
	CHECK(now.sa_sigaction == note, "the handler of SIGUSR2 has changed");
	EQUAL(now.sa_flags & ~0x04000000, SA_SIGINFO | SA_RESTART, "the flags of SIGUSR2");
	EQUAL(sigismember(&now.sa_mask, SIGURG), 1, "SIGURG in the mask of SIGUSR2");
	EQUAL(sigismember(&now.sa_mask, SIGTERM), 0, "SIGTERM in the mask of SIGUSR2");
	sigaction(SIGRTMIN + 1, NULL, &now);
	EQUAL(now.sa_flags & ~0x04000000, SA_SIGINFO | SA_ONSTACK | SA_NODEFER, "the flags of SIGRTMIN+1");
	sigaction(SIGPIPE, NULL, &now);
	CHECK(now.sa_handler == SIG_IGN, "SIGPIPE is not ignored");
	sigaction(SIGHUP, NULL, &now);
	CHECK(now.sa_handler == SIG_IGN, "SIGHUP is not ignored");
	sigaction(SIGCHLD, NULL, &now);
	EQUAL(now.sa_flags & SA_NOCLDWAIT, SA_NOCLDWAIT, "SA_NOCLDWAIT");
	sigaction(SIGALRM, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL, "SIGALRM has a handler");
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	for (int i = 1; i < 65; i++)
		if (sigismember(&mask, i) != sigismember(&blocked, i))
			FAIL("signal %d is %d in the mask", i, sigismember(&mask, i));
	raise(SIGUSR2);
	EQUAL(arrived, 1, "signals handled");
}

static pthread_t other;
static volatile int other_ready, other_go, other_arrived;

static void *other_thread(void *unused)
{
	(void)unused;
	block(SIGUSR1);
	block(SIGRTMIN + 6);
	other_ready = 1;
	while (!other_go)
		sleep_ms(5);
	unblock(SIGRTMIN + 6);
	other_arrived = arrived;
	return NULL;
}

static void pending_prepare(void)
{
	union sigval value = {.sival_int = 0};

	for (int i = 0; i < 3; i++)
		handle(SIGRTMIN + 4 + i, 0);
	handle(SIGUSR2, 0);
	block(SIGRTMIN + 4);
	block(SIGRTMIN + 5);
	block(SIGUSR2);
	pthread_create(&other, NULL, other_thread, NULL);
	while (!other_ready)
		sleep_ms(1);
	/* Three of one kind for the process, one for this thread, one for the other thread. */
	for (int i = 0; i < 3; i++) {
		value.sival_int = 100 + i;
		sigqueue(getpid(), SIGRTMIN + 4, value);
	}
	value.sival_int = 200;
	pthread_sigqueue(pthread_self(), SIGRTMIN + 5, value);
	value.sival_int = 300;
	pthread_sigqueue(other, SIGRTMIN + 6, value);
	kill(getpid(), SIGUSR2);
}

static void expect(int at, int signo, int value, int code)
{
	if (order[at] != signo || values[at] != value || codes[at] != code || senders[at] != getpid())
		FAIL("signal number %d is %d with value %d, code %d, from %d; expected %d, %d, %d, %d", at,
		     order[at], values[at], codes[at], senders[at], signo, value, code, getpid());
}

static void pending_check(void)
{
	sigset_t waiting;

	EQUAL(arrived, 0, "signals that were blocked and came");
	sigpending(&waiting);
	EQUAL(sigismember(&waiting, SIGUSR2), 1, "SIGUSR2 is pending");
	unblock(SIGRTMIN + 4);
	EQUAL(arrived, 3, "signals of the process");
	for (int i = 0; i < 3; i++)
		expect(i, SIGRTMIN + 4, 100 + i, SI_QUEUE);
	unblock(SIGRTMIN + 5);
	EQUAL(arrived, 4, "signals with that of this thread");
	expect(3, SIGRTMIN + 5, 200, SI_QUEUE);
	unblock(SIGUSR2);
	EQUAL(arrived, 5, "signals with SIGUSR2");
	EQUAL(codes[4], SI_USER, "its code");
	other_go = 1;
	pthread_join(other, NULL);
	EQUAL(other_arrived, 6, "signals with that of the other thread");
	expect(5, SIGRTMIN + 6, 300, SI_QUEUE);
}

static void on_other(int signo)
{
	char here;

	(void)signo;
	on_other_stack = &here >= other_stack && &here < other_stack + sizeof(other_stack);
}

static void altstack_prepare(void)
{
	struct sigaction action = {.sa_handler = on_other, .sa_flags = SA_ONSTACK};

	MUST(sigaltstack(&(stack_t){.ss_sp = other_stack, .ss_size = sizeof(other_stack)}, NULL));
	sigaction(SIGUSR2, &action, NULL);
}

static void altstack_check(void)
{
	stack_t now;

	sigaltstack(NULL, &now);
	CHECK(now.ss_sp == other_stack, "the alternate stack is elsewhere");
	EQUAL(now.ss_size, sizeof(other_stack), "its size");
	EQUAL(now.ss_flags, 0, "its flags");
	raise(SIGUSR2);
	EQUAL(on_other_stack, 1, "the handler runs on it");
}

static volatile sig_atomic_t inside, finished;

/* Frozen while a handler runs: the frame below it must stay good. */
static void long_handler(int signo)
{
	char here;

	(void)signo;
	on_other_stack = &here >= other_stack && &here < other_stack + sizeof(other_stack);
	inside = 1;
	while (!finished)
		sleep_ms(5);
}

static void *in_handler(void *unused)
{
	static char stack[65536];
	struct sigaction action = {.sa_handler = long_handler, .sa_flags = SA_ONSTACK};
	volatile double x = 1.25;

	(void)unused;
	block(SIGUSR1);
	sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
	sigaction(SIGUSR2, &action, NULL);
	pthread_kill(pthread_self(), SIGUSR2);
	return x == 1.25 ? (void *)1 : NULL;
}

static void in_handler_prepare(void)
{
	pthread_create(&other, NULL, in_handler, NULL);
	while (!inside)
		sleep_ms(1);
}

static void in_handler_check(void)
{
	void *result = NULL;

	finished = 1;
	pthread_join(other, &result);
	CHECK(result != NULL, "what the handler interrupted goes wrong");
}

static void itimers_prepare(void)
{
	struct itimerval soon = {{0, 50000}, {0, 50000}}, late = {{7, 0}, {1000, 0}};
	struct itimerval used = {{0, 0}, {500, 0}};

	handle(SIGPROF, SA_RESTART);
	signal(SIGVTALRM, SIG_IGN);
	setitimer(ITIMER_REAL, &late, NULL);
	setitimer(ITIMER_PROF, &used, NULL);
	setitimer(ITIMER_VIRTUAL, &soon, NULL);
}

static void itimers_check(void)
{
	struct itimerval now;

	getitimer(ITIMER_REAL, &now);
	CHECK(now.it_value.tv_sec >= 900 && now.it_value.tv_sec < 1000, "%lld s are left of 1000",
	      (long long)now.it_value.tv_sec);
	EQUAL(now.it_interval.tv_sec, 7, "the interval of ITIMER_REAL");
	getitimer(ITIMER_PROF, &now);
	CHECK(now.it_value.tv_sec > 400 && now.it_value.tv_sec <= 500, "%lld s of CPU are left of 500",
	      (long long)now.it_value.tv_sec);
	getitimer(ITIMER_VIRTUAL, &now);
	EQUAL(now.it_interval.tv_usec, 50000, "the interval of ITIMER_VIRTUAL");
}

/* The one timer whose signal matters: SIGALRM must come once the rest of 2 s has passed. */
static void alarm_prepare(void)
{
	handle(SIGALRM, 0);
	alarm(2);
}

static void alarm_check(void)
{
	for (int i = 0; i < 400 && !arrived; i++)
		sleep_ms(10);
	EQUAL(arrived, 1, "SIGALRMs that came");
	EQUAL(order[0], SIGALRM, "the signal");
}

static timer_t timers[4];

static void posix_prepare(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1};
	struct itimerspec far = {{5, 0}, {1000, 0}}, soon = {{0, 0}, {1, 500000000}};

	handle(SIGRTMIN + 1, SA_RESTART);
	handle(SIGRTMIN + 2, SA_RESTART);
	event.sigev_value.sival_int = 11;
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timers[0]));
	MUST(timer_settime(timers[0], 0, &far, NULL));
	event.sigev_value.sival_int = 22;
	MUST(timer_create(CLOCK_REALTIME, &event, &timers[1]));
	/* A hole in the numbers. */
	MUST(timer_delete(timers[1]));
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timers[1]));
	MUST(timer_settime(timers[1], 0, &soon, NULL));
	event = (struct sigevent){.sigev_notify = SIGEV_NONE};
	MUST(timer_create(CLOCK_BOOTTIME, &event, &timers[2]));
	MUST(timer_settime(timers[2], 0, &far, NULL));
	event = (struct sigevent){.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 2};
	event.sigev_value.sival_int = 33;
	event._sigev_un._tid = syscall(SYS_gettid);
	MUST(timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timers[3]));
}

static void posix_check(void)
{
	struct itimerspec now;

	for (int i = 0; i < 3; i += 2) {
		EQUAL(timer_gettime(timers[i], &now), 0, "timer_gettime");
		CHECK(now.it_value.tv_sec >= 900 && now.it_value.tv_sec < 1000, "%lld s are left of 1000",
		      (long long)now.it_value.tv_sec);
		EQUAL(now.it_interval.tv_sec, 5, "the interval");
	}
	for (int i = 0; i < 400 && !arrived; i++)
		sleep_ms(10);
	EQUAL(arrived, 1, "signals of timers");
	EQUAL(order[0], SIGRTMIN + 1, "the signal");
	EQUAL(values[0], 22, "its value");
	EQUAL(codes[0], SI_TIMER, "its code");
	struct itimerspec cpu = {{0, 0}, {0, 1000000}};

	EQUAL(timer_settime(timers[3], 0, &cpu, NULL), 0, "arming the CPU timer");
	for (int64_t until = now_ns(CLOCK_MONOTONIC) + 3000000000; arrived < 2 && now_ns(CLOCK_MONOTONIC) < until;)
		;
	EQUAL(arrived, 2, "signals with that of the CPU timer");
	EQUAL(values[1], 33, "its value");
}

static const struct judge_case cases[] = {
	{"dispositions", dispositions_prepare, dispositions_check},
	{"pending", pending_prepare, pending_check},
	{"altstack", altstack_prepare, altstack_check},
	{"in-handler", in_handler_prepare, in_handler_check},
	{"itimers", itimers_prepare, itimers_check},
	{"alarm", alarm_prepare, alarm_check},
	{"posix-timers", posix_prepare, posix_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
