/*
 * A devpts of the tree's own, so that its terminals have their old numbers. Only where terminals are inside: a program in a mount
 * namespace of its own sees new mounts of the outside, but its own do not show there.
 */
#include <linux/mount.h>
#include <linux/sched.h>

#include "launcher.h"

int devpts_needed(const struct launch *l)
{
	uint64_t count, i;
	const struct frore_pty_pair *p = artefact_table(&l->r->artefact, FRORE_TABLE_PTY_PAIR, &count);

	for (i = 0; i < count; i++)
		if (!(p[i].flags & FRORE_PTY_HUNG_UP))
			return 1;
	return 0;
}

/* Group 5 is the terminals' by convention; in a user namespace that group does not exist, and the mount is refused. */
static long mount_devpts(void)
{
	unsigned long flags = MS_NOSUID | MS_NOEXEC;
	long ret = sys5(__NR_mount, (long)"devpts", (long)"/dev/pts", (long)"devpts", (long)flags,
			(long)"newinstance,ptmxmode=0666,mode=0620,gid=5");

	if (ret < 0)
		ret = sys5(__NR_mount, (long)"devpts", (long)"/dev/pts", (long)"devpts", (long)flags,
			   (long)"newinstance,ptmxmode=0666,mode=0620");
	return ret;
}

/*
 * In a mount namespace of the tree whose mounts are detached already. Where /dev/ptmx is a mount of the old ptmx, it would lead
 * there; a link or a device node leads to the new one by itself.
 */
void devpts_mount(struct launch *l)
{
	long ret = mount_devpts();

	if (ret < 0) {
		warn(l->r, "cannot mount", "a devpts for the program's terminals", -ret, "they get the numbers that are free");
		return;
	}
	sys5(__NR_mount, (long)"/dev/pts/ptmx", (long)"/dev/ptmx", 0, MS_BIND, 0);
	l->r->own_devpts = 1;
}

/* By the root task where the ways give it no namespace. Without the right to make one, the numbers change, and that is told later. */
void devpts_enter(struct launch *l)
{
	if (l->r->way == WAY_PRIVATE || !devpts_needed(l) || sys1(__NR_unshare, CLONE_NEWNS) < 0)
		return;
	if (detach_mounts() == 0)
		devpts_mount(l);
}
