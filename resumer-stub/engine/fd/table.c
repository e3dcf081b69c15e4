/* Walks the descriptor tables: open, place, finish. Each kind is in a file of its own. */
#include <linux/close_range.h>
#include <linux/resource.h>

#include "../engine.h"
#include "kinds.h"

/* What calls return for a moment has numbers below the staged ones, so that it never lands among them. */
#define FIRST_TEMPORARY 3
#define FIRST_STAGED (FIRST_TEMPORARY + 32)
#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

static int room_needed(const struct fds *f)
{
	return (int)f->descriptions + 2 * (int)f->contents + KEPT_ROOM;
}

/* The first gap between the wanted numbers of all tasks in which everything can be staged. */
static int find_base(const struct fds *f, const struct frore_fd *rows, uint64_t count)
{
	int at = FIRST_STAGED, moved;
	uint64_t i;

	do {
		moved = 0;
		for (i = 0; i < count; i++) {
			if (rows[i].fd < at || rows[i].fd >= at + room_needed(f))
				continue;
			at = rows[i].fd + 1;
			moved = 1;
		}
	} while (moved);
	return at;
}

/* Bounds the tables; a task's numbers ascend. */
long fds_load(struct fds *f, struct resume *r, uint32_t task)
{
	uint64_t count, i, descriptions, contents;
	const struct frore_fd *rows = artefact_table(&r->artefact, FRORE_TABLE_FD, &count);
	int last = -1;

	memset(f, 0, sizeof(*f));
	f->r = r;
	f->a = &r->artefact;
	f->task = task;
	f->description = artefact_table(f->a, FRORE_TABLE_DESCRIPTION, &descriptions);
	f->content = artefact_table(f->a, FRORE_TABLE_CONTENT, &contents);
	if (descriptions > 1 << 24 || contents > 1 << 24)
		return damaged_table(f);
	f->descriptions = (uint32_t)descriptions;
	f->contents = (uint32_t)contents;
	for (i = 0; i < count && rows[i].task != task; i++)
		;
	f->fd = &rows[i];
	for (; i < count && rows[i].task == task; i++, f->fd_count++) {
		if (rows[i].fd <= last || rows[i].fd > 1 << 28 || rows[i].description >= descriptions)
			return damaged_table(f);
		last = rows[i].fd;
	}
	f->base = find_base(f, rows, count);
	return 0;
}

int is_open(int fd)
{
	return sys_fcntl(fd, F_GETFD, 0) >= 0;
}

const void *row_at(const struct fds *f, uint32_t table, uint32_t index)
{
	uint64_t count;
	const uint8_t *rows = artefact_table(f->a, table, &count);

	return index < count ? rows + (uint64_t)index * f->a->directory[table].row_size : 0;
}

long move_fd(int from, int to)
{
	long ret;

	if (from == to)
		return sys_fcntl(from, F_SETFD, FD_CLOEXEC);
	ret = sys_dup3(from, to, O_CLOEXEC);
	sys_close(from);
	return ret;
}

long stage(struct fds *f, uint32_t d, long fd, const char *what, const char *thing, const char *hint)
{
	long ret;

	if (fd < 0)
		return refuse_fd(f, d, what, thing, fd, hint);
	ret = move_fd((int)fd, staged(f, d));
	return ret < 0 ? refuse_fd(f, d, "cannot place", thing, ret, "raise ulimit -n") : 0;
}

int wanted_fd(const struct fds *f, uint32_t d)
{
	uint64_t i;

	for (i = 0; i < f->fd_count; i++)
		if (f->fd[i].description == d)
			return f->fd[i].fd;
	return -1;
}

long damaged_table(const struct fds *f)
{
	return refuse(f->r, "cannot resume this file: it is damaged,", "a descriptor points outside", 0, 0);
}

