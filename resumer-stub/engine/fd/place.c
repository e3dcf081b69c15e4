/* Second part of the walk: every number as it was, then what must find everything else in its place. */
#include "../engine.h"
#include "kinds.h"

#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

/* Closes [from, to) but for the staged numbers. */
static void close_between(const struct fds *f, int from, int to)
{
	int low = f->base, high = f->base + room_needed(f);

	if (from < low && from < to)
		sys3(__NR_close_range, from, (to < low ? to : low) - 1, 0);
	if (from < high)
		from = high;
	if (from < to)
		sys3(__NR_close_range, from, to - 1, 0);
}

/* Status flags that a program may set later; those of the launcher's own descriptors only ever get O_NONBLOCK. */
static void set_status(const struct fds *f, uint32_t d)
{
	uint32_t wanted = f->description[d].status & SETTABLE;
	long now;

	if (f->description[d].status & O_PATH)
		return;
	now = sys_fcntl(staged(f, d), F_GETFL, 0);
	if (f->description[d].kind == FRORE_KIND_INHERIT)
		wanted = (now & SETTABLE) | (wanted & O_NONBLOCK);
	if (now >= 0 && (now & SETTABLE) != (long)wanted)
		sys_fcntl(staged(f, d), F_SETFL, (now & FASYNC) | (long)wanted);
}

long descriptors_place(struct resume *r, uint32_t task)
{
	struct fds f;
	uint64_t i;
	uint32_t d;
	int next = 0;

	if (fds_load(&f, r, task) < 0)
		return -1;
	for (d = 0; d < f.descriptions; d++)
		if (f.description[d].task == task)
			set_status(&f, d);
	for (i = 0; i < f.fd_count; i++) {
		const struct frore_fd *w = &f.fd[i];
		long ret;

		close_between(&f, next, w->fd);
		next = w->fd + 1;
		if (!is_open(staged(&f, w->description)))
			continue; /* made at the end, when its process exists */
		ret = sys_dup3(staged(&f, w->description), w->fd, w->cloexec ? O_CLOEXEC : 0);
		if (ret < 0) {
			refuse_fd(&f, w->description, "cannot place", 0, ret, "raise ulimit -n");
			journal_undo(&f);
			return -1;
		}
	}
	close_between(&f, next, 0x7fffffff);
	return 0;
}

static long finish_kind(struct fds *f, uint32_t d, int round)
{
	uint32_t kind = f->description[d].kind, index = f->description[d].row;
	const void *row;

	if (round == 0 && kind == FRORE_KIND_PIDFD)
		return (row = row_at(f, FRORE_TABLE_PIDFD, index)) ? pidfd_finish(f, d, row) : damaged_table(f);
	if (round == 0 && kind == FRORE_KIND_FILE)
		return (row = row_at(f, FRORE_TABLE_FILE, index)) ? file_finish(f, d, row) : damaged_table(f);
	if (round == 1 && kind == FRORE_KIND_EPOLL)
		return (row = row_at(f, FRORE_TABLE_EPOLL, index)) ? epoll_finish(f, d, row) : damaged_table(f);
	if (round == 1 && kind == FRORE_KIND_TIMERFD)
		return (row = row_at(f, FRORE_TABLE_TIMERFD, index)) ? timerfd_finish(f, d, row) : damaged_table(f);
	if (round == 2 && kind == FRORE_KIND_INOTIFY)
		return (row = row_at(f, FRORE_TABLE_INOTIFY, index)) ? inotify_finish(f, d, row) : damaged_table(f);
	return round == 1 ? owner_finish(f, d) : 0;
}

/* What the first round opens is each holder's own; the rest is done where the description was made, and shared. */
static long finish_round(struct fds *f, int round)
{
	uint32_t d;

	for (d = 0; d < f->descriptions; d++)
		if ((f->description[d].task == f->task || (round == 0 && wanted_fd(f, d) >= 0)) && finish_kind(f, d, round) < 0)
			return -1;
	return 0;
}

/* POSIX locks are tried here, where a refusal can still undo everything, and taken for good below. */
static long finish_all(struct fds *f)
{
	if (finish_round(f, 0) < 0 || finish_round(f, 1) < 0 || locks_finish(f, 0) < 0 || locks_finish(f, 1) < 0)
		return -1;
	return 0;
}

long descriptors_finish(struct resume *r, uint32_t task)
{
	struct fds f;

	if (fds_load(&f, r, task) < 0)
		return -1;
	if (tree_shares(r, task, FRORE_TASK_SHARES_FILES))
		return 0; /* whose table it is, finishes it */
	if (finish_all(&f) < 0) {
		journal_undo(&f);
		return -1;
	}
	/* closing any descriptor of a file drops its POSIX locks, and is an event to inotify: both come after it */
	sys3(__NR_close_range, f.base, f.base + room_needed(&f) - 1, 0);
	if (locks_finish(&f, 1) < 0)
		return -1;
	return finish_round(&f, 2);
}

void descriptors_undo(struct resume *r, uint32_t task)
{
	struct fds f;

	if (fds_load(&f, r, task) == 0)
		journal_undo(&f);
}
