/* Anything with a path. */
#include <linux/stat.h>
#include <asm/stat.h>

#include "kinds.h"

#define EPERM 1
#define ENOENT 2
#define EACCES 13
#define SEEK_SET 0
#define SEEK_END 2

static const char *hint_for(long err)
{
	return err == -ENOENT ? "put it back, or use --map OLD=NEW"
	       : err == -EACCES ? "run this as a user who may, or give --fd N=inherit, null or PATH"
				: 0;
}

/* An owner may open what the permission bits forbid even to him, as the program did before it changed them. */
static long open_own(const char *path, int flags, const struct frore_file *row)
{
	struct stat st;
	long fd;

	if (sys4(__NR_newfstatat, AT_CWD, (long)path, (long)&st, 0) < 0 || st.st_ino != row->ino || st.st_dev != row->dev ||
	    st.st_uid != (uint32_t)sys0(__NR_geteuid) || (st.st_mode & S_IFMT) != S_IFREG)
		return -EACCES;
	if (sys3(__NR_fchmodat, AT_CWD, (long)path, (st.st_mode & 07777) | 0600) < 0)
		return -EACCES;
	fd = sys_open(path, flags, 0);
	sys3(__NR_fchmodat, AT_CWD, (long)path, st.st_mode & 07777);
	return fd;
}

static long open_path(struct fds *f, const struct frore_file *row, const char *path)
{
	int flags = (int)row->open_flags | O_CLOEXEC, mode = 0;
	long fd;

	if (!(flags & O_PATH))
		flags |= O_NOCTTY | O_NONBLOCK;
	if (row->flags & FRORE_FILE_CREATE && flags & O_ACCMODE) {
		flags |= O_CREAT;
		mode = 0666;
	}
	(void)f;
	fd = sys_open(path, flags, mode);
	if (fd == -EPERM && flags & O_NOATIME)
		fd = sys_open(path, flags & ~O_NOATIME, mode);
	if (fd == -EACCES)
		fd = open_own(path, flags, row);
	return fd;
}

/* What the path leads to now must be of the sort it was. */
static long check(struct fds *f, uint32_t d, const struct frore_file *row, long fd, const char *path)
{
	struct stat st;

	if (row->mode == 0 || sys2(__NR_fstat, fd, (long)&st) < 0)
		return 0;
	if ((st.st_mode & S_IFMT) != (row->mode & S_IFMT) ||
	    (((row->mode & S_IFMT) == S_IFCHR || (row->mode & S_IFMT) == S_IFBLK) && st.st_rdev != row->rdev))
		return refuse_fd(f, d, "cannot open", path, 0, "it is something else than at the freeze: put it back, or use --map OLD=NEW");
	if ((row->mode & S_IFMT) == S_IFREG && !(row->flags & (FRORE_FILE_AT_END | FRORE_FILE_PROC)) && row->position > st.st_size &&
	    row->position <= (int64_t)row->size)
		warn_fd(f, d, "is shorter than at the freeze:", path, 0, 0);
	return 0;
}

/*
 * ext4 (6.18) shows nothing of a directory that was read for the first time at its end, not even after a rewind: so it is read once
 * at its start.
 */
static void seek(const struct fds *f, uint32_t d, const struct frore_file *row)
{
	char entries[1024] __attribute__((aligned(8)));

	if (row->flags & FRORE_FILE_DIRECTORY && row->position > 0)
		sys3(__NR_getdents64, staged(f, d), (long)entries, sizeof(entries));
	if (row->flags & FRORE_FILE_AT_END)
		sys3(__NR_lseek, staged(f, d), 0, SEEK_END);
	else if (row->position > 0)
		sys3(__NR_lseek, staged(f, d), row->position, SEEK_SET);
}

long file_open(struct fds *f, uint32_t d, const struct frore_file *row)
{
	char room[PATH_ROOM];
	const char *path = mapped_path(f, artefact_text(f->a, row->path), room);
	long fd;

	if (row->flags & FRORE_FILE_FIFO && !(row->flags & FRORE_FILE_PATH_ONLY))
		return fifo_open(f, d, row, path);
	if (row->flags & FRORE_FILE_LATE)
		return stage(f, d, sys_open("/dev/null", O_RDWR | O_CLOEXEC, 0), "cannot open", "/dev/null", 0);
	if (row->flags & FRORE_FILE_DELETED && row->content != FRORE_NONE)
		fd = content_reopen(f, row->content, (int)row->open_flags & ~O_NOFOLLOW);
	else
		fd = open_path(f, row, path);
	if (fd >= 0 && check(f, d, row, fd, path) < 0)
		return -1;
	if (stage(f, d, fd, "cannot open", path, hint_for(fd)) < 0)
		return -1;
	seek(f, d, row);
	return 0;
}

/* By each holder, now that every process is there: the offset is its own from here on. */
long file_finish(struct fds *f, uint32_t d, const struct frore_file *row)
{
	const char *path = artefact_text(f->a, row->path);
	long fd;

	if (!(row->flags & FRORE_FILE_LATE))
		return 0;
	fd = open_path(f, row, path);
	if (fd < 0)
		return refuse_fd(f, d, "cannot open", path, fd, 0);
	replace_staged(f, d, (int)fd);
	seek(f, d, row);
	return 0;
}

long memfd_open(struct fds *f, uint32_t d, const struct frore_memfd *row)
{
	long fd = content_reopen(f, row->content, (int)row->open_flags);

	if (stage(f, d, fd, "cannot open", "a memfd", 0) < 0)
		return -1;
	sys3(__NR_lseek, staged(f, d), row->position, SEEK_SET);
	return 0;
}
