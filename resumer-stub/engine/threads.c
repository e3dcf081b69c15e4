/* Threads with their old tids, and what belongs to each of them. */
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "engine.h"
#include "switch.h"

#define SIGNAL_STOP 19

struct sched_attributes { /* struct sched_attr, uapi/linux/sched/types.h */
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static struct final_shared *shared_of(struct engine *e)
{
	return (struct final_shared *)(e->area.resident.start + PAGE);
}

static struct final_thread *finals_of(struct engine *e)
{
	return (struct final_thread *)((e->area.resident.start + PAGE + sizeof(struct final_shared) + 127 +
					e->thread_count * e->frame_size) &
				       ~63ULL);
}

static struct final_call *calls_of(struct engine *e)
{
	return (struct final_call *)(finals_of(e) + e->thread_count);
}

static void scheduling(struct engine *e, const struct frore_thread *t)
{
	const struct artefact *a = &e->r->artefact;
	struct sched_attributes attr = {
		.size = sizeof(attr),
		.policy = t->sched_policy,
		.flags = t->sched_flags,
		.nice = t->nice,
		.priority = t->sched_priority,
	};
	long ret;

	if (t->sched_policy == 6) { /* SCHED_DEADLINE */
		attr.runtime = t->sched_runtime;
		attr.deadline = t->sched_deadline;
		attr.period = t->sched_period;
	}
	ret = sys3(__NR_sched_setattr, 0, (long)&attr, 0);
	if (ret < 0)
		warn(e->r, "cannot give back", "scheduling policy and nice value", -ret, "run it as root");
	if (t->affinity.length) {
		ret = sys3(__NR_sched_setaffinity, 0, t->affinity.length, (long)artefact_bytes(a, t->affinity));
		if (ret < 0)
			warn(e->r, "cannot give back", "the processor affinity", -ret, "the program may run on any processor");
	}
	ret = sys3(__NR_ioprio_set, 1, 0, t->ioprio);
	if (ret < 0)
		warn(e->r, "cannot give back", "the I/O priority", -ret, 0);
}

/* Everything that belongs to one thread, by that thread itself; the last steps are those the kernel acts upon at once. */
static long own_state(struct engine *e, uint32_t i)
{
	const struct artefact *a = &e->r->artefact;
	const struct frore_thread *t = &e->threads[i];
	long ret;

	sys_prctl(PR_SET_NAME, (unsigned long)artefact_text(a, t->comm), 0, 0, 0);
	scheduling(e, t);
	if (t->timer_slack_ns)
		sys_prctl(PR_SET_TIMERSLACK, t->timer_slack_ns, 0, 0, 0);
	if (signals_pending(e, i) < 0 || registers_dynamic(e, i) < 0)
		return -1;
	sys1(__NR_set_tid_address, (long)t->clear_child_tid);
	if (t->robust_list) {
		ret = sys2(__NR_set_robust_list, (long)t->robust_list, (long)t->robust_len);
		if (ret < 0)
			return refuse(e->r, "cannot register", "the list of robust mutexes", -ret, 0);
	}
	if (t->rseq) {
		ret = sys4(__NR_rseq, (long)t->rseq, t->rseq_len, t->rseq_flags, t->rseq_sig);
		if (ret < 0)
			return refuse(e->r, "cannot register", "restartable sequences", -ret, 0);
	}
	if (credentials_restore(e) < 0)
		return -1;
	/* after the credentials: a change of them clears it (prctl(2)) */
	if (t->pdeathsig)
		sys_prctl(PR_SET_PDEATHSIG, t->pdeathsig, 0, 0, 0);
	return 0;
}

struct start {
	struct engine *e;
	uint32_t thread;
};

static void follower(void *arg)
{
	struct start *s = arg;
	struct engine *e = s->e;
	struct final_thread *final = finals_of(e) + s->thread;
	uint64_t code = e->area.resident.start + sizeof(struct resident_header);

	final->frame = registers_frame(e, s->thread);
	final->calls = (uint64_t)&calls_of(e)[0]; /* an empty list: set up before any thread starts */
	if (own_state(e, s->thread) < 0)
		sys_exit_group(EXIT_OWN_FAILURE);
	enter_final(code + (uint64_t)(final_follower - final_code_start), final, shared_of(e));
}

/* The thread whose id comes up next after `before`, counting up and around. The leader's own comes last. */
static uint32_t next_thread(const struct engine *e, int32_t before)
{
	uint32_t i, nearest = 0, distance, least = ~0U;

	for (i = 1; i < e->thread_count; i++) {
		distance = ((uint32_t)e->threads[i].tid - (uint32_t)before - 1) & 0x7fffffff;
		if (distance < least) {
			least = distance;
			nearest = i;
		}
	}
	return nearest;
}

/* `before`: the id that was given last. */
static long create(struct engine *e, uint32_t i, int32_t before)
{
	uint64_t stack = e->area.stacks.start + STACK_SIZE + (i - 1) * THREAD_STACK;
	struct start *s = (struct start *)stack;
	int32_t tid = e->threads[i].tid;
	struct clone_arguments args = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
		.stack = stack + sizeof(*s),
		.stack_size = THREAD_STACK - sizeof(*s),
	};
	int tries;
	long ret;

