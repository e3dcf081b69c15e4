/*
 * PTRACE_SEIZE of a thread whose process executes a program waits for that to end, and the execution waits until every other
 * thread has been reaped: by their tracer, who is us. A timer breaks this circle by reaping those that have ended.
 */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "native.h"

static int32_t *volatile seized; /* [0] is how many follow */
static int32_t room;
static struct sigaction before;

static void reap(int signo)
{
	const int32_t *list = seized;

	(void)signo;
	for (int32_t i = 1; list && i <= list[0]; i++) {
		siginfo_t info = {.si_pid = 0};

		/* A look first: asked about a tracee, the kernel tells of stops, too, and those are not ours to take. */
		if (waitid(P_PID, list[i], &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid != 0 &&
		    (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED))
			waitid(P_PID, list[i], &info, WEXITED | WNOHANG | __WALL);
	}
}

void unstick_add(int32_t tid)
{
	int32_t *list = seized;

	if (!list || list[0] >= room)
		return;
	list[list[0] + 1] = tid;
	list[0]++;
}

/* Every 50 ms until the call with NULL; the list, with room for `capacity` threads, may grow meanwhile. */
EXPORT void frore_native_unstick(int32_t *list, int32_t capacity)
{
	struct itimerval timer = {{0, list ? 50000 : 0}, {0, list ? 50000 : 0}};
	struct sigaction action = {.sa_handler = reap, .sa_flags = SA_RESTART};

	seized = list;
	room = capacity;
	if (list)
		sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &timer, NULL);
	if (!list)
		sigaction(SIGALRM, &before, NULL);
}
