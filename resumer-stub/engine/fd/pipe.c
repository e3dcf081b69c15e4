/* Pipes and FIFOs with what waits in them. */
#include <linux/stat.h>
#include <asm/ioctls.h>

#include "kinds.h"

#define ENOENT 2

static long write_whole(int fd, const uint8_t *data, uint64_t length)
{
	while (length > 0) {
		long done = sys_write(fd, data, length);

		if (done <= 0)
			return done < 0 ? done : -11;
		data += done;
		length -= (uint64_t)done;
	}
	return 0;
}

/* In packet mode each write is one packet again. */
long pipe_fill(struct fds *f, int read_end, int write_end, const struct frore_pipe_object *object)
{
	const uint8_t *data = artefact_bytes(f->a, object->data);
	const uint32_t *length = artefact_bytes(f->a, object->messages);
	uint64_t at = 0, i, count = object->messages.length / 4;
	long ret = 0;

	(void)read_end;
	if ((uint32_t)sys_fcntl(write_end, F_GETPIPE_SZ, 0) != object->capacity)
		sys_fcntl(write_end, F_SETPIPE_SZ, object->capacity);
	sys_fcntl(write_end, F_SETFL, O_WRONLY | O_NONBLOCK | (object->packet ? O_DIRECT : 0));
	if (!count)
		ret = write_whole(write_end, data, object->data.length);
	for (i = 0; i < count && ret == 0; i++) {
		if (length[i] > object->data.length - at)
			return damaged_table(f);
		ret = write_whole(write_end, data + at, length[i]);
		at += length[i];
	}
	return ret < 0 ? refuse(f->r, "cannot fill", "a pipe with what waited in it", -ret,
				"raise /proc/sys/fs/pipe-max-size and pipe-user-pages-soft, or run it as root")
		       : 0;
}

/* The first description of each end gets the end itself, further ones are opened through it. */
static long distribute(struct fds *f, uint32_t object, int read_end, int write_end)
{
	int first[2] = {-1, -1};
	uint32_t d;

	for (d = 0; d < f->descriptions; d++) {
		const struct frore_description *row = &f->description[d];
		const struct frore_pipe *p;
		int mode = (int)(row->status & O_ACCMODE), end = mode == O_WRONLY;
		long fd;

		if (row->kind != FRORE_KIND_PIPE)
			continue;
		p = row_at(f, FRORE_TABLE_PIPE, row->row);
		if (!p || p->pipe != object)
			continue;
		if (mode != O_RDWR && first[end] < 0) {
			first[end] = staged(f, d);
			fd = sys_dup3(end ? write_end : read_end, staged(f, d), O_CLOEXEC);
			if (fd < 0)
				return refuse_fd(f, d, "cannot place", "a pipe", fd, "raise ulimit -n");
			continue;
		}
		if (stage(f, d, reopen(end ? write_end : read_end, mode), "cannot open", "a pipe again", "mount /proc") < 0)
			return -1;
	}
	return 0;
}

long pipe_open(struct fds *f, uint32_t d, const struct frore_pipe *row)
{
	const struct frore_pipe_object *object = row_at(f, FRORE_TABLE_PIPE_OBJECT, row->pipe);
	int ends[2];
	long ret;

	if (!object)
		return damaged_table(f);
	if (is_open(staged(f, d)))
		return 0;
	ret = sys2(__NR_pipe2, (long)ends, O_CLOEXEC);
	if (ret < 0)
		return refuse_fd(f, d, "cannot make", "a pipe", ret, "raise ulimit -n");
	ret = pipe_fill(f, ends[0], ends[1], object);
	if (ret == 0)
		ret = distribute(f, row->pipe, ends[0], ends[1]);
	sys_close(ends[0]);
	sys_close(ends[1]);
	return ret;
}

/* Opening a FIFO waits for the other side, so an end of our own is there meanwhile. What another program has put in stays in front. */
long fifo_open(struct fds *f, uint32_t d, const struct frore_file *row, const char *path)
{
	const struct frore_pipe_object *object = row_at(f, FRORE_TABLE_PIPE_OBJECT, row->pipe);
	long both = sys_open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK, 0), fd;
	int waiting = 0;

	if (both == -ENOENT && row->flags & FRORE_FILE_EMBEDDED) {
		make_parents(f, path);
		if (sys4(__NR_mknodat, AT_CWD, (long)path, S_IFIFO | (row->mode & 07777), 0) == 0)
			journal_add(f, path);
		both = sys_open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK, 0);
	}
	fd = sys_open(path, (int)(row->open_flags & O_ACCMODE) | O_CLOEXEC | O_NONBLOCK, 0);
	if (stage(f, d, fd, "cannot open", path, "put it back, or use --map OLD=NEW") < 0)
		return -1;
	if (both < 0)
		return 0;
	sys_ioctl((int)both, FIONREAD, &waiting);
	if (object && !waiting && pipe_fill(f, staged(f, d), (int)both, object) < 0)
		return -1;
	sys_close((int)both);
	return 0;
}
