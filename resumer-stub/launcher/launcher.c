/* The story of a resume as the launcher sees it. */
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/prctl.h>

#include "launcher.h"

#define WALKS 3 /* others may take an id while we walk */
#define PIDFD_GET_INFO_64 0xc040ff0bUL /* _IOWR(0xff, 11, 64 bytes), kernel 6.13 */

long cpu_check(struct resume *r);

static int has_rows(const struct resume *r, uint32_t table)
{
	uint64_t count;

	artefact_table(&r->artefact, table, &count);
	return count != 0;
}

static long describe(struct launch *l, struct resume *r)
{
	uint64_t tasks, threads, machines, i;
	const struct frore_machine *m = artefact_table(&r->artefact, FRORE_TABLE_MACHINE, &machines);
	const struct frore_task *t = artefact_table(&r->artefact, FRORE_TABLE_TASK, &tasks);
	const struct frore_thread *h = artefact_table(&r->artefact, FRORE_TABLE_THREAD, &threads);

	l->r = r;
	l->root_row = m->root_task;
	l->root = &t[m->root_task];
	l->task_count = l->awaited = (uint32_t)tasks;
	l->thread_count = (uint32_t)threads;
	for (i = 0; i < threads; i++)
		if (h[i].tid > l->highest_id)
			l->highest_id = h[i].tid;
	l->own_ipc = has_rows(r, FRORE_TABLE_SHM) || has_rows(r, FRORE_TABLE_SEM) || has_rows(r, FRORE_TABLE_MSG);
	l->pid = (int)sys0(__NR_getpid);
	l->uid = (uint32_t)sys0(__NR_geteuid);
	l->gid = (uint32_t)sys0(__NR_getegid);
	l->foreign = l->uid != 0 && l->root->euid != l->uid;
	if (l->uid != 0 && (l->root->uid != l->root->euid || l->root->suid != l->root->euid))
		warn(r, "cannot give back", "different real, effective and saved user ids", 0, "run it as root for that");
	return 0;
}

/* The helpers' own descriptors. A closed standard stream would give its number to one of them. */
static long open_own(struct launch *l)
{
	int fd;
	long ret;

	for (fd = 0; fd <= 2; fd++)
		if (sys_fcntl(fd, F_GETFD, 0) < 0 && sys_open("/dev/null", O_RDWR, 0) < 0)
			sys2(__NR_memfd_create, (long)"closed", 0);
	ret = sys2(__NR_memfd_create, (long)"frore-helper", MFD_CLOEXEC);
	if (ret < 0)
		return refuse(l->r, "cannot create", "a memory file", -ret, 0);
	l->marker = (int)ret;
	ret = sys2(__NR_eventfd2, 0, O_CLOEXEC | O_NONBLOCK);
	if (ret < 0)
		return refuse(l->r, "cannot create", "an eventfd", -ret, 0);
	l->event = (int)ret;
	return 0;
}

static void forget_failure(struct status *s)
{
	s->go = s->failed = s->ready = s->warning_length = s->message_taken = s->pid_taken = 0;
	memset(s->arrived, 0, sizeof(s->arrived));
	memset(s->open, 0, sizeof(s->open));
}

/* 0 ready, 1 not possible by this way, -1 failed. */
static long try_way(struct launch *l, enum way way)
{
	struct status *s = l->r->status;
	uint32_t warned = s->warning_length;
	long ret = 1;

	if (!way_hopeless(l, way) && way_start(l, way) == 0)
		ret = start_until_ready(l);
	if (ret > 0)
		s->warning_length = warned; /* what was in the way there does not concern the next */
	if (ret >= 0 || !s->pid_taken || l->r->options.pid != PID_AUTO)
		return ret;
	forget_failure(s);
	s->warning_length = warned;
	l->why[way].step = way == WAY_WALK ? STEP_WALK : STEP_BUSY;
	return 1;
}

static long by_some_way(struct launch *l)
{
	enum pid_mode mode = l->r->options.pid;
	long ret = 1;
	int tries;

	if (mode == PID_AUTO || mode == PID_HOST)
		ret = try_way(l, WAY_HOST);
	if (ret > 0 && (mode == PID_AUTO || mode == PID_PRIVATE))
		ret = try_way(l, WAY_PRIVATE);
	for (tries = 0; ret > 0 && mode == PID_AUTO && tries < WALKS; tries++)
		ret = try_way(l, WAY_WALK);
	if (ret > 0 && (mode == PID_RENUMBER || (mode == PID_AUTO && l->thread_count == 1)))
		ret = try_way(l, WAY_RENUMBER);
	return ret > 0 ? remedy_refuse(l) : ret;
}

/* Pid of the root in our own namespace: the kernel tells it of a pidfd, by ioctl or in fdinfo. */
static int32_t outer_pid(struct launch *l)
{
	struct family *f = &l->r->status->family;
	uint32_t info[16];
	char buffer[256], path[40];
	struct text t = text_in(path, sizeof(path));
	const char *at = buffer;
	long fd, n = 0;

	if (l->r->way != WAY_PRIVATE)
		return f->pid;
	memset(info, 0, sizeof(info));
	info[0] = 1; /* PIDFD_INFO_PID */
	if (sys_ioctl(f->pidfd, PIDFD_GET_INFO_64, info) == 0)
		return (int32_t)info[4];
	text_str(&t, "/proc/self/fdinfo/");
	text_dec(&t, f->pidfd);
	fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		n = sys_read((int)fd, buffer, sizeof(buffer) - 1);
		sys_close((int)fd);
	}
	buffer[n > 0 ? n : 0] = 0;
	while (*at && !text_starts(at, "Pid:\t"))
		at++;
	return *at ? (int32_t)text_number(at + 5, 0) : 0;
}

