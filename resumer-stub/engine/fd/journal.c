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

void journal_undo(struct fds *f)
{
	char path[PATH_ROOM];
	uint64_t at = 0;
	long got;

	while ((got = sys_pread(journal_fd(f), path, sizeof(path) - 1, at)) > 0) {
		path[got] = 0;
		sys3(__NR_unlinkat, AT_CWD, (long)path, 0);
		at += text_length(path) + 1;
	}
	sys3(__NR_ftruncate, journal_fd(f), 0, 0);
}

/* A tmpfs is empty after a reboot: directories above what lived there are made again. They stay, also after a failure. */
void make_parents(struct fds *f, const char *path)
{
	char part[PATH_ROOM];
	size_t i, length = text_length(path);

	(void)f;
	if (length >= sizeof(part))
		return;
	memcpy(part, path, length + 1);
	for (i = 1; i < length; i++) {
		if (part[i] != '/')
			continue;
		part[i] = 0;
		sys3(__NR_mkdirat, AT_CWD, (long)part, 0755);
		part[i] = '/';
	}
}