static const char *named(struct fds *f, uint32_t d, const char *thing, char *room, size_t size)
{
	struct text t = text_in(room, size);
	int fd = wanted_fd(f, d);

	if (fd < 0)
		return thing;
	if (!thing && f->description[d].kind == FRORE_KIND_FILE) {
		const struct frore_file *file = row_at(f, FRORE_TABLE_FILE, f->description[d].row);

		thing = file ? artefact_text(f->a, file->path) : 0;
	}
	text_str(&t, "fd ");
	text_dec(&t, fd);
	if (thing) {
		text_str(&t, " (");
		text_str(&t, thing);
		text_char(&t, ')');
	}
	return room;
}

long refuse_fd(struct fds *f, uint32_t d, const char *what, const char *thing, long err, const char *hint)
{
	char room[512];

	return refuse(f->r, what, named(f, d, thing, room, sizeof(room)), -err, hint);
}

void warn_fd(struct fds *f, uint32_t d, const char *what, const char *thing, long err, const char *hint)
{
	char room[512];

	warn(f->r, what, named(f, d, thing, room, sizeof(room)), -err, hint);
}

#define KIND_ROW(f, d, TABLE, type) \
	const struct frore_##type *row = row_at(f, FRORE_TABLE_##TABLE, (f)->description[d].row); \
	if (!row) \
		return damaged_table(f)

static long open_kind(struct fds *f, uint32_t d)
{
	switch (f->description[d].kind) {
	case FRORE_KIND_FILE: {
		KIND_ROW(f, d, FILE, file);
		return file_open(f, d, row);
	}
	case FRORE_KIND_INHERIT: {
		KIND_ROW(f, d, INHERIT, inherit);
		return inherit_open(f, d, row);
	}
	case FRORE_KIND_TTY: {
		KIND_ROW(f, d, TTY, tty);
		return tty_open(f, d, row);
	}
	case FRORE_KIND_PIPE: {
		KIND_ROW(f, d, PIPE, pipe);
		return pipe_open(f, d, row);
	}
	case FRORE_KIND_EVENTFD: {
		KIND_ROW(f, d, EVENTFD, eventfd);
		return eventfd_open(f, d, row);
	}
	case FRORE_KIND_EPOLL:
		return epoll_open(f, d);
	case FRORE_KIND_TIMERFD: {
		KIND_ROW(f, d, TIMERFD, timerfd);
		return timerfd_open(f, d, row);
	}
	case FRORE_KIND_SIGNALFD: {
		KIND_ROW(f, d, SIGNALFD, signalfd);
		return signalfd_open(f, d, row);
	}
	case FRORE_KIND_INOTIFY:
		return inotify_open(f, d);
	case FRORE_KIND_MEMFD: {
		KIND_ROW(f, d, MEMFD, memfd);
		return memfd_open(f, d, row);
	}
	case FRORE_KIND_PIDFD: {
		KIND_ROW(f, d, PIDFD, pidfd);
		return pidfd_open(f, d, row);
	}
	case FRORE_KIND_SOCKET: {
		KIND_ROW(f, d, SOCKET, socket);
		return socket_open(f, d, row);
	}
	case FRORE_KIND_HANGUP: {
		KIND_ROW(f, d, HANGUP, hangup);
		return hangup_open(f, d, row);
	}
	}
	return damaged_table(f);
}

/* Sockets refer to each other and carry descriptors in their queues, so they are completed when everything is open. */
static long complete_sockets(struct fds *f)
{
	uint32_t d, round;

	for (round = 0; round < 3; round++) {
		for (d = 0; d < f->descriptions; d++) {
			const struct frore_description *row = &f->description[d];
			const struct frore_socket *s;

			if (row->task != f->task || row->kind != FRORE_KIND_SOCKET || override_of(f, d))
				continue;
			s = row_at(f, FRORE_TABLE_SOCKET, row->row);
			if (!s)
				return damaged_table(f);
			if (round == 0 ? socket_connect(f, d, s) < 0 : round == 1 ? socket_queue(f, d, s) < 0 : socket_complete(f, d, s) < 0)
				return -1;
		}
	}
	return 0;
}

