/* Memfds, deleted files and embedded files: made with their size here, filled by the engine, then sealed. */
#include <linux/memfd.h>
#include <linux/time_types.h>

#include "../engine.h"
#include "kinds.h"

#define O_TMPFILE_RDWR (020200000 | O_RDWR | O_CLOEXEC)
#define SEEK_END 2
#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8
#define ENOENT 2
#define MFD_NOEXEC_SEAL_FLAG 8

long reopen(int fd, int flags)
{
	char path[32];
	struct text t = text_in(path, sizeof(path));

	text_str(&t, "/proc/self/fd/");
	text_dec(&t, fd);
	return sys_open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
}

static long open_memfd(const struct fds *f, const struct frore_content *c)
{
	uint32_t flags = (c->memfd_flags & ~(uint32_t)MFD_CLOEXEC) | MFD_CLOEXEC | MFD_ALLOW_SEALING;

	return sys2(__NR_memfd_create, (long)artefact_text(f->a, c->name), flags);
}

/* A file without a name: under its old name for a moment, so that its link tells it; else unnamed in the same or another directory. */
static long open_deleted(const char *path)
{
	char directory[PATH_ROOM];
	size_t length = text_length(path), i;
	long fd = sys_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		sys3(__NR_unlinkat, AT_CWD, (long)path, 0);
		return fd;
	}
	if (length < sizeof(directory)) {
		memcpy(directory, path, length + 1);
		for (i = length; i > 0 && directory[i] != '/'; i--)
			;
		directory[i ? i : 1] = 0;
		fd = sys_open(directory, O_TMPFILE_RDWR, 0600);
	}
	if (fd < 0)
		fd = sys_open("/tmp", O_TMPFILE_RDWR, 0600);
	if (fd < 0)
		fd = sys_open("/dev/shm", O_TMPFILE_RDWR, 0600);
	if (fd < 0)
		fd = sys2(__NR_memfd_create, (long)path, MFD_CLOEXEC);
	return fd;
}

/* Another copy of this file may be filling it right now: that one holds a lock meanwhile. Waits two seconds at most. */
static void wait_for_filler(const char *path, uint64_t size)
{
	struct __kernel_timespec pause = {0, 5000000};
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0), i;

	for (i = 0; fd >= 0 && i < 400; i++) {
		if ((size == 0 || sys3(__NR_lseek, fd, 0, SEEK_END) > 0) && sys2(__NR_flock, fd, LOCK_SH | LOCK_NB) == 0)
			break;
		sys2(__NR_nanosleep, (long)&pause, 0);
	}
	if (fd >= 0)
		sys_close((int)fd);
}

/* A file that is embedded comes back only where it is missing: -EEXIST says that the one here is used. */
static long open_embedded(struct fds *f, const char *path)
{
	long fd = sys_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd == -ENOENT) {
		make_parents(f, path);
		fd = sys_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd >= 0) {
		sys2(__NR_flock, fd, LOCK_EX | LOCK_NB);
		journal_add(f, path);
	}
	return fd;
}

/* Mappings made through a writable description would keep a memfd from being sealed against writing (mm/memfd.c: EBUSY). */
static void open_readonly(struct fds *f, uint32_t i)
{
	long fd = f->content[i].seals & F_SEAL_WRITE ? reopen(staged_content(f, i), O_RDONLY) : -1;

	if (fd >= 0)
		move_fd((int)fd, staged_readonly(f, i));
}

/* Is the very file there whose pages these are? */
static int image_is_here(const struct fds *f, uint32_t content)
{
	uint64_t count, i;
	const struct frore_image *image = artefact_table(f->a, FRORE_TABLE_IMAGE, &count);
	int fd;

	for (i = 0; i < count && image[i].pages != content; i++)
		;
	fd = i < count ? image_open_same(f->a, &image[i], O_RDONLY) : -1;
	if (fd >= 0)
		sys_close(fd);
	return fd >= 0;
}

