/* epoll(7): registrations are made by number, when every number means what it meant. */
#include <linux/eventpoll.h>

#include "kinds.h"

long epoll_open(struct fds *f, uint32_t d)
{
	return stage(f, d, sys1(__NR_epoll_create1, O_CLOEXEC), "cannot make", "an epoll", 0);
}

/* Row of the descriptor with this number, 0 when it is closed. */
static const struct frore_fd *number(const struct fds *f, int fd)
{
	uint64_t low = 0, high = f->fd_count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (f->fd[middle].fd == fd)
			return &f->fd[middle];
		if (f->fd[middle].fd < fd)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/*
 * A registration whose number has been closed or taken over since: the description it watches stands there for a moment. The kernel
 * keys by number and file, so it stays behind.
 */
static long add_elsewhere(struct fds *f, int epoll, const struct frore_epoll_entry *entry, struct epoll_event *event)
{
	const struct frore_fd *now = number(f, entry->fd);
	long ret = sys_dup3(staged(f, entry->description), entry->fd, O_CLOEXEC);

	if (ret >= 0)
		ret = sys4(__NR_epoll_ctl, epoll, EPOLL_CTL_ADD, entry->fd, (long)event);
	if (now)
		sys_dup3(staged(f, now->description), entry->fd, now->cloexec ? O_CLOEXEC : 0);
	else
		sys_close(entry->fd);
	return ret;
}

static int in_staging(const struct fds *f, int fd)
{
	return fd >= f->base && fd < journal_fd(f) + KEPT_ROOM;
}

long epoll_finish(struct fds *f, uint32_t d, const struct frore_epoll *row)
{
	uint32_t i;

	for (i = 0; i < row->count; i++) {
		const struct frore_epoll_entry *entry = row_at(f, FRORE_TABLE_EPOLL_ENTRY, row->first + i);
		const struct frore_fd *now;
		struct epoll_event event;
		long ret;

		if (!entry || entry->description >= f->descriptions)
			return damaged_table(f);
		event.events = entry->events;
		event.data = entry->data;
		now = number(f, entry->fd);
		if (now && now->description == entry->description)
			ret = sys4(__NR_epoll_ctl, staged(f, d), EPOLL_CTL_ADD, entry->fd, (long)&event);
		else if (in_staging(f, entry->fd))
			ret = -16; /* a closed number that we stand on */
		else
			ret = add_elsewhere(f, staged(f, d), entry, &event);
		if (ret == -1) /* EPERM: what stands for a lost file cannot be watched */
			warn_fd(f, d, "loses a registration:", "an epoll", 0, 0);
		else if (ret < 0)
			return refuse_fd(f, d, "cannot register a descriptor with", "an epoll", ret, 0);
	}
	return 0;
}
