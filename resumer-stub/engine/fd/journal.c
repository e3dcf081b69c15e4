/* The names of files that this resume has made, in a memfd: a resume that fails removes them again. */
#include "kinds.h"

void journal_open(struct fds *f)
{
	long fd = sys2(__NR_memfd_create, (long)"frore-journal", 1 /* MFD_CLOEXEC */);

	if (fd >= 0)
		move_fd((int)fd, journal_fd(f));
}

void journal_add(struct fds *f, const char *path)
{
	sys_write(journal_fd(f), path, text_length(path) + 1);
}

/* One pass; a directory goes once it is empty. Returns how many were removed. */
static int undo_once(struct fds *f)
{
	char path[PATH_ROOM];
	uint64_t at = 0;
	int removed = 0;
	long got;

	while ((got = sys_pread(journal_fd(f), path, sizeof(path) - 1, at)) > 0) {
		size_t length;

		path[got] = 0;
		length = text_length(path);
		if (length && sys3(__NR_unlinkat, AT_CWD, (long)path, path[length - 1] == '/' ? AT_REMOVEDIR : 0) == 0)
			removed++;
		at += length + 1;
	}
	return removed;
}

void journal_undo(struct fds *f)
{
	while (undo_once(f) > 0)
		;
	sys3(__NR_ftruncate, journal_fd(f), 0, 0);
}

/* A tmpfs is empty after a reboot: directories above what lived there are made again. */
void make_parents(struct fds *f, const char *path)
{
	char part[PATH_ROOM];
	size_t i, length = text_length(path);

	if (length >= sizeof(part))
		return;
	memcpy(part, path, length + 1);
	for (i = 1; i < length; i++) {
		char next = part[i + 1];

		if (part[i] != '/')
			continue;
		part[i + 1] = 0;
		if (sys3(__NR_mkdirat, AT_CWD, (long)part, 0755) == 0)
			journal_add(f, part);
		part[i + 1] = next;
	}
}