/* Stands for a file that is missing: mapped private by everybody who had mapped that one. Not executable itself (Linux 6.3). */
static long open_image(const char *path)
{
	size_t length = text_length(path), i;
	long fd;

	for (i = length; i > 0 && length - i < 200 && path[i - 1] != '/'; i--)
		;
	fd = sys2(__NR_memfd_create, (long)path + (long)i, MFD_CLOEXEC | MFD_NOEXEC_SEAL_FLAG);
	return fd < 0 ? sys2(__NR_memfd_create, (long)path + (long)i, MFD_CLOEXEC) : fd;
}

long contents_open(struct fds *f)
{
	uint32_t i;

	for (i = 0; i < f->contents; i++) {
		const struct frore_content *c = &f->content[i];
		char room[PATH_ROOM];
		const char *path = mapped_path(f, artefact_text(f->a, c->name), room);
		long fd;

		switch (c->kind) {
		case FRORE_CONTENT_MEMFD:
			fd = open_memfd(f, c);
			break;
		case FRORE_CONTENT_DELETED_FILE:
			fd = open_deleted(path);
			break;
		case FRORE_CONTENT_IMAGE:
			if (image_is_here(f, i))
				continue;
			fd = open_image(path);
			break;
		case FRORE_CONTENT_FILE:
			fd = open_embedded(f, path);
			if (fd < 0 && sys3(__NR_faccessat, AT_CWD, (long)path, 0) == 0) {
				wait_for_filler(path, c->size);
				continue;
			}
			break;
		default:
			continue;
		}
		if (fd >= 0)
			fd = move_fd((int)fd, staged_content(f, i));
		if (fd >= 0)
			fd = sys2(__NR_ftruncate, staged_content(f, i), (long)c->size);
		if (fd < 0)
			return refuse(f->r, "cannot make", path, -fd, 0);
		open_readonly(f, i);
	}
	return 0;
}

long content_reopen(struct fds *f, uint32_t content, int flags)
{
	int fd;

	if (content >= f->contents)
		return -22;
	fd = staged_content(f, content);
	if ((flags & O_ACCMODE) != O_RDWR || is_open(fd)) {
		long ret = reopen(fd, flags);

		/* without /proc the one description there is has to do */
		return ret == -ENOENT ? sys_fcntl(fd, F_DUPFD_CLOEXEC, 0) : ret;
	}
	return -9;
}

int content_fd(struct resume *r, uint32_t content)
{
	struct fds f;

	if (fds_load(&f, r, 0) < 0 || content >= f.contents)
		return -1;
	return is_open(staged_content(&f, content)) ? staged_content(&f, content) : -1;
}

int content_map_fd(struct resume *r, uint32_t content)
{
	struct fds f;

	if (fds_load(&f, r, 0) == 0 && content < f.contents && is_open(staged_readonly(&f, content)))
		return staged_readonly(&f, content);
	return content_fd(r, content);
}

/* The bytes are in: rights, owner and seals as they were. */
long contents_seal(struct resume *r)
{
	struct fds f;
	uint32_t i;

	if (fds_load(&f, r, 0) < 0)
		return -1;
	for (i = 0; i < f.contents; i++) {
		const struct frore_content *c = &f.content[i];
		int fd = staged_content(&f, i);
		long ret;

		if (!is_open(fd) || c->kind == FRORE_CONTENT_IMAGE)
			continue;
		sys3(__NR_fchown, fd, c->uid, c->gid);
		sys2(__NR_fchmod, fd, c->mode);
		sys2(__NR_flock, fd, LOCK_UN);
		if (c->kind != FRORE_CONTENT_MEMFD || !c->seals)
			continue;
		ret = sys_fcntl(fd, F_ADD_SEALS, c->seals);
		if (ret < 0)
			warn(r, "cannot seal the memfd", artefact_text(f.a, c->name), -ret, 0);
	}
	return 0;
}