static void mark(struct launch *l)
{
	struct marker m = {"FROREHLP", 0, l->r->status->root_outer_pid};

	sys_write(l->marker, &m, sizeof(m));
}

static void tell_warnings(struct resume *r)
{
	const char *at = r->status->warnings, *end = at + r->status->warning_length;

	while (at < end) {
		const char *stop = at;

		while (stop < end && *stop != '\n')
			stop++;
		say("warning: ", at, (size_t)(stop - at));
		at = stop + 1;
	}
}

static void tell_way(struct launch *l)
{
	char line[128];
	struct text t = text_in(line, sizeof(line));

	text_str(&t, "resumed as process ");
	if (l->r->status->root_outer_pid)
		text_dec(&t, l->r->status->root_outer_pid);
	else
		text_char(&t, '?');
	if (l->r->way == WAY_PRIVATE) {
		text_str(&t, ", ");
		text_dec(&t, l->r->status->family.pid ? l->r->status->family.pid : 1);
		text_str(&t, " inside its own namespaces");
	}
	say("", line, t.length);
}

static void warn_of_new_id(struct launch *l)
{
	char line[96];
	struct text t = text_in(line, sizeof(line));

	if (l->r->way != WAY_RENUMBER || l->r->status->family.pid == l->root->pid)
		return;
	text_dec(&t, l->r->status->family.pid);
	text_str(&t, " instead of ");
	text_dec(&t, l->root->pid);
	warn(l->r, "the program has got a new pid,", line, 0,
	     "what remembers the old one (robust mutexes, cached ids, pid files) may fail");
}

/* -1 when a task has found meanwhile that another one was killed. */
static long go(struct launch *l)
{
	struct status *s = l->r->status;
	uint32_t not_yet = 0;

	if (!l->lazy_terminal)
		terminal_hand_over(l);
	if (!__atomic_compare_exchange_n(&s->go, &not_yet, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		terminal_take_back(l);
		start_tear_down(l);
		return -1;
	}
	sys_futex(&s->go, FUTEX_WAKE, 0x7fffffff, 0);
	if (l->announce >= 0)
		sys_write(l->announce, "k", 1);
	return 0;
}

/*
 * --detach: the supervisor goes into the background. The process that the user started waits for its word, prints its pid and
 * ends; when no word comes, it has said why itself.
 */
static long into_background(struct launch *l)
{
	int ends[2];
	char word;
	long pid, n;

	l->announce = -1;
	if (!l->r->options.detach)
		return 0;
	pid = sys2(__NR_pipe2, (long)ends, O_CLOEXEC);
	if (pid == 0)
		pid = clone_plain(0, 0);
	if (pid < 0)
		return refuse(l->r, "cannot start", "the supervisor", -pid, 0);
	if (pid > 0) {
		char line[24];
		struct text t = text_in(line, sizeof(line));

		sys_close(ends[1]);
		n = sys_read(ends[0], &word, 1);
		text_dec(&t, pid);
		text_char(&t, '\n');
		if (n == 1)
			sys_write(1, line, t.length);
		sys_exit_group(n == 1 ? 0 : EXIT_OWN_FAILURE);
	}
	sys_close(ends[0]);
	sys0(__NR_setsid);
	l->pid = (int)sys0(__NR_getpid);
	l->announce = ends[1];
	return 0;
}

/* Before go, while a failure can still be told. */
static void show_own_terminal(struct launch *l)
{
	if (l->own.master < 0)
		return;
	if (l->r->options.detach)
		attach_listen(l);
	else
		own_tty_connect(l, l->tty);
}

static int fail(struct resume *r)
{
	tell_warnings(r);
	say("", r->status->message, sizeof(r->status->message));
	return EXIT_OWN_FAILURE;
}

int launcher_probe(struct resume *r)
{
	struct launch launch, *l = &launch;

	memset(l, 0, sizeof(*l));
	sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	r->dry_run = 1;
	l->announce = -1;
	if (describe(l, r) < 0 || terminal_find(l) < 0 || open_own(l) < 0)
		return -1;
	l->awaited = 1;
	start_signals(l);
	if (by_some_way(l) < 0)
		return -1;
	start_tear_down(l);
	return r->way;
}

int launcher_run(struct resume *r)
{
	struct launch launch, *l = &launch;

	memset(l, 0, sizeof(*l));
	/* file capabilities take it away, and with it our own /proc files */
	sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (describe(l, r) < 0 || reexec_if_needed(r) < 0 || cpu_check(r) < 0 || into_background(l) < 0 ||
	    terminal_find(l) < 0 || open_own(l) < 0)
		return fail(r);
	start_signals(l);
	if (by_some_way(l) < 0)
		return fail(r);
	r->status->root_outer_pid = outer_pid(l);
	if (r->status->root_outer_pid) /* 0: a kernel before 6.13, and no /proc here */
		l->outer_group = (int32_t)sys1(__NR_getpgid, r->status->root_outer_pid);
	mark(l);
	clock_warn(l);
	warn_of_new_id(l);
	tell_warnings(r);
	if (r->options.verbose)
		tell_way(l);
	show_own_terminal(l);
	if (go(l) < 0)
		return fail(r);
	supervise(l);
}
