/* First part of the walk: opens every description, each kind in a file of its own. */
#include <linux/resource.h>

#include "../engine.h"
#include "kinds.h"

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
	case FRORE_KIND_PTY:
		return pty_open(f, d);
	}
	return damaged_table(f);
}

static long socket_round(struct fds *f, uint32_t d, const struct frore_socket *s, uint32_t round)
{
	switch (round) {
	case 0:
		return socket_connect(f, d, s);
	case 1:
		return socket_listen(f, d, s);
	case 2:
		return socket_queue(f, d, s);
	}
	return socket_complete(f, d, s);
}

/* Sockets refer to each other and carry descriptors in their queues, so they are completed when everything is open. */
static long complete_sockets(struct fds *f)
{
	uint32_t d, round;

	for (round = 0; round < 4; round++) {
		for (d = 0; d < f->descriptions; d++) {
			const struct frore_description *row = &f->description[d];
			const struct frore_socket *s;

			if (row->task != f->task || row->kind != FRORE_KIND_SOCKET || override_of(f, d))
				continue;
			s = row_at(f, FRORE_TABLE_SOCKET, row->row);
			if (!s)
				return damaged_table(f);
			if (socket_round(f, d, s, round) < 0)
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

	if ((uint64_t)(end + pty_surplus(f)) > highest)
		highest = (uint64_t)(end + pty_surplus(f));
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
