/* inotify(7): watches get back their numbers. */
#include <linux/inotify.h>
#include <linux/ioctl.h>

#include "kinds.h"

#define INOTIFY_SETNEXTWD _IOW('I', 0, int32_t)
/* What a program may ask for; the rest of a recorded mask was added by the kernel. */
#define WATCH_MASK (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK)

long inotify_open(struct fds *f, uint32_t d)
{
	return stage(f, d, sys1(__NR_inotify_init1, O_CLOEXEC), "cannot make", "an inotify", "raise fs.inotify.max_user_instances");
}

/* By its final number: the staged ones are closed by now, so that their closing is no event. */
long inotify_finish(struct fds *f, uint32_t d, const struct frore_inotify *row)
{
	int fd = wanted_fd(f, d);
	int32_t next = 1;
	uint32_t i;

	for (i = 0; i < row->count && fd >= 0; i++) {
		const struct frore_inotify_watch *w = row_at(f, FRORE_TABLE_INOTIFY_WATCH, row->first + i);
		const char *path;
		long wd;

		if (!w)
			return damaged_table(f);
		path = artefact_text(f->a, w->path);
		sys_ioctl(fd, INOTIFY_SETNEXTWD, (const void *)(long)w->wd);
		wd = sys3(__NR_inotify_add_watch, fd, (long)path, w->mask & WATCH_MASK);
		if (wd < 0)
			return refuse_fd(f, d, "cannot watch", path, wd, "put it back");
		if (wd != w->wd)
			return refuse_fd(f, d, "cannot give back the number of an inotify watch of", path, 0,
					 "the kernel needs CONFIG_CHECKPOINT_RESTORE");
		next = w->wd + 1;
	}
	if (fd >= 0)
		sys_ioctl(fd, INOTIFY_SETNEXTWD, (const void *)(long)next);
	return 0;
}
