/* Interval timers and POSIX timers: made while everything is still ours, armed at the very end. */
#include "engine.h"

#define NS 1000000000LL
#define PR_TIMER_CREATE_RESTORE_IDS_NUMBER 77 /* 6.16 */
#define SIGEV_THREAD_ID_NOTIFY 4
#define ID_LIMIT 1000000

struct sigevent_kernel {
	uint64_t value;
	int32_t signo, notify, tid, pad[11];
};

struct timer_value {
	int64_t interval_sec, interval_nsec, sec, nsec;
};

/* Where timers cannot be given ids, they count up: create and delete until the wanted one comes (kernel/time/posix-timers.c). */
static long create_with_id(struct sigevent_kernel *event, int32_t clock, int32_t id)
{
	int restore = sys_prctl(PR_TIMER_CREATE_RESTORE_IDS_NUMBER, 1, 0, 0, 0) == 0;
	int32_t got = id, tries;
	long ret = 0;

	for (tries = 0; tries < ID_LIMIT; tries++) {
		ret = sys3(__NR_timer_create, clock, (long)event, (long)&got);
		if (ret < 0 || got == id)
			break;
		sys1(__NR_timer_delete, got);
		if (restore || got > id) {
			ret = -17;
			break;
		}
	}
	if (restore)
		sys_prctl(PR_TIMER_CREATE_RESTORE_IDS_NUMBER, 0, 0, 0, 0);
	return ret;
}

long timers_create(struct engine *e)
{
	uint64_t count, i;
	const struct frore_posix_timer *row = ROWS(&e->r->artefact, POSIX_TIMER, &count);

	for (i = 0; i < count; i++) {
		struct sigevent_kernel event;
		long ret;

		if (row[i].task != e->task_row)
			continue;
		memset(&event, 0, sizeof(event));
		event.value = row[i].sigval;
		event.signo = row[i].signo;
		event.notify = row[i].notify;
		event.tid = row[i].notify & SIGEV_THREAD_ID_NOTIFY ? row[i].tid : 0;
		ret = create_with_id(&event, row[i].clockid, row[i].id);
		if (ret < 0)
			return refuse(e->r, "cannot create", "a POSIX timer with its old id", -ret, 0);
	}
	return 0;
}

long timers_arm(struct engine *e)
{
	uint64_t count, i;
	const struct frore_posix_timer *timer = ROWS(&e->r->artefact, POSIX_TIMER, &count);

	for (i = 0; i < count; i++) {
		struct timer_value v = {timer[i].interval_ns / NS, timer[i].interval_ns % NS, timer[i].value_ns / NS,
					timer[i].value_ns % NS};

		if (timer[i].task == e->task_row && timer[i].value_ns)
			sys4(__NR_timer_settime, timer[i].id, 0, (long)&v, 0);
	}
	const struct frore_itimer *row = ROWS(&e->r->artefact, ITIMER, &count);

	for (i = 0; i < count; i++) {
		/* between its signal and the delivery an interval timer stands still at 0 (kernel/time/itimer.c) */
		int64_t value = row[i].value_us ? row[i].value_us : row[i].interval_us;
		struct timer_value v = {row[i].interval_us / 1000000, row[i].interval_us % 1000000, value / 1000000,
					value % 1000000};

		if (row[i].task == e->task_row && value)
			sys3(__NR_setitimer, row[i].which, (long)&v, 0);
	}
	return 0;
}