static int is_kept(const struct fds *f, int fd)
{
	return fd == f->r->artefact.fd || fd == f->r->terminal_fd || fd == f->r->proc_fd;
}

/* Will it be handed on to the target (--fd N=inherit)? */
static int is_inherited(const struct fds *f, int fd)
{
	uint64_t count, i;
	const struct frore_inherit *row = artefact_table(f->a, FRORE_TABLE_INHERIT, &count);

	for (i = 0; i < count; i++)
		if ((int)row[i].launcher_fd == fd)
			return 1;
	for (i = 0; f->r->options.argc > 1 && i < f->fd_count; i++)
		if (f->fd[i].fd == fd && override_of(f, f->fd[i].description))
			return 1;
	return 0;
}

static void keep(struct fds *f, int *fd)
{
	long to;

	if (*fd < 0)
		return;
	to = sys_fcntl(*fd, F_DUPFD_CLOEXEC, journal_fd(f) + 1);
	if (to >= 0) {
		sys_close(*fd);
		*fd = (int)to;
	}
}

/* Room for the numbers, and what the engine still needs out of the way. */
static long make_room(struct fds *f)
{
	struct rlimit64 {
		uint64_t cur, max;
	} limit;
	int i, end = f->base + room_needed(f);
	uint64_t highest = f->fd_count ? (uint64_t)f->fd[f->fd_count - 1].fd : 0;

	if ((uint64_t)end > highest)
		highest = (uint64_t)end;
	if (sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit) == 0 && limit.cur <= highest) {
		limit.cur = limit.max;
		sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, (long)&limit, 0);
		if (limit.max <= highest)
			return refuse(f->r, "cannot open", "as many descriptors as the program had", 0, "raise ulimit -Hn");
	}
	for (i = FIRST_TEMPORARY; i < FIRST_STAGED; i++)
		if (!is_kept(f, i) && !is_inherited(f, i))
			sys_close(i);
	for (i = journal_fd(f); i < end; i++)
		if (!is_kept(f, i))
			sys_close(i);
	keep(f, &f->r->artefact.fd);
	keep(f, &f->r->terminal_fd);
	keep(f, &f->r->proc_fd);
	sys3(__NR_close_range, f->base, journal_fd(f), 0);
	return 0;
}

static long open_all(struct fds *f)
{
	uint32_t d;

	/* the descendants inherit what the root has made, at the same numbers */
	if (tree_is_root(f->r, f->task)) {
		if (make_room(f) < 0)
			return -1;
		journal_open(f);
		if (contents_open(f) < 0)
			return -1;
	}
	for (d = 0; d < f->descriptions; d++) {
		const char *instead;

		if (f->description[d].task != f->task)
			continue;
		instead = override_of(f, d);
		if (instead ? override_open(f, d, instead) < 0 : open_kind(f, d) < 0)
			return -1;
	}
	return complete_sockets(f);
}

long descriptors_open(struct resume *r, uint32_t task)
{
	struct fds f;

	if (fds_load(&f, r, task) < 0)
		return -1;
	if (open_all(&f) == 0)
		return 0;
	journal_undo(&f);
	return -1;
}

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
	if (round == 1 && kind == FRORE_KIND_EPOLL)
		return (row = row_at(f, FRORE_TABLE_EPOLL, index)) ? epoll_finish(f, d, row) : damaged_table(f);
	if (round == 1 && kind == FRORE_KIND_TIMERFD)
		return (row = row_at(f, FRORE_TABLE_TIMERFD, index)) ? timerfd_finish(f, d, row) : damaged_table(f);
	if (round == 2 && kind == FRORE_KIND_INOTIFY)
		return (row = row_at(f, FRORE_TABLE_INOTIFY, index)) ? inotify_finish(f, d, row) : damaged_table(f);
	return round == 1 ? owner_finish(f, d) : 0;
}

static long finish_round(struct fds *f, int round)
{
	uint32_t d;

	for (d = 0; d < f->descriptions; d++)
		if (f->description[d].task == f->task && finish_kind(f, d, round) < 0)
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
