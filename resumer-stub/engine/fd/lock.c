/* File locks: those of descriptions through the staged numbers, those of the process through the final ones. */
#include "kinds.h"

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4

static long take(struct fds *f, const struct frore_lock *row)
{
	struct flock range = {.l_type = row->type ? F_WRLCK : F_RDLCK, .l_start = row->start, .l_len = row->length};
	int fd = wanted_fd(f, row->description);

	if (row->kind == FRORE_LOCK_KIND_POSIX)
		return fd < 0 ? -9 : sys_fcntl(fd, F_SETLK, (long)&range);
	fd = staged(f, row->description);
	return row->kind == FRORE_LOCK_KIND_OFD ? sys_fcntl(fd, F_OFD_SETLK, (long)&range)
						: sys2(__NR_flock, fd, (row->type ? LOCK_EX : LOCK_SH) | LOCK_NB);
}

long locks_finish(struct fds *f, int posix)
{
	uint64_t count, i;
	const struct frore_lock *row = artefact_table(f->a, FRORE_TABLE_LOCK, &count);

	for (i = 0; i < count; i++) {
		int mine;
		long ret;

		if (row[i].description >= f->descriptions)
			return damaged_table(f);
		mine = row[i].kind == FRORE_LOCK_KIND_POSIX ? row[i].task == f->task : f->description[row[i].description].task == f->task;
		if (!mine || (row[i].kind == FRORE_LOCK_KIND_POSIX) != posix)
			continue;
		ret = take(f, &row[i]);
		if (ret < 0) {
			char hint[64];
			struct text t = text_in(hint, sizeof(hint));

			hint_original(f, &t);
			return refuse_fd(f, row[i].description, "cannot lock", 0, ret, hint);
		}
	}
	return 0;
}
