/* The descriptor tables, bounded, and the numbers at which everything stands meanwhile. */
#include "kinds.h"

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
		if (rows[i].fd <= last || rows[i].fd > 1 << 28)
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

void replace_staged(struct fds *f, uint32_t d, int fd)
{
	uint64_t i;

	sys_dup3(fd, staged(f, d), O_CLOEXEC);
	for (i = 0; i < f->fd_count; i++)
		if (f->fd[i].description == d)
			sys_dup3(fd, f->fd[i].fd, f->fd[i].cloexec ? O_CLOEXEC : 0);
	sys_close(fd);
}