	/* ids count up: the next one needs no walk */
	if (e->r->way == WAY_WALK && tid != before + 1 && walk_to(tid) < 0) {
		e->r->status->pid_taken = 1;
		return refuse(e->r, "cannot wait for", "a thread's old id", 0, "it does not come up in time");
	}
	if (e->r->way == WAY_HOST || e->r->way == WAY_PRIVATE) {
		args.set_tid = (uint64_t)&tid;
		args.set_tid_size = 1;
	}
	s->e = e;
	s->thread = i;
	for (tries = 0;; tries++) {
		int64_t wait[2] = {0, 200000};

		ret = clone_thread(&args, sizeof(args), follower, s);
		/* a fill worker that has just ended may hold the number for another moment */
		if (ret != -17 || tries == 100)
			break;
		sys2(__NR_nanosleep, (long)wait, 0);
	}
	if (e->r->way == WAY_WALK && ret > 0 && ret != tid)
		ret = -17; /* somebody else was quicker */
	if (ret == -17 || ret == -22)
		e->r->status->pid_taken = 1; /* the launcher may try another way */
	return ret < 0 ? refuse(e->r, "cannot create", "a thread with its old id", -ret, id_hint(ret)) : 0;
}

/* Starts every thread but the leader and waits until all of them are in the resident code. */
long threads_create(struct engine *e)
{
	struct final_shared *shared = shared_of(e);
	uint32_t i, next, parked;
	int32_t before = e->threads[0].tid;

	memcpy((void *)(e->area.resident.start + sizeof(struct resident_header)), final_code_start,
	       (size_t)(final_code_end - final_code_start));
	e->resident->magic = RESIDENT_MAGIC;
	e->resident->address = e->area.resident.start;
	calls_of(e)[0].number = FINAL_END;
	shared->go = 0;
	shared->parked = 0;
	if (sys_mprotect(e->area.resident.start, PAGE, 5) < 0)
		return refuse(e->r, "cannot make", "the resident code executable", 0, 0);
	for (i = 1; i < e->thread_count; i++) {
		next = e->r->way == WAY_WALK ? next_thread(e, before) : i;
		if (create(e, next, before) < 0)
			return -1;
		before = e->threads[next].tid;
	}
	while ((parked = __atomic_load_n(&shared->parked, __ATOMIC_SEQ_CST)) + 1 < e->thread_count)
		sys_futex(&shared->parked, FUTEX_WAIT_PRIVATE, parked, 0);
	return 0;
}

long threads_leader(struct engine *e)
{
	finals_of(e)[0].frame = registers_frame(e, 0);
	return own_state(e, 0);
}

static void add_call(struct final_call **at, int64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	(*at)->number = number;
	(*at)->args[0] = (int64_t)a;
	(*at)->args[1] = (int64_t)b;
	(*at)->args[2] = (int64_t)c;
	(*at)->args[3] = (*at)->args[4] = (*at)->args[5] = 0;
	(*at)++;
}

/* The leader removes the working area, write-protects what stays, wakes the others, and returns into the program. */
void threads_go(struct engine *e)
{
	struct final_thread *final = finals_of(e);
	struct final_shared *shared = shared_of(e);
	struct final_call *at = calls_of(e) + 1;
	uint64_t rest = e->area.resident.start + e->area.resident.length;
	uint64_t end = e->area.all.start + e->area.all.length, data = e->area.resident.start + PAGE;
	uint64_t code = e->area.resident.start + sizeof(struct resident_header);

	final->calls = (uint64_t)at;
	if (e->area.vdso.length && e->vdso.count && !e->vdso.fixed) { /* the running kernel's vdso stays parked */
		add_call(&at, __NR_munmap, rest, e->area.vdso.start - rest, 0);
		rest = e->area.vdso.start + e->area.vdso.length;
	}
	add_call(&at, __NR_munmap, rest, end - rest, 0);
	shared->go = 1;
	add_call(&at, __NR_mprotect, data, e->area.resident.length - PAGE, 5);
	if (e->task->mdwe)
		add_call(&at, __NR_prctl, 65, e->task->mdwe, 0);
	if (e->task->flags & FRORE_TASK_STOPPED) /* before any thread is in the program; a later freeze reads on in the frames */
		add_call(&at, __NR_kill, (uint64_t)sys0(__NR_getpid), SIGNAL_STOP, 0);
	if (e->thread_count > 1)
		add_call(&at, __NR_futex, (uint64_t)&shared->go, FUTEX_WAKE_PRIVATE, 0x7fffffff);
	if (e->task->flags & FRORE_TASK_LEADER_ENDED) /* the thread alone; its code is what wait(2) tells in the end */
		add_call(&at, __NR_exit, e->task->wait_status >> 8 & 0xff, 0, 0);
	at->number = FINAL_END;
	enter_final(code + (uint64_t)(final_leader - final_code_start), final, shared);
}
